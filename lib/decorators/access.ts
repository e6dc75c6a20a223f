import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants';
import { Reflector } from '@nestjs/core';

/** Metadata key set by `@Public()`, read by `AuthGuard`. */
export const PUBLIC_KEY = Symbol('nestjs-tessera.public');

/** What a route requires of the proof of its principal, set by `@RecentLogin()`, `@RequireLevel()` and `@RequirePending()`. */
export interface RequiredProof {
  /** Maximum age of the last proof, in milliseconds. */
  readonly maxAge?: number;
  readonly level?: number;
  /** Whether the login must be pending. */
  readonly pending?: true;
}

const keys = new Map<string, symbol>();

/** Metadata key set by `@RequireRoles(...)`, read by `AuthGuard`: one per instance, so that instances do not share required roles. */
export function rolesKey(sessionName: string): symbol {
  return keyOf('roles', sessionName);
}

/** Metadata key of a requirement of {@link RequiredProof}: one per instance. */
export function proofKey(requirement: keyof RequiredProof, sessionName: string): symbol {
  return keyOf(requirement, sessionName);
}

function keyOf(what: string, sessionName: string): symbol {
  const name = `nestjs-tessera.${what}.${sessionName}`;
  const key = keys.get(name) ?? Symbol(name);
  keys.set(name, key);
  return key;
}

/** What a route requires: nothing, a login, a login with one of the roles, or a pending login. */
export type Access =
  | { readonly kind: 'public' }
  | { readonly kind: 'login' }
  | { readonly kind: 'pending' }
  | { readonly kind: 'roles'; readonly roles: readonly string[] };

const reflector = new Reflector();

/**
 * Returns a function that reads what the decorators of a route say once for each handler and class. They do not change while an application
 * runs, and to read them takes longer than everything else that a guard does.
 */
export function perRoute<T>(read: (context: ExecutionContext) => T): (context: ExecutionContext) => T {
  const known = new WeakMap<object, WeakMap<object, { readonly said: T }>>();
  return (context) => {
    const handler = context.getHandler();
    const ofClass = context.getClass();
    const found = known.get(handler)?.get(ofClass);
    if (found !== undefined) return found.said;
    const said = read(context);
    const routes = known.get(handler) ?? new WeakMap<object, { readonly said: T }>();
    known.set(handler, routes.set(ofClass, { said }));
    return said;
  };
}

/**
 * Returns what the guard of one instance requires. Decorators of the handler take precedence over those of its controller. On the
 * same target, `@RequireRoles` and `@UseGuards(guard)` take precedence over `@Public()`, and what requires a login over `@RequirePending()`.
 */
export function accessTo(context: ExecutionContext, sessionName: string, guard: CanActivate): Access {
  let needsLogin = false;
  for (const target of [context.getHandler(), context.getClass()]) {
    const roles = reflector.get<readonly string[] | undefined>(rolesKey(sessionName), target);
    if (roles !== undefined) return { kind: 'roles', roles };
    // Before the guards, since `@RequirePending` itself adds one.
    needsLogin ||= requiresProof(sessionName, target);
    if (!needsLogin && reflector.get<true | undefined>(proofKey('pending', sessionName), target))
      return { kind: 'pending' };
    const guards = reflector.get<unknown[] | undefined>(GUARDS_METADATA, target) ?? [];
    needsLogin ||= guards.includes(guard) || guards.includes(guard.constructor);
    if (!needsLogin && reflector.get<boolean | undefined>(PUBLIC_KEY, target) === true)
      return { kind: 'public' };
  }
  return { kind: 'login' };
}

/** Whether a target has `@RecentLogin` or `@RequireLevel`, which no pending login can meet. */
function requiresProof(sessionName: string, target: Parameters<Reflector['get']>[1]): boolean {
  const required = [proofKey('maxAge', sessionName), proofKey('level', sessionName)];
  return required.some((key) => reflector.get<unknown>(key, target) !== undefined);
}

/** Returns what a route requires of the proof of its principal. Decorators of the handler take precedence over those of its controller. */
export function requiredProof(context: ExecutionContext, sessionName: string): RequiredProof {
  const targets = [context.getHandler(), context.getClass()];
  const required = (requirement: keyof RequiredProof): number | undefined =>
    reflector.getAllAndOverride<number | undefined>(proofKey(requirement, sessionName), targets);
  const maxAge = required('maxAge');
  const level = required('level');
  return { ...(maxAge !== undefined && { maxAge }), ...(level !== undefined && { level }) };
}
