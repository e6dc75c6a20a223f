import {
  ForbiddenException,
  Injectable,
  UnauthorizedException,
  mixin,
  type CanActivate,
  type ExecutionContext,
  type Type,
} from '@nestjs/common';
import type { Session } from '../core/session';
import { accessTo, perRoute, requiredProof, type RequiredProof } from '../decorators/access';
import { handleOf } from '../decorators/untouching';
import { coded } from '../requests/coded';
import { contextKinds } from '../requests/session-scope';
import { DEFAULT_SESSION } from '../requests/session.tokens';

/**
 * Allows requests whose session has a logged-in principal. Answers 401 without a login (codes `LOGIN_REQUIRED`, `LOGIN_PENDING` while a further
 * factor is due, `SESSION_LOCKED` after its idle timeout), and 403 when the principal has none of the roles of `@RequireRoles`, or the option
 * `authorize` refuses it. See also `@RecentLogin`, `@RequireLevel` and `@RequirePending`. Use it on a handler, a controller or globally (`APP_GUARD`), with `@Public()` for exceptions.
 * It relies only on the principal that `login` stored.
 */
@Injectable()
export class AuthGuard implements CanActivate {
  /** The instance whose session it checks. */
  protected readonly sessionName: string = DEFAULT_SESSION;
  readonly #required = perRoute((context) => ({
    access: accessTo(context, this.sessionName, this),
    proof: requiredProof(context, this.sessionName),
  }));

  /** The guard of a named instance: `@UseGuards(AuthGuard.for('admin'))`. */
  static for(name: string): Type<CanActivate> {
    return mixin(
      class extends AuthGuard {
        protected override readonly sessionName = name;
      },
    );
  }

  /**
   * @throws UnauthorizedException, ForbiddenException; SessionUnavailableException when the store fails. In a gateway a `WsException` with the same
   * code
   */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    try {
      const { access, proof } = this.#required(context);
      if (access.kind === 'public') return true;
      const handle = handleOf(context, this.sessionName);
      const session = await handle.find();
      const { authorize, clock } = handle.instance;
      if (access.kind === 'pending') return allowPending(session);
      const { principal } = session;
      if (principal === null) throw loginRequired(session);
      if (access.kind === 'roles' && !access.roles.some((role) => principal.roles.includes(role)))
        throw forbidden('ROLE_REQUIRED', 'Your role does not allow this');
      assertProof(session, proof, clock());
      if (authorize === null || (await authorize(principal, context))) return true;
      throw forbidden('NOT_AUTHORIZED', 'You are not allowed to do this');
    } catch (error) {
      throw contextKinds.get(context.getType())?.refusal?.(error as Error) ?? error;
    }
  }
}

function allowPending(session: Session): true {
  if (session.pending !== null) return true;
  if (session.principal === null) throw loginRequired(session);
  throw forbidden('PENDING_LOGIN_REQUIRED', 'The login is complete');
}

function assertProof(
  { authenticatedAt, level }: Session,
  { maxAge, level: least = 0 }: RequiredProof,
  now: number,
): void {
  if (level < least) throw unauthorized('LEVEL_REQUIRED', 'A further factor is required', { level: least });
  if (maxAge !== undefined && now - (authenticatedAt ?? -Infinity) > maxAge)
    throw unauthorized('RECENT_LOGIN_REQUIRED', 'Log in again to do this', {
      maxAge: Math.floor(maxAge / 1000),
    });
}

function loginRequired({ pending, locked, endedBecause }: Session): UnauthorizedException {
  if (pending !== null) return unauthorized('LOGIN_PENDING', 'A further factor is required');
  if (locked !== null) return unauthorized('SESSION_LOCKED', 'Log in again');
  const isKnown = endedBecause !== null && endedBecause !== 'unknown';
  return unauthorized('LOGIN_REQUIRED', 'Log in first', isKnown ? { endedBecause } : {});
}

function unauthorized(code: string, message: string, details: object = {}): UnauthorizedException {
  return coded(
    new UnauthorizedException({ statusCode: 401, error: 'Unauthorized', code, message, ...details }),
  );
}

function forbidden(code: string, message: string): ForbiddenException {
  return coded(new ForbiddenException({ statusCode: 403, error: 'Forbidden', code, message }));
}
