import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants';
import { Reflector } from '@nestjs/core';

/** Metadata key set by `@Public()`, read by `AuthGuard`. */
export const PUBLIC_KEY = Symbol('nestjs-tessera.public');

const roleKeys = new Map<string, symbol>();

/** Metadata key set by `@RequireRoles(...)`, read by `AuthGuard`: one per instance, so that instances do not share required roles. */
export function rolesKey(sessionName: string): symbol {
  const key = roleKeys.get(sessionName) ?? Symbol(`nestjs-tessera.roles.${sessionName}`);
  roleKeys.set(sessionName, key);
  return key;
}

/** What a route requires: nothing, a login, or a login with one of the roles. */
export type Access =
  | { readonly kind: 'public' }
  | { readonly kind: 'login' }
  | { readonly kind: 'roles'; readonly roles: readonly string[] };

const reflector = new Reflector();

/**
 * Returns what the guard of one instance requires. Decorators of the handler take precedence over those of its controller. On the
 * same target, `@RequireRoles` and `@UseGuards(guard)` take precedence over `@Public()`.
 */
export function accessTo(context: ExecutionContext, sessionName: string, guard: CanActivate): Access {
  let named = false;
  for (const target of [context.getHandler(), context.getClass()]) {
    const roles = reflector.get<readonly string[] | undefined>(rolesKey(sessionName), target);
    if (roles !== undefined) return { kind: 'roles', roles };
    const guards = reflector.get<unknown[] | undefined>(GUARDS_METADATA, target) ?? [];
    named ||= guards.includes(guard) || guards.includes(guard.constructor);
    if (!named && reflector.get<boolean | undefined>(PUBLIC_KEY, target) === true) return { kind: 'public' };
  }
  return { kind: 'login' };
}
