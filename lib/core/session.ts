import { rollBack } from './draft-undo';
import { addMessage, takeMessages } from './flash';
import { setDeadline, setIdleTimeout, setRemembered } from './lifespan';
import { destroy, elevate, login, logout, setConstant } from './login';
import type { Elevation, LoginOptions, LogoutOptions } from './login';
import type { Principal, PrincipalInput } from './principal';
import { refuseAssignments } from './refuse-assignments';
import { decodeValue } from './session-body';
import type { FlashKind, FlashMessage, SessionConstantKey, SessionConstants } from './session-data';
import type { KeyOf, SessionData, SessionKey } from './session-data';
import type { SessionDraft } from './session-draft';
import { expiryOf } from './session-expiry';
import type { SessionStatus } from './session-operation';
import { getOwn, setOwn } from './session-state';
import type { SessionId } from './session-token';
import { SessionError } from './session.errors';

/** Returns the draft in which a session records changes. Internal: not exported from the package. */
export let draftOf: (session: Session) => SessionDraft;

/**
 * The session of one client during one request. It records changes, which the manager writes, at most once, before the response begins.
 * Every method is synchronous. Methods that change the session throw `SessionError` `SESSION_DESTROYED` after `destroy()`, and
 * `SESSION_RESPONSE_STARTED` after the first byte of the response.
 */
export class Session {
  readonly #draft: SessionDraft;

  static {
    draftOf = (session) => session.#draft;
  }

  constructor(draft: SessionDraft) {
    this.#draft = draft;
  }

