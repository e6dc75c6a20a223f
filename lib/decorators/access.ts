import type { ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';

/** Where `@Public()` leaves its word for `AuthGuard`. */
export const PUBLIC = Symbol('nestjs-tessera.public');

const ROLES = new Map<string, symbol>();

/** Where `@RequireRoles(...)` leaves its word: a place for each instance, so that the roles of one do not cover those of another. */
export function rolesKey(sessionName: string): symbol {
  const key = ROLES.get(sessionName) ?? Symbol(`nestjs-tessera.roles.${sessionName}`);
  ROLES.set(sessionName, key);
  return key;
}

/** What a request has to show: nothing, a login, or a login with one of some roles. */
export type Access =
  | { readonly kind: 'public' }
  | { readonly kind: 'login' }
  | { readonly kind: 'roles'; readonly roles: readonly string[] };

const reflector = new Reflector();

/**
 * What one instance's guard asks for. What stands on the handler counts more than what stands on its controller; on one of
 * them, roles count more than `@Public()`.
 */
export function accessTo(context: ExecutionContext, sessionName: string): Access {
  for (const target of [context.getHandler(), context.getClass()]) {
    const roles = reflector.get<readonly string[] | undefined>(rolesKey(sessionName), target);
    if (roles !== undefined) return { kind: 'roles', roles };
    if (reflector.get<boolean | undefined>(PUBLIC, target) === true) return { kind: 'public' };
  }
  return { kind: 'login' };
}
