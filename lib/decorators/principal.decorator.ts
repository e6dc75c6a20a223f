import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Principal as LoggedInPrincipal } from '../core/principal';
import { DEFAULT_SESSION } from '../requests/session.tokens';
import { handleOf } from './untouching';
import { untransformed } from './untransformed';

const injectPrincipal = createParamDecorator(
  async ({ name }: { name: string }, context: ExecutionContext) => {
    const session = await handleOf(context, name).find();
    return session.principal;
  },
);

/** Passes the logged-in principal to a handler: `@Principal() user: Principal` behind `AuthGuard`, else `Principal | null`. */
export function Principal({ name = DEFAULT_SESSION }: { readonly name?: string } = {}): ParameterDecorator {
  return untransformed(injectPrincipal({ name }));
}

/** The logged-in user. */
export type Principal = LoggedInPrincipal;
