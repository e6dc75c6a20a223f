import { SetMetadata, UseGuards, applyDecorators, type CanActivate, type Type } from '@nestjs/common';
import { SessionError } from '../core/session.errors';
import { rolesKey } from '../decorators/access';
import { DEFAULT_SESSION } from '../requests/session.tokens';
import { AuthGuard } from './auth.guard';

/**
 * Lets a request in when its principal has one of these roles. Brings its `AuthGuard` along, so that it never stands there without effect.
 * @throws SessionError `SESSION_OPTIONS_INVALID` without a role
 */
export function RequireRoles(...roles: [role: string, ...more: string[]]): ClassDecorator & MethodDecorator {
  return requireRoles(DEFAULT_SESSION, roles, AuthGuard);
}

/** {@link RequireRoles} for a named instance: `@RequireRolesOf('admin', 'editor')`. */
export function RequireRolesOf(
  sessionName: string,
  ...roles: [role: string, ...more: string[]]
): ClassDecorator & MethodDecorator {
  return requireRoles(sessionName, roles, AuthGuard.for(sessionName));
}

function requireRoles(
  sessionName: string,
  roles: readonly string[],
  guard: Type<CanActivate>,
): ClassDecorator & MethodDecorator {
  if (roles.length > 0) return applyDecorators(SetMetadata(rolesKey(sessionName), roles), UseGuards(guard));
  throw new SessionError(
    'SESSION_OPTIONS_INVALID',
    '@RequireRoles() needs at least one role; where any login will do, use AuthGuard.',
  );
}
