import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { DEFAULT_SESSION } from '../requests/session.tokens';
import { handleOf } from './untouching';
import { untransformed } from './untransformed';

const injectActor = createParamDecorator(async ({ name }: { name: string }, context: ExecutionContext) => {
  const session = await handleOf(context, name).find();
  return session.actor;
});

/** Passes the real principal to a handler while it acts as another one, else `null`: `@Actor() agent: Principal | null`. */
export function Actor({ name = DEFAULT_SESSION }: { readonly name?: string } = {}): ParameterDecorator {
  return untransformed(injectActor({ name }));
}
