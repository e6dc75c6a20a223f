import { SetMetadata, UseGuards, applyDecorators, type CanActivate, type Type } from '@nestjs/common';
import { SessionError } from '../core/session.errors';
import { rolesKey } from '../decorators/access';
import { DEFAULT_SESSION } from '../requests/session.tokens';
import { AuthGuard } from './auth.guard';

/**
 * Allows requests whose principal has at least one of these roles. Also applies `AuthGuard`, so that no separate guard is needed.
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
    '@RequireRoles() needs at least one role; use AuthGuard to require a login only.',
  );
}
