import { actAs, stopActing } from './acting';
import { csrfTokenOf } from './csrf-token';
import type { Device } from './device';
import { rollBack } from './draft-undo';
import type { EndReason } from './ended-session';
import { grant } from './grants';
import { setDeadline, setIdleTimeout, setRemembered } from './lifespan';
import { destroy, elevate, login, logout } from './login';
import type { Elevation, LoginOptions, LogoutOptions } from './login';
import type { Principal, PrincipalInput } from './principal';
import type { Rights } from './rights';
import { SessionContent, draftOf } from './session-content';
import { expiryOf } from './session-expiry';
import type { SessionStatus } from './session-operation';
import type { SessionId } from './session-token';
import { SessionError } from './session.errors';

export { draftOf };

/**
 * The session of one client during one request. It records changes, which the manager writes, at most once, before the response begins.
 * Every method is synchronous. Methods that change the session throw `SessionError` `SESSION_DESTROYED` after `destroy()`,
 * `SESSION_RESPONSE_STARTED` after the first byte of the response, and `SESSION_READ_ONLY` where nothing is committed, as in operations of
 * GraphQL over sockets.
 */
export class Session extends SessionContent {
  /**
   * Logs a principal in, with a new token and a new lifetime. The same write invalidates the old token (ASVS 7.2.4). When another
   * principal is logged in, that session ends and a new one begins. The commit may still refuse the login, with `SESSION_LOGIN_OUTDATED` (401)
   * or `SESSION_LIMIT_REACHED` (403).
   * @throws SessionError `PRINCIPAL_INVALID`, `SESSION_OPTIONS_INVALID`; `SESSION_CONSTANT_FIXED` when the current login set a constant to
   * another value
   */
  login(input: PrincipalInput, options: LoginOptions = {}): void {
    login(draftOf(this), input, options);
  }

  /** Ends the login, and also the session unless `keepData` is set. Not an error without a login. */
  logout(options: LogoutOptions = {}): void {
    logout(draftOf(this), options);
  }

  /**
   * Records a new authentication, such as a second factor or a repeated password. May change the roles. Renews the token. Completes a pending
   * login, whose lifetime then begins, and unlocks a locked one, which then acts as no other principal any more.
   * @throws SessionError `PRINCIPAL_INVALID`, `SESSION_NOT_LOGGED_IN`, `SESSION_OPTIONS_INVALID`; `SESSION_ACTING_REFUSED` while acting as
   * another principal
   */
  elevate(elevation: Elevation = {}): void {
    elevate(draftOf(this), elevation);
  }

  /**
   * Lets the logged-in principal act as another one, such as a support agent as a customer, with a new token. `principal` is then the
   * other one and `actor` the real one. The data of the real principal is set aside until {@link stopActing}; the session stays theirs
   * in lists, limits, and when all their sessions end. A logout ends both.
   * @throws SessionError `PRINCIPAL_INVALID`, `SESSION_NOT_LOGGED_IN`; `SESSION_ACTING_REFUSED` when the logged-in principal acts already, or is
   * the given one, or another request has changed its rights; SessionValueError for a value that was changed in place to an unsupported one
   */
  actAs(principal: PrincipalInput): void {
    actAs(draftOf(this), principal);
  }

  /** Goes back to the real principal and its data, with a new token. Drops what the session got meanwhile. Does nothing unless acting. */
  stopActing(): void {
    stopActing(draftOf(this));
  }

  /**
   * Allows one operation once, after the principal was asked to confirm it: `SessionService.takeGrant` uses it up. The next login ends all
   * grants. A session has at most 20: one more replaces the one that ends first.
   * @param operation names it with its object, such as `transfer:42`: at most 200 characters
   * @param validFor in milliseconds; 300000, five minutes, by default
   * @throws SessionError `SESSION_NOT_LOGGED_IN`, `SESSION_OPTIONS_INVALID`
   */
  grant(operation: string, validFor?: number): void {
    grant(draftOf(this), operation, validFor);
  }

  /**
   * Replaces the token after a change of rights outside this library. The old token no longer opens the session; for one minute it can
   * still end it. `login`, `elevate` and `logout` renew the token themselves. Does nothing for a session that is not stored yet.
   */
  renewToken(): void {
    this.#replaceToken('renew');
  }

  /**
   * Replaces the token by one with the same rights, as the option `rotateEvery` does automatically. The old token opens the session until
   * 10 seconds after the first use of the new one. A later use means that it was copied, and ends the session.
   */
  rotateToken(): void {
    this.#replaceToken('rotate');
  }

  /** Ends the session: removes it from the store and its token from the client. No more changes are possible. May be repeated. */
  destroy(): void {
    destroy(draftOf(this));
  }

  /**
   * Forgets what this request has recorded since the last commit, a login and `destroy` included. Without it an exception undoes nothing.
   * @throws SessionError `SESSION_CONFLICT` while a commit is under way
   */
  rollback(): void {
    rollBack(draftOf(this));
  }

  /** Sets whether the session survives a restart of the browser. Applies those timeouts from login or creation; an earlier deadline stays. */
  rememberMe(remember = true): void {
    setRemembered(draftOf(this), remember);
  }

