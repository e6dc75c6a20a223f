import { elevate, login, logout, type Elevation, type LoginOptions, type LogoutOptions } from './login';
import type { Principal, PrincipalInput } from './principal';
import { randomText } from './random-text';
import { decodeValue } from './session-body';
import type {
  FlashKind,
  FlashMessage,
  SessionConstantKey,
  SessionConstants,
  SessionData,
  SessionKey,
} from './session-data';
import type { SessionDraft } from './session-draft';
import { expiryOf } from './session-expiry';
import type { SessionStatus } from './session-operation';
import { getOwn, setOwn, type FlashEntry } from './session-state';
import { SessionError, SessionValueError } from './session.errors';

/** The furthest that a `Date` reaches from 1970, in milliseconds. Every store can hold it. */
const LAST_INSTANT = 8.64e15;

let draftOfSession: (session: Session) => SessionDraft;

/** For the manager, which alone may read what a session remembered. Not exported from the package. */
export function draftOf(session: Session): SessionDraft {
  return draftOfSession(session);
}

/**
 * One client's state during one request. It remembers what the request wants changed and never acts: the manager
 * writes it, at most once, before the response begins. Every method is synchronous.
 *
 * Changing a session throws `SessionError` with code `SESSION_DESTROYED` after `destroy()` and
 * `SESSION_RESPONSE_STARTED` after the first byte of the response.
 */
export class Session {
  readonly #draft: SessionDraft;

  static {
    draftOfSession = (session) => session.#draft;
  }

  constructor(draft: SessionDraft) {
    this.#draft = draft;
  }

  /** The value of a key, or `undefined`. An object may be changed in place; that is noticed at commit. */
  get<K extends SessionKey>(key: K): SessionData[K] | undefined {
    const value = getOwn(this.#draft.state.data, key);
    if (typeof value === 'object' && value !== null) this.#draft.values.see(key, value);
    return value as SessionData[K] | undefined;
  }

  /**
   * Sets a key. Of two requests that set one key at once the later commit wins; use {@link update} where that loses something.
   * @throws SessionValueError when the value cannot be kept, naming where and why
   */
  set<K extends SessionKey>(key: K, value: SessionData[K]): this {
    this.#draft.assertWritable();
    this.#draft.put(key, value);
    return this;
  }

  /**
   * Sets a key to a function of what it was, and returns the new value. When a parallel request wrote first, the function runs
   * again on what that request left, so it must not have effects of its own; the value it is given is a copy it may change.
   * @throws SessionValueError when the result cannot be kept
   */
  update<K extends SessionKey>(
    key: K,
    change: (value: SessionData[K] | undefined) => SessionData[K],
  ): SessionData[K] {
    this.#draft.noticeMutation(key);
    this.#draft.record('data', (state) => {
      const before = this.#draft.values.copy(key, getOwn(state.data, key));
      const value = change(before as SessionData[K] | undefined);
      this.#draft.values.accept(key, value);
      setOwn(state.data, key, value);
    });
    return getOwn(this.#draft.state.data, key) as SessionData[K];
  }

