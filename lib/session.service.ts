import type { ArgumentsHost } from '@nestjs/common';
import type { PrincipalInput } from './core/principal';
import type { Elevation, LoginOptions, LogoutOptions } from './core/login';
import type { Session } from './core/session';
import type { SessionData, SessionKey } from './core/session-data';
import { SessionError } from './core/session.errors';
import { currentScope, scopeIn, scopeOf } from './requests/session-scope';
import type { SessionHandle } from './requests/session-handle';
import type { SessionInstances } from './requests/session-instance';

/**
 * The current request's session, from any provider. Every method loads the session if nothing has yet, and rejects with
 * `SessionUnavailableException` (503) when the store fails, `SessionError` with code `SESSION_REQUEST_MISSING` outside a request.
 */
export class SessionService {
  constructor(
    private readonly name: string,
    private readonly instances: SessionInstances,
  ) {}

  /** The session of the request in hand. Needs the async context, which `asyncContext: false` turns off. */
  async current(): Promise<Session> {
    return this.#handle().open();
  }

  /** The session of a handler's context, or of a request, Express's, Fastify's or Node's own. Needs no async context. */
  async of(source: ArgumentsHost | object): Promise<Session> {
    return scopeOf(source, this.instances).handle(this.name).open();
  }

  /**
   * Logs a principal in, under a new token: see `Session.login`. It takes effect when the request commits.
   * @throws SessionError `PRINCIPAL_INVALID`, `SESSION_CONSTANT_FIXED`
   */
  async login(principal: PrincipalInput, options?: LoginOptions): Promise<void> {
    (await this.current()).login(principal, options);
  }

  /** Ends the login, and the session with it unless its data is to be kept: see `Session.logout`. */
  async logout(options?: LogoutOptions): Promise<void> {
    (await this.current()).logout(options);
  }

  /**
   * Notes a fresh proof of identity, changes roles, and renews the token: see `Session.elevate`.
   * @throws SessionError `SESSION_NOT_LOGGED_IN`
   */
  async elevate(elevation?: Elevation): Promise<void> {
    (await this.current()).elevate(elevation);
  }

  /** Replaces the token: see `Session.renewToken`. */
  async renewToken(): Promise<void> {
    (await this.current()).renewToken();
  }

  /** Replaces the token by one with the same rights: see `Session.rotateToken`. */
  async rotateToken(): Promise<void> {
    (await this.current()).rotateToken();
  }

  /**
   * Takes a value out of the session and commits: of any number of requests that do so at once, exactly one gets the value, and the others
   * `undefined`. For an OAuth state, or a code that is good once. (`Session.pop` may give it to two requests that overlap.)
   * @throws SessionUnavailableException when the store fails; the value may be lost then
   */
  async take<K extends SessionKey>(key: K): Promise<SessionData[K] | undefined> {
    return this.#handle().take(key);
  }

  /** Ends the session for good: see `Session.destroy`. */
  async destroy(): Promise<void> {
    (await this.current()).destroy();
  }

  /**
   * Commits now what would be committed before the response begins: when a message is about to be sent that others will act upon, say.
   * A session that nothing has touched is not loaded for it.
   */
  async commit(): Promise<void> {
    await this.#handle().commit();
  }

  #handle(): SessionHandle {
    const scope = scopeIn(this.instances, currentScope.getStore());
    if (scope !== undefined) return scope.handle(this.name);
    throw new SessionError(
      'SESSION_REQUEST_MISSING',
      'There is no current request here. Call it while a request is being handled, with asyncContext on, or use of(context) with what you were given.',
    );
  }
}
