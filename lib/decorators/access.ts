import type { ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';

/** Where `@Public()` leaves its word for `AuthGuard`. */
export const PUBLIC = Symbol('nestjs-tessera.public');

/** Where `@RequireRoles(...)` leaves its word for `AuthGuard`. */
export const ROLES = Symbol('nestjs-tessera.roles');

/** The roles that open a handler, and of which instance's principal. */
export interface RequiredRoles {
  readonly sessionName: string;
  readonly roles: readonly string[];
}

/** What a request has to show: nothing, a login, or a login with one of some roles. */
export type Access =
  { readonly kind: 'public' } | { readonly kind: 'login' } | ({ readonly kind: 'roles' } & RequiredRoles);

const reflector = new Reflector();

/** What stands on the handler counts more than what stands on its controller; on one of them, roles count more than `@Public()`. */
export function accessTo(context: ExecutionContext): Access {
  for (const target of [context.getHandler(), context.getClass()]) {
    const required = reflector.get<RequiredRoles | undefined>(ROLES, target);
    if (required !== undefined) return { kind: 'roles', ...required };
    if (reflector.get<boolean | undefined>(PUBLIC, target) === true) return { kind: 'public' };
  }
  return { kind: 'login' };
}
