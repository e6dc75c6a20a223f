import {
  ForbiddenException,
  Injectable,
  mixin,
  type CanActivate,
  type ExecutionContext,
  type Type,
} from '@nestjs/common';
import { skipsCsrf } from '../decorators/skip-csrf.decorator';
import { isSafeMethod, isTrustedOrigin, originVary } from '../requests/request-origin';
import { scopeOf, type SessionScope } from '../requests/session-scope';
import { DEFAULT_SESSION } from '../requests/session.tokens';

/** Kinds of contexts that are no HTTP request. */
const MESSAGES = ['ws', 'rpc'];

/**
 * Refuses requests that pages of other sites make a browser send (CSRF), with 403 and the code `CSRF_REFUSED`. Use it globally
 * (`APP_GUARD`), or on a controller or handler, with `@SkipCsrf()` for exceptions; the option `csrf` sets what it allows.
 *
 * `GET`, `HEAD` and `OPTIONS` pass: their handlers must change nothing. It does not load the session. The messages of sockets and
 * microservices pass too: the origin of a socket is checked at its handshake.
 */
@Injectable()
export class CsrfGuard implements CanActivate {
  protected readonly sessionName: string = DEFAULT_SESSION;

  /** The guard with the options of a named instance: `@UseGuards(CsrfGuard.for('admin'))`. */
  static for(name: string): Type<CanActivate> {
    return mixin(
      class extends CsrfGuard {
        protected override readonly sessionName = name;
      },
    );
  }

  /** @throws ForbiddenException `CSRF_REFUSED` */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (MESSAGES.includes(context.getType()) || skipsCsrf(context, this)) return true;
    const scope = scopeOf(context);
    const { method } = scope.unit.request;
    if (!isSafeMethod(method)) this.#checkOrigin(scope);
    return true;
  }

  #checkOrigin(scope: SessionScope): void {
    const instance = scope.instances.get(this.sessionName);
    scope.dependOn(originVary(instance));
    if (isTrustedOrigin(scope.unit.request.headers, instance)) return;
    instance.emit({ type: 'rejected', reason: 'csrf' });
    throw refused('The request comes from another site');
  }
}

function refused(message: string): ForbiddenException {
  return new ForbiddenException({ statusCode: 403, error: 'Forbidden', code: 'CSRF_REFUSED', message });
}
