import type { ArgumentsHost } from '@nestjs/common';
import type { PrincipalInput } from './core/principal';
import { useGrant } from './core/grants';
import { takeOutIntended } from './core/intended';
import type { Elevation, LoginOptions, LogoutOptions } from './core/login';
import type { Session } from './core/session';
import type { KeyOf, SessionData, SessionKey } from './core/session-data';
import type { SessionPolicy } from './core/session-policy';
import { isTrustedOrigin } from './requests/request-origin';
import type { SessionHandle } from './requests/session-handle';
import type { RequestHead } from './requests/unit-of-work';
import { currentHandle, peekScope, scopeOf } from './requests/session-scope';
import { SessionRegistry, endAll, type EndAll, type PrincipalRef } from './session.registry';
import type { SessionInstances } from './requests/session-instance';

/**
 * Gives any provider the session of the current request. Every method loads the session if necessary. Rejects with
 * `SessionUnavailableException` (503) when the store fails, and with `SessionError` `SESSION_REQUEST_MISSING` outside a request.
 */
export class SessionService {
  /** Lists the sessions of all clients, and ends or changes them. */
  readonly registry: SessionRegistry;

  /** @internal The module creates it: inject it. */
  constructor(
    private readonly name: string,
    private readonly instances: SessionInstances,
  ) {
    this.registry = new SessionRegistry(name, instances);
  }

  /** The session policy in force, such as the timeouts: see `describePolicy`. */
  get policy(): SessionPolicy {
    return this.instances.get(this.name).policy;
  }

  /**
   * Returns the present instant by the option `clock`, in epoch milliseconds: for `checkedAt`, and to compare with `expiresAt`. Tests that move
   * the clock move this, too.
   */
  now(): number {
    return this.instances.get(this.name).clock();
  }

  /** Returns the session of the current request. Needs the async context, which `asyncContext: false` turns off. */
  async current(): Promise<Session> {
    return this.#handle().open();
  }

  /**
   * Returns the session of an `ExecutionContext`, of a request of Express, Fastify or Node, or of the context of a GraphQL operation over a
   * socket, such as the filter of a subscription gets. Needs no async context.
   * @param options with `touch: false` the request is no use of the session, as with `@Session({ touch: false })`. A guard that has asked
   * for the session before may have extended it
   */
  async of(
    source: ArgumentsHost | object,
    { touch = true }: { readonly touch?: boolean } = {},
  ): Promise<Session> {
    const handle = scopeOf(source, this.instances).handle(this.name);
    if (!touch) handle.leaveIdle();
    return handle.open();
  }

  /**
   * Returns the session of an `ExecutionContext` or a request if it is loaded already, else `null`. Synchronous, asks no store, and never
   * throws: for loggers and error reports.
   */
  peek(source: ArgumentsHost | object): Session | null {
    return peekScope(source, this.instances)?.peek(this.name) ?? null;
  }

  /**
   * Logs a principal in, with a new token: see `Session.login`. Takes effect at commit.
   * @throws SessionError `PRINCIPAL_INVALID`, `SESSION_OPTIONS_INVALID`, `SESSION_CONSTANT_FIXED`
   */
  async login(principal: PrincipalInput, options?: LoginOptions): Promise<void> {
    (await this.current()).login(principal, options);
  }

  /** Ends the login, and also the session unless `keepData` is set: see `Session.logout`. */
  async logout(options?: LogoutOptions): Promise<void> {
    (await this.current()).logout(options);
  }

  /**
   * Records a new authentication, changes roles, and renews the token: see `Session.elevate`.
   * @throws SessionError `SESSION_NOT_LOGGED_IN`, `SESSION_OPTIONS_INVALID`, `SESSION_ACTING_REFUSED`
   */
  async elevate(elevation?: Elevation): Promise<void> {
    (await this.current()).elevate(elevation);
  }

  /**
   * Acts as another principal: see `Session.actAs`.
   * @throws SessionError `PRINCIPAL_INVALID`, `SESSION_NOT_LOGGED_IN`, `SESSION_ACTING_REFUSED`
   */
  async actAs(principal: PrincipalInput): Promise<void> {
    (await this.current()).actAs(principal);
  }

  /** Goes back to the real principal: see `Session.stopActing`. */
  async stopActing(): Promise<void> {
    (await this.current()).stopActing();
  }

