import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Principal as LoggedInPrincipal } from '../core/principal';
import { principalOf } from '../requests/session-scope';
import { DEFAULT_SESSION } from '../requests/session.tokens';

const inject = createParamDecorator(({ name }: { name: string }, context: ExecutionContext) =>
  principalOf(context, name),
);

/** Hands a handler who is logged in: `@Principal() user: Principal` behind `AuthGuard`; `Principal | null` where a visitor may come too. */
export function Principal({ name = DEFAULT_SESSION }: { readonly name?: string } = {}): ParameterDecorator {
  return inject({ name });
}

/** Who is logged in. */
export type Principal = LoggedInPrincipal;