  /**
   * Merges the session of another token into this one, at commit: its values replace those of this session, and it ends. A visitor's
   * session gets the later deadline, a login keeps its own. A token that opens no session changes nothing. The commit fails with
   * `SESSION_MERGE_REFUSED` when another principal is logged in to that session.
   * @throws SessionError `SESSION_TOKEN_INVALID` when the text does not have the form of a token
   */
  merge(token: string): void {
    const draft = draftOf(this);
    draft.assertWritable();
    const message = 'merge() needs the token of another session: pass it as the client sent it.';
    if (!draft.isToken(token)) throw new SessionError('SESSION_TOKEN_INVALID', message);
    draft.merging.push(token);
  }

  /**
   * Returns a token for the forms of this session, which `CsrfGuard` requires with `csrf: { token: true }`. It is another text each time, and
   * valid until the next login, logout, `actAs` or `stopActing`. The first call changes the session; later ones do not.
   */
  csrfToken(): string {
    return csrfTokenOf(draftOf(this));
  }

  /** The public id: safe in lists and logs, and no credential. It does not change with the token. */
  get id(): SessionId {
    return draftOf(this).id;
  }

  /** Whether the session is not stored yet. */
  get isNew(): boolean {
    return draftOf(this).base === null;
  }

  /** What the commit will do. */
  get status(): SessionStatus {
    draftOf(this).noticeMutations();
    return draftOf(this).status;
  }

  /** The logged-in principal, or `null`; also `null` while the login is pending or locked. While it acts as another one: the other one. */
  get principal(): Principal | null {
    const { principal, isPending } = this.#rights;
    return isPending ? null : principal;
  }

  /** The principal of a login whose further factor is due, or `null`. `elevate` completes it. */
  get pending(): Principal | null {
    const { principal, isPending } = this.#rights;
    return isPending ? principal : null;
  }

  /**
   * The principal of a login that its idle timeout has locked, or `null`: the real one, if it acted as another. `elevate` or `login` unlocks it.
   */
  get locked(): Principal | null {
    const { isLocked, rights, state } = draftOf(this);
    return isLocked && rights !== null ? (state.actor?.principal ?? state.principal) : null;
  }

  /** The real principal while it acts as {@link principal}, else `null`. */
  get actor(): Principal | null {
    return this.#rights.actor?.principal ?? null;
  }

  /** How the principal was authenticated: methods such as `pwd` and `otp` (RFC 8176), each once. `[]` when `login` named none. */
  get amr(): readonly string[] {
    return this.#rights.amr;
  }

  /** How well the principal was authenticated: see `level` of `login`. `0` without a login, and while it is pending or locked. */
  get level(): number {
    const { level, isPending } = this.#rights;
    return isPending ? 0 : level;
  }

  /** The client that logged in, if the option `devices` is set, else `null`. */
  get device(): Device | null {
    return draftOf(this).state.device;
  }

  /**
   * Why the session that this client had before has ended, or `null`. Told to the client that has the last token of that session, until it has
   * another session. After an end from outside, such as `evicted` or `revoked`, it can be told for a day; later it is `unknown`, as it is for a
   * record that was removed.
   */
  get endedBecause(): EndReason | null {
    return draftOf(this).endedBecause;
  }

  /** Whether the session survives a restart of the browser. */
  get remembered(): boolean {
    return draftOf(this).state.remembered;
  }

  /** When the session was created: epoch milliseconds. */
  get createdAt(): number {
    return draftOf(this).state.createdAt;
  }

  /** Time of the last proof, by `login` or `elevate`: epoch milliseconds, or `null` without a login. */
  get authenticatedAt(): number | null {
    return this.#rights.authenticatedAt;
  }

  /** Time of the last use by an earlier request, accurate to a tenth of the idle timeout: epoch milliseconds. */
  get lastSeenAt(): number {
    return draftOf(this).state.lastSeenAt;
  }

  /** When the session ends unless another request uses it: epoch milliseconds. */
  get expiresAt(): number {
    const { state, settings, touches } = draftOf(this);
    return expiryOf(state, touches ? settings.clock() : state.lastSeenAt);
  }

  /** When the session ends regardless of activity: epoch milliseconds. A value in the past ends the session at commit. */
  get deadline(): number {
    return draftOf(this).state.deadline;
  }

  /**
   * Ends the session at another instant, until the next login. A pending login ends after its `pendingLifetime` in any case.
   * @throws SessionValueError for anything but an instant in epoch milliseconds; SessionError `SESSION_NOT_LOGGED_IN` for a later deadline of a
   * locked login
   */
  set deadline(at: number) {
    setDeadline(draftOf(this), at);
  }

  /** Maximum time between two requests, in milliseconds; `null` for no limit before the deadline. */
  get idleTimeout(): number | null {
    return draftOf(this).state.idleTimeout;
  }

  /**
   * Sets the idle timeout of this session, until the next login.
   * @throws SessionValueError for anything but a positive number of milliseconds or `null`; SessionError `SESSION_NOT_LOGGED_IN` while the login is
   * locked
   */
  set idleTimeout(duration: number | null) {
    setIdleTimeout(draftOf(this), duration);
  }

  /** Returns the public properties, without data and token. */
  toJSON(): object {
    const { id, isNew, principal, createdAt, expiresAt } = this;
    return { id, isNew, principal, createdAt, expiresAt };
  }

  get #rights(): Rights {
    const { rights, state } = draftOf(this);
    return rights ?? state;
  }

  #replaceToken(kind: 'renew' | 'rotate'): void {
    draftOf(this).assertWritable();
    // A request with a secret from before the session got more rights must not get a token that has them.
    if (!this.isNew && draftOf(this).rights === null) draftOf(this).record(kind, () => {});
  }
}