  /**
   * Uses up a grant of `Session.grant`, and commits. Of several concurrent requests exactly one gets `true`; a request gets `false` whose token is
   * from before the rights of the session changed.
   * @throws SessionUnavailableException when the store fails; SessionError `SESSION_OPTIONS_INVALID`
   */
  async takeGrant(operation: string): Promise<boolean> {
    return (await this.#handle().taking((draft) => useGrant(draft, operation))) ?? false;
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
   * Removes a value from the session, commits, and returns the value. Of several concurrent requests exactly one gets the value, the
   * others `undefined`. For an OAuth state or a one-time code. (`Session.pop` may return the value to two concurrent requests.)
   * @throws SessionUnavailableException when the store fails; the value may then be lost
   */
  async take<K extends SessionKey>(key: KeyOf<K>): Promise<SessionData[K] | undefined> {
    const handle = this.#handle();
    return handle.instance.manager.take(await handle.open(), key, () => handle.commit());
  }

  /**
   * Returns the page that a visitor was refused before the login: a path of this site with its query, remembered by `LoginRedirectFilter`. Takes
   * it out of the session and commits: of several concurrent requests exactly one gets it. Without one, returns `fallback`.
   * @throws SessionUnavailableException when the store fails; the path may then be lost
   */
  async intended(): Promise<string | null>;
  async intended(fallback: string): Promise<string>;
  async intended(fallback: string | null = null): Promise<string | null> {
    return (await this.#handle().taking(takeOutIntended)) ?? fallback;
  }

  /**
   * Ends every session of a principal, in every process, for example after a change of password, and refuses logins under way that checked
   * the credentials before: pass `checkedAt` to `login`. Takes effect at once. Can be called outside a request, without `except`.
   * @param options `reason` is told to the clients (`session.endedBecause`) and in the events. With `except: 'current'`, the session of this
   * request stays if it is one of them: it is committed first, with a new token. It ends with the others if another request has replaced its
   * token meanwhile, its client has left, or this is a message of a socket.
   * @throws SessionUnavailableException (outside a request `SessionStoreError`) when the store fails; SessionError `PRINCIPAL_INVALID`,
   * `SESSION_OPTIONS_INVALID` when the store cannot find sessions by principal; with `except`, what a commit throws, and then nothing has ended
   */
  async endAll(principal: PrincipalRef, options: EndAll = {}): Promise<void> {
    return endAll(this.instances, this.name, principal, options);
  }

  /**
   * Returns a signal that aborts when the session of the current request ends, within a second and in any process: by a logout or another
   * login, by a revocation, or by expiry. A rotation is no end, and neither is a login in this request before its answer begins. Its `reason` is a `SessionError`
   * `SESSION_ENDED`. After the answer is over, it aborts no more. For streams of your own, and work that must not outlive a login:
   *
   * ```ts
   * const ended = await this.sessions.ended();
   * return this.prices.pipe(takeUntil(fromEvent(ended, 'abort')));
   * ```
   * @param source an `ExecutionContext` or a request, where there is no async context
   */
  async ended(source?: ArgumentsHost | object): Promise<AbortSignal> {
    const handle = source === undefined ? this.#handle() : scopeOf(source, this.instances).handle(this.name);
    return handle.ended();
  }

  /** Forgets what this request has recorded since the last commit: see `Session.rollback`. */
  async rollback(): Promise<void> {
    (await this.current()).rollback();
  }

  /** Ends the session for good: see `Session.destroy`. */
  async destroy(): Promise<void> {
    (await this.current()).destroy();
  }

  /**
   * Commits now instead of before the response begins, for example before a message is sent whose receiver reads the session.
   * Does not load a session that the request has not used.
   */
  async commit(): Promise<void> {
    await this.#handle().commit();
  }

  /**
   * Commits, and returns the session's token, for a login whose answer tells it in its body: `return { token: await this.sessions.issueToken() }`. The
   * client sends it as `bearer()` or `header()` reads it. Later tokens come in the header that these answer in.
   *
   * Returns `null` without a stored session, when another request has replaced the token meanwhile, and for a request that came with a cookie: its
   * client has the token there, where scripts cannot read it.
   * @throws SessionUnavailableException when the store fails; SessionError `SESSION_OPTIONS_INVALID` when tokens are read from cookies only
   */
  async issueToken(): Promise<string | null> {
    return this.#handle().issueToken();
  }

  /** Returns a token for the forms of this session: see `Session.csrfToken`. */
  async csrfToken(): Promise<string> {
    return (await this.current()).csrfToken();
  }

  /**
   * Returns whether the handshake of a socket comes from a page of this application, from an origin of `csrf.trustedOrigins`, or from no
   * page. Refuse the handshake otherwise: browsers let every page open a socket to every site, with that site's cookies. Synchronous,
   * and asks no store.
   * @param request the upgrade request, or its headers with names in lower case as `{ headers }`
   */
  isTrustedOrigin({ headers }: RequestHead): boolean {
    return isTrustedOrigin(headers, this.instances.get(this.name));
  }

  #handle(): SessionHandle {
    return currentHandle(this.instances, this.name);
  }
}