  /** Whether the key is set, even to `undefined`. */
  has(key: SessionKey): boolean {
    return Object.hasOwn(this.#draft.state.data, key);
  }

  /** Removes a key, and says whether it was there. */
  delete(key: SessionKey): boolean {
    this.#draft.assertWritable();
    const present = this.has(key);
    if (present) this.#draft.record('data', (state) => delete state.data[key]);
    return present;
  }

  /** Takes a value out: `get` and `delete` in one. */
  pop<K extends SessionKey>(key: K): SessionData[K] | undefined {
    const value = this.get(key);
    this.delete(key);
    return value;
  }

  /** The keys that are set, sorted. */
  keys(): SessionKey[] {
    return Object.keys(this.#draft.state.data).sort() as SessionKey[];
  }

  /** The keys that are set and their values, sorted by key. */
  entries(): { [K in SessionKey]: [key: K, value: SessionData[K]] }[SessionKey][] {
    return this.keys().map((key) => [key, this.get(key)]) as never;
  }

  /** Removes all data. Login, messages and timeouts stay. */
  clear(): void {
    this.#draft.assertWritable();
    if (this.keys().length > 0) this.#draft.record('data', (state) => (state.data = {}));
  }

  /**
   * Leaves a message for whoever reads it next, in this request or a later one.
   * @throws SessionValueError when the message cannot be kept
   */
  flash<K extends FlashKind>(kind: K, message: FlashMessage<K>): void {
    const kept = this.#draft.values.copy(kind, message);
    this.#draft.values.encode(kind, kept);
    const entry: FlashEntry = { id: randomText(6), kind, message: kept };
    this.#draft.record('data', (state) => state.messages.push(entry));
  }

  /** Takes out the messages of one kind, oldest first. Each is read once. */
  messages<K extends FlashKind>(kind: K): FlashMessage<K>[];
  /** Takes out all messages, oldest first. Each is read once. */
  messages(): { kind: FlashKind; message: FlashMessage }[];
  messages(kind?: FlashKind): unknown[] {
    const read = this.#draft.state.messages.filter((entry) => kind === undefined || entry.kind === kind);
    if (read.length > 0) {
      const ids = new Set(read.map(({ id }) => id));
      this.#draft.record(
        'data',
        (state) => (state.messages = state.messages.filter(({ id }) => !ids.has(id))),
      );
    }
    return read.map((entry) =>
      kind === undefined ? { kind: entry.kind, message: entry.message } : entry.message,
    );
  }

  /** A value fixed by `login(principal, { constants })`. Nothing but the end of the login can change it; each call returns a fresh copy. */
  constant<K extends SessionConstantKey>(key: K): SessionConstants[K] | undefined {
    const text = getOwn(this.#draft.state.constants, key) as string | undefined;
    if (text === undefined) return undefined;
    return decodeValue(text, this.#draft.settings.codec) as SessionConstants[K];
  }

  /**
   * Makes this the session of a principal, with a new token and a new lifetime; the old token dies in the same write
   * (ASVS 7.2.4). A session of somebody else ends, and a new one takes its place.
   * @throws SessionError `PRINCIPAL_INVALID`; `SESSION_CONSTANT_FIXED` when a constant of this login has another value already
   */
  login(input: PrincipalInput, options: LoginOptions = {}): void {
    login(this.#draft, input, options);
  }

  /** Ends the login, and with it the session unless its data is to be kept. Harmless for a visitor who is not logged in. */
  logout(options: LogoutOptions = {}): void {
    logout(this.#draft, options);
  }

  /**
   * Notes a fresh proof of identity, such as a second factor or a password typed again, and changes roles, with a new token.
   * @throws SessionError `SESSION_NOT_LOGGED_IN`
   */
  elevate(elevation: Elevation = {}): void {
    elevate(this.#draft, elevation);
  }

  /**
   * Replaces the token and assumes that rights have changed in a way this library cannot see: the old token may end the session for a
   * minute, and opens nothing. `login`, `elevate` and `logout` do so by themselves. Does nothing for a session that is not stored yet.
   */
  renewToken(): void {
    this.#renew('renew');
  }

  /**
   * Replaces the token by one with the same rights. The old one still opens the session until the new one has been used, and 10 seconds
   * more, so that a page's other requests do not fail; used after that it is taken for a copy, and the session ends. The option
   * `rotateEvery` does so by itself. Does nothing for a session that is not stored yet.
   */
  rotateToken(): void {
    this.#renew('rotate');
  }

  /** Ends the session for good: it is removed, the client is told to forget it, and it cannot change any more. */
  destroy(): void {
    const draft = this.#draft;
    if (draft.destroyed) return;
    draft.assertWritable();
    draft.retire('destroy');
    draft.destroyed = true;
  }

  /**
   * Whether the session outlives the browser. Turning it on gives the instance's `rememberMe` timeouts, off the ordinary ones,
   * both counted from login or creation.
   */
  rememberMe(remember = true): void {
    const draft = this.#draft;
    const { timeouts, rememberedTimeouts } = draft.settings;
    const { lifetime, idleTimeout } = remember ? rememberedTimeouts : timeouts;
    draft.record('lifespan', (state) => {
      const deadline = state.startedAt + lifetime;
      Object.assign(state, { remembered: remember, deadline, idleTimeout });
    });
  }

  /**
   * Brings in the data of the session another token opens, at commit: its values replace this session's, the later
   * deadline is kept, and the other session ends. A token that opens nothing brings nothing.
   * @throws SessionError `SESSION_TOKEN_INVALID` when the text has not the form of a token
   */
  merge(token: string): void {
    const draft = this.#draft;
    draft.assertWritable();
    if (!draft.isToken(token))
      throw new SessionError(
        'SESSION_TOKEN_INVALID',
        'merge() needs the token of another session, as its client has it.',
      );
    draft.merging.push(token);
  }

  /** The public name: safe to show in lists and logs, good for nothing else. It stays when the token changes. */
  get id(): string {
    return this.#draft.id;
  }

  /** Whether the store knows nothing of this session yet. */
  get isNew(): boolean {
    return this.#draft.base === null;
  }

  /** What the commit will do. */
  get status(): SessionStatus {
    this.#draft.noticeMutations();
    return this.#draft.status;
  }

  /** Who is logged in, or `null`. */
  get principal(): Principal | null {
    return (this.#draft.rights ?? this.#draft.state).principal;
  }

  /** Whether the session outlives the browser. */
  get remembered(): boolean {
    return this.#draft.state.remembered;
  }

  /** Epoch milliseconds. */
  get createdAt(): number {
    return this.#draft.state.createdAt;
  }

  /** When the principal last proved who he is, by `login` or `elevate`: epoch milliseconds, or `null` for nobody. */
  get authenticatedAt(): number | null {
    return (this.#draft.rights ?? this.#draft.state).authenticatedAt;
  }

  /** When a request before this one last used the session, to a tenth of its idle timeout: epoch milliseconds. */
  get lastSeenAt(): number {
    return this.#draft.state.lastSeenAt;
  }

  /** When the session ends if no further request comes: epoch milliseconds. */
  get expiresAt(): number {
    return expiryOf(this.#draft.state, this.#draft.settings.clock());
  }

  /** When the session ends however busy it is: epoch milliseconds. Setting it to the past ends the session at commit. */
  get deadline(): number {
    return this.#draft.state.deadline;
  }

  set deadline(at: number) {
    if (!Number.isFinite(at) || Math.abs(at) > LAST_INSTANT)
      throw new SessionValueError('the deadline', 'it is not an instant in epoch milliseconds');
    this.#draft.record('lifespan', (state) => (state.deadline = Math.floor(at)));
  }

  /** How long this session may rest between requests, in milliseconds; `null` for as long as its deadline allows. */
  get idleTimeout(): number | null {
    return this.#draft.state.idleTimeout;
  }

  set idleTimeout(duration: number | null) {
    if (duration !== null && !(Number.isFinite(duration) && duration >= 1 && duration <= LAST_INSTANT)) {
      throw new SessionValueError('the idle timeout', 'it is neither a number of milliseconds nor null');
    }
    this.#draft.record(
      'data',
      (state) => (state.idleTimeout = duration === null ? null : Math.floor(duration)),
    );
  }

  /** What may be shown of a session: public facts, never data or a token. */
  toJSON(): object {
    const { id, isNew, principal, createdAt, expiresAt } = this;
    return { id, isNew, principal, createdAt, expiresAt };
  }

  #renew(kind: 'renew' | 'rotate'): void {
    this.#draft.assertWritable();
    // A secret from before the session was given more rights never gets one that has them.
    if (!this.isNew && this.#draft.rights === null) this.#draft.record(kind, () => {});
  }
}
