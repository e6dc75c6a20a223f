import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Principal as LoggedInPrincipal } from '../core/principal';
import { principalOf } from '../requests/session-scope';
import { DEFAULT_SESSION } from '../requests/session.tokens';

const injectPrincipal = createParamDecorator(({ name }: { name: string }, context: ExecutionContext) =>
  principalOf(context, name),
);

/** Passes the logged-in principal to a handler: `@Principal() user: Principal` behind `AuthGuard`, else `Principal | null`. */
export function Principal({ name = DEFAULT_SESSION }: { readonly name?: string } = {}): ParameterDecorator {
  return injectPrincipal({ name });
}

/** The logged-in user. */
export type Principal = LoggedInPrincipal;
