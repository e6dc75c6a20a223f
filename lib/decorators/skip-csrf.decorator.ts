import { SetMetadata, type CanActivate, type CustomDecorator, type ExecutionContext } from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants';
import { Reflector } from '@nestjs/core';

/** Metadata key set by `@SkipCsrf()`, read by `CsrfGuard`. */
const SKIP_CSRF_KEY = Symbol('nestjs-tessera.skip-csrf');

const reflector = new Reflector();

/**
 * Exempts a handler or a controller from a `CsrfGuard` of a wider scope, for all named instances: for a webhook that another server calls,
 * and that proves who calls it in another way. A `CsrfGuard` on the same target, or on the handler, takes precedence over this.
 */
export function SkipCsrf(): CustomDecorator<symbol> {
  return SetMetadata(SKIP_CSRF_KEY, true);
}

/** Whether `@SkipCsrf()` exempts the route from this guard. The handler's decorators take precedence over its controller's. */
export function skipsCsrf(context: ExecutionContext, guard: CanActivate): boolean {
  for (const target of [context.getHandler(), context.getClass()]) {
    const guards = reflector.get<unknown[] | undefined>(GUARDS_METADATA, target) ?? [];
    if (guards.includes(guard) || guards.includes(guard.constructor)) return false;
    if (reflector.get<boolean | undefined>(SKIP_CSRF_KEY, target) === true) return true;
  }
  return false;
}
