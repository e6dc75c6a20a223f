import {
  ForbiddenException,
  Injectable,
  UnauthorizedException,
  mixin,
  type CanActivate,
  type ExecutionContext,
  type Type,
} from '@nestjs/common';
import { accessTo } from '../decorators/access';
import { principalOf } from '../requests/session-scope';
import { DEFAULT_SESSION } from '../requests/session.tokens';

/**
 * Lets a request in when somebody is logged in to its session: 401 otherwise, 403 when a role asked for by `@RequireRoles` is missing.
 * Use it on a handler, a controller, or everywhere (`APP_GUARD`), and `@Public()` for the exceptions.
 * It trusts nothing but what `login` wrote.
 */
@Injectable()
export class AuthGuard implements CanActivate {
  protected readonly sessionName: string = DEFAULT_SESSION;

  /** The guard of a named instance: `@UseGuards(AuthGuard.for('admin'))`. */
  static for(name: string): Type<CanActivate> {
    return mixin(
      class extends AuthGuard {
        protected override readonly sessionName = name;
      },
    );
  }

  /** @throws UnauthorizedException, ForbiddenException; SessionUnavailableException when the store fails */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const access = accessTo(context, this.sessionName, this);
    if (access.kind === 'public') return true;
    const principal = await principalOf(context, this.sessionName);
    if (principal === null)
      throw new UnauthorizedException({ statusCode: 401, code: 'LOGIN_REQUIRED', message: 'Log in first' });
    if (access.kind === 'login' || access.roles.some((role) => principal.roles.includes(role))) return true;
    throw new ForbiddenException({
      statusCode: 403,
      code: 'ROLE_REQUIRED',
      message: 'Your role does not allow this',
    });
  }
}
