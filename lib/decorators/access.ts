import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants';
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
 * them, roles and the guard itself count more than `@Public()`: whoever puts a guard there means it.
 */
export function accessTo(context: ExecutionContext, sessionName: string, guard: CanActivate): Access {
  let named = false;
  for (const target of [context.getHandler(), context.getClass()]) {
    const roles = reflector.get<readonly string[] | undefined>(rolesKey(sessionName), target);
    if (roles !== undefined) return { kind: 'roles', roles };
    const guards = reflector.get<unknown[] | undefined>(GUARDS_METADATA, target) ?? [];
    named ||= guards.includes(guard) || guards.includes(guard.constructor);
    if (!named && reflector.get<boolean | undefined>(PUBLIC, target) === true) return { kind: 'public' };
  }
  return { kind: 'login' };
}