  /** Returns the value of a key, or `undefined`. An object may be changed in place; the commit detects that. */
  get<K extends SessionKey>(key: KeyOf<K>): SessionData[K] | undefined {
    const value = getOwn(this.#draft.state.data, key);
    if (typeof value === 'object' && value !== null) this.#draft.values.see(key, value);
    return value as SessionData[K] | undefined;
  }

  /**
   * Sets a key. When two concurrent requests set the same key, the later commit wins; use {@link update} to avoid lost updates.
   * @throws SessionValueError when the value is not supported; the message gives the path and the reason
   */
  set<K extends SessionKey>(key: KeyOf<K>, value: SessionData[K]): this {
    this.#draft.assertWritable();
    const { values, state } = this.#draft;
    this.#draft.add(values.put(state.data, key, value));
    return this;
  }

  /**
   * Sets a key to the result of `change`, and returns it. When a concurrent request wrote first, `change` runs again with the value
   * that request wrote, so it must have no side effects. It receives a copy, which it may change.
   * @throws SessionValueError when the result is not supported
   */
  update<K extends SessionKey>(
    key: KeyOf<K>,
    change: (value: SessionData[K] | undefined) => SessionData[K],
  ): SessionData[K] {
    const draft = this.#draft;
    draft.noticeMutation(key);
    draft.record('data', (state) => {
      const before = draft.values.copy(key, getOwn(state.data, key));
      const value = change(before as SessionData[K] | undefined);
      draft.values.accept(key, value);
      setOwn(state.data, key, value);
    });
    return getOwn(draft.state.data, key) as SessionData[K];
  }

  /** Returns whether the key is set, even if to `undefined`. */
  has(key: KeyOf): boolean {
    return Object.hasOwn(this.#draft.state.data, key);
  }

  /** Removes a key, and returns whether it was set. */
  delete(key: KeyOf): boolean {
    if (key === undefined) throw new TypeError('delete() needs a key. To end the session use destroy().');
    this.#draft.assertWritable();
    const present = this.has(key);
    if (present) this.#draft.record('data', (state) => delete state.data[key]);
    return present;
  }

  /** Removes a key, and returns its value: `get` and `delete` in one. */
  pop<K extends SessionKey>(key: KeyOf<K>): SessionData[K] | undefined {
    const value = this.get<K>(key);
    this.delete(key);
    return value;
  }

  /** Returns the keys that are set, sorted. */
  keys(): SessionKey[] {
    return Object.keys(this.#draft.state.data).sort() as SessionKey[];
  }

  /** Returns the keys that are set and their values, sorted by key. */
  entries(): { [K in SessionKey]: [key: K, value: SessionData[K]] }[SessionKey][] {
    return this.keys().map((key) => [key, this.get(key)]) as never;
  }

  /** Removes all keys. Login, flash messages and timeouts stay. */
  clear(): void {
    this.#draft.assertWritable();
    if (this.keys().length > 0) this.#draft.record('data', (state) => (state.data = {}));
  }

  /**
   * Adds a flash message, which is read once, in this request or a later one.
   * @throws SessionValueError when the message is not supported
   */
  flash<K extends FlashKind>(kind: K, message: FlashMessage<K>): void {
    addMessage(this.#draft, kind, message);
  }

  /** Removes and returns the flash messages of one kind, oldest first. */
  messages<K extends FlashKind>(kind: K): FlashMessage<K>[];
  /** Removes and returns all flash messages, oldest first. */
  messages(): { kind: FlashKind; message: FlashMessage }[];
  messages(kind?: FlashKind): unknown[] {
    const taken = takeMessages(this.#draft, kind);
    return taken.map(({ kind: its, message }) => (kind === undefined ? { kind: its, message } : message));
  }

  /**
   * Sets a value that cannot change any more: until `logout`, or for a visitor as long as the session lasts. Setting the same value again
   * does nothing.
   * @throws SessionError `SESSION_CONSTANT_FIXED` when it has another value; the commit throws it when a concurrent request was first.
   * SessionValueError when the value is not supported
   */
  setConstant<K extends SessionConstantKey>(key: K, value: SessionConstants[K]): this {
    const draft = this.#draft;
    const text = draft.values.encode(key, value);
    if (getOwn(draft.state.constants, key) !== text)
      draft.record('data', ({ constants }) => setConstant(constants, key, text));
    return this;
  }

  /** Returns a copy of a value set by {@link setConstant} or `login(principal, { constants })`. */
  constant<K extends SessionConstantKey>(key: K): SessionConstants[K] | undefined {
    const { state, settings } = this.#draft;
    const text = getOwn(state.constants, key) as string | undefined;
    return text === undefined ? undefined : (decodeValue(text, settings.codec) as SessionConstants[K]);
  }

  /**
   * Logs a principal in, with a new token and a new lifetime. The same write invalidates the old token (ASVS 7.2.4). When another
   * principal is logged in, that session ends and a new one begins.
   * @throws SessionError `PRINCIPAL_INVALID`; `SESSION_CONSTANT_FIXED` when the current login set a constant to another value
   */
  login(input: PrincipalInput, options: LoginOptions = {}): void {
    login(this.#draft, input, options);
  }

  /** Ends the login, and also the session unless `keepData` is set. Not an error without a login. */
  logout(options: LogoutOptions = {}): void {
    logout(this.#draft, options);
  }

  /**
   * Records a new authentication, such as a second factor or a repeated password. May change the roles. Renews the token.
   * @throws SessionError `PRINCIPAL_INVALID`, `SESSION_NOT_LOGGED_IN`
   */
  elevate(elevation: Elevation = {}): void {
    elevate(this.#draft, elevation);
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
    destroy(this.#draft);
  }

  /**
   * Forgets what this request has recorded since the last commit, a login and `destroy` included. Without it an exception undoes nothing.
   * @throws SessionError `SESSION_CONFLICT` while a commit is under way
   */
  rollback(): void {
    rollBack(this.#draft);
  }

  /** Sets whether the session survives a restart of the browser. Applies those timeouts from login or creation; an earlier deadline stays. */
  rememberMe(remember = true): void {
    setRemembered(this.#draft, remember);
  }

  /**
   * Merges the session of another token into this one, at commit: its values replace those of this session, and it ends. A visitor's
   * session gets the later deadline, a login keeps its own. A token that opens no session changes nothing. The commit fails with
   * `SESSION_MERGE_REFUSED` when another principal is logged in to that session.
   * @throws SessionError `SESSION_TOKEN_INVALID` when the text does not have the form of a token
   */
  merge(token: string): void {
    this.#draft.assertWritable();
    const message = 'merge() needs the token of another session: pass it as the client sent it.';
    if (!this.#draft.isToken(token)) throw new SessionError('SESSION_TOKEN_INVALID', message);
    this.#draft.merging.push(token);
  }

  /** The public id: safe in lists and logs, and no credential. It does not change with the token. */
  get id(): SessionId {
    return this.#draft.id;
  }

  /** Whether the session is not stored yet. */
  get isNew(): boolean {
    return this.#draft.base === null;
  }

  /** What the commit will do. */
  get status(): SessionStatus {
    this.#draft.noticeMutations();
    return this.#draft.status;
  }

  /** The logged-in principal, or `null`. */
  get principal(): Principal | null {
    return (this.#draft.rights ?? this.#draft.state).principal;
  }

  /** Whether the session survives a restart of the browser. */
  get remembered(): boolean {
    return this.#draft.state.remembered;
  }

  /** When the session was created: epoch milliseconds. */
  get createdAt(): number {
    return this.#draft.state.createdAt;
  }

  /** Time of the last `login` or `elevate`: epoch milliseconds, or `null` without a login. */
  get authenticatedAt(): number | null {
    return (this.#draft.rights ?? this.#draft.state).authenticatedAt;
  }

  /** Time of the last use by an earlier request, accurate to a tenth of the idle timeout: epoch milliseconds. */
  get lastSeenAt(): number {
    return this.#draft.state.lastSeenAt;
  }

  /** When the session ends unless another request uses it: epoch milliseconds. */
  get expiresAt(): number {
    const { state, settings, touches } = this.#draft;
    return expiryOf(state, touches ? settings.clock() : state.lastSeenAt);
  }

  /** When the session ends regardless of activity: epoch milliseconds. A value in the past ends the session at commit. */
  get deadline(): number {
    return this.#draft.state.deadline;
  }

  set deadline(at: number) {
    setDeadline(this.#draft, at);
  }

  /** Maximum time between two requests, in milliseconds; `null` for no limit before the deadline. */
  get idleTimeout(): number | null {
    return this.#draft.state.idleTimeout;
  }

  set idleTimeout(duration: number | null) {
    setIdleTimeout(this.#draft, duration);
  }

  /** Returns the public properties, without data and token. */
  toJSON(): object {
    const { id, isNew, principal, createdAt, expiresAt } = this;
    return { id, isNew, principal, createdAt, expiresAt };
  }

  #replaceToken(kind: 'renew' | 'rotate'): void {
    this.#draft.assertWritable();
    // A request with a secret from before the session got more rights must not get a token that has them.
    if (!this.isNew && this.#draft.rights === null) this.#draft.record(kind, () => {});
  }
}

refuseAssignments(Session.prototype);
