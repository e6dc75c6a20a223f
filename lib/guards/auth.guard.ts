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
import { handleOf } from '../decorators/untouching';
import { DEFAULT_SESSION } from '../requests/session.tokens';

/**
 * Allows requests whose session has a logged-in principal. Answers 401 without a login, and 403 when the principal has none of the
 * roles of `@RequireRoles`. Use it on a handler, a controller or globally (`APP_GUARD`), with `@Public()` for exceptions.
 * It relies only on the principal that `login` stored.
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
    const { principal } = await handleOf(context, this.sessionName).find();
    if (principal === null)
      throw new UnauthorizedException({
        statusCode: 401,
        error: 'Unauthorized',
        code: 'LOGIN_REQUIRED',
        message: 'Log in first',
      });
    if (access.kind === 'login' || access.roles.some((role) => principal.roles.includes(role))) return true;
    throw new ForbiddenException({
      statusCode: 403,
      error: 'Forbidden',
      code: 'ROLE_REQUIRED',
      message: 'Your role does not allow this',
    });
  }
}
