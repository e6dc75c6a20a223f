import {
  ForbiddenException,
  Injectable,
  mixin,
  type CanActivate,
  type ExecutionContext,
  type Type,
} from '@nestjs/common';
import { isCsrfToken } from '../core/csrf-token';
import { principalKey } from '../core/principal';
import { draftOf } from '../core/session';
import { skipsCsrf } from '../decorators/skip-csrf.decorator';
import { handleOf } from '../decorators/untouching';
import { coded } from '../requests/coded';
import { hasSessionCookie, isSafeMethod, isTrustedOrigin, originVary } from '../requests/request-origin';
import type { SessionInstance } from '../requests/session-instance';
import { scopeOf } from '../requests/session-scope';
import { DEFAULT_SESSION } from '../requests/session.tokens';
import type { UnitOfWork } from '../requests/unit-of-work';

/** Kinds of contexts that are no HTTP request. */
const MESSAGES = ['ws', 'rpc'];

const TOKEN_HEADER = 'X-CSRF-Token';
const TOKEN_FIELD = '_csrf';

/**
 * Refuses requests that pages of other sites make a browser send (CSRF), with 403 and the code `CSRF_REFUSED`. Use it globally
 * (`APP_GUARD`), or on a controller or handler, with `@SkipCsrf()` for exceptions; the option `csrf` sets what it allows.
 *
 * `GET`, `HEAD` and `OPTIONS` pass: their handlers must change nothing. It loads the session with `csrf: { token: true }` only. The messages of
 * sockets and microservices pass too: the origin of a socket is checked at its handshake. So do operations of GraphQL over a socket from this
 * site: they need no token.
 */
@Injectable()
export class CsrfGuard implements CanActivate {
  /** The instance with whose options it checks. */
  protected readonly sessionName: string = DEFAULT_SESSION;

  /** The guard with the options of a named instance: `@UseGuards(CsrfGuard.for('admin'))`. */
  static for(name: string): Type<CanActivate> {
    return mixin(
      class extends CsrfGuard {
        protected override readonly sessionName = name;
      },
    );
  }

  /** @throws ForbiddenException `CSRF_REFUSED`; SessionUnavailableException when the store fails */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (MESSAGES.includes(context.getType()) || skipsCsrf(context, this)) return true;
    const scope = scopeOf(context);
    const { method, headers } = scope.unit.request;
    if (isSafeMethod(method)) return true;
    const instance = scope.instances.get(this.sessionName);
    const { csrf, transport, emit } = instance;
    scope.dependOn(originVary(instance));
    if (!isTrustedOrigin(headers, instance)) {
      emit({ type: 'rejected', reason: 'csrf' });
      throw refused(refusalOf(headers));
    }
    // A socket has no method. It cannot send the token, and its origin says enough.
    if (!csrf.token || method === undefined) return true;
    scope.dependOn([TOKEN_HEADER, ...transport.vary]);
    if (hasSessionCookie(headers, transport)) await checkToken(context, instance);
    return true;
  }
}

/** Refuses the request if it has a session and no token of it. */
async function checkToken(context: ExecutionContext, { name, emit }: SessionInstance): Promise<void> {
  const session = await handleOf(context, name).open();
  if (session.isNew || isCsrfToken(draftOf(session), tokenIn(context))) return;
  const { id, principal } = session;
  emit({ type: 'rejected', id, principal: principal && principalKey(principal), reason: 'csrf' });
  throw refused('The CSRF token is missing or no longer valid: load the page again');
}

/** Returns the token that came in the header, else in the body. Never one in the URL, which logs and `Referer` would tell. */
function tokenIn(context: ExecutionContext): string {
  const { headers } = scopeOf(context).unit.request;
  const request = context.switchToHttp().getRequest<{ readonly body?: unknown } | undefined>();
  const field = Object.getOwnPropertyDescriptor(Object(request?.body), TOKEN_FIELD)?.value as unknown;
  const token = headers[TOKEN_HEADER.toLowerCase()] ?? field;
  return typeof token === 'string' ? token : '';
}

/** In strict mode a request is refused that says nothing of where it comes from. */
function refusalOf({ origin, 'sec-fetch-site': site }: UnitOfWork['request']['headers']): string {
  return origin === undefined && site === undefined
    ? 'The request does not say where it comes from: send Origin or Sec-Fetch-Site'
    : 'The request comes from a page of another origin';
}

function refused(message: string): ForbiddenException {
  return coded(
    new ForbiddenException({ statusCode: 403, error: 'Forbidden', code: 'CSRF_REFUSED', message }),
  );
}
