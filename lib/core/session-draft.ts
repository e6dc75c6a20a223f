import type { SessionCodec } from './session-codec';
import type { Timeouts } from './session-expiry';
import { getOwn, newState, setOwn, type SessionState } from './session-state';
import { decodeBody } from './session-body';
import { newSessionId, sameHash, type ParsedToken, type SessionId } from './session-token';
import { ObservedValues } from './observed-values';
import { SessionError } from './session.errors';
import type { Principal } from './principal';
import type { SessionEventReason, SessionEventType } from './session-event';
import type { SessionRecord } from './session-record';

/** A change, as something that can be done again to a fresher state of the same session. */
export type Operation = (state: SessionState) => void;

/** `unchanged`: nothing to write. `changed`: to be written. `destroyed`: ended for good, nothing may follow. */
export type SessionStatus = 'unchanged' | 'changed' | 'destroyed';

/** Something that will have happened once the commit has succeeded. */
export interface Announcement {
  readonly type: SessionEventType;
  readonly id: SessionId | null;
  readonly principal: Principal | null;
  readonly reason: SessionEventReason | null;
}

/** Another session whose data was taken over, as it was then. */
export interface Absorbed {
  readonly token: string;
  readonly record: SessionRecord;
}

/** What a draft needs to know of its surroundings. */
export interface DraftContext {
  readonly codec: SessionCodec;
  readonly clock: () => number;
  readonly timeouts: Timeouts;
  readonly rememberedTimeouts: Timeouts;
  /** The name of the instance; a token is good for one instance only. */
  readonly name: string;
  /** Whether a text has the form of this instance's tokens. */
  readonly isToken: (value: string) => boolean;
}

/** How many of the latest merges a session remembers. They matter for as long as two requests merge the same one at once. */
const MERGES_KNOWN = 8;

/** Whoever wants to be told before a session changes. */
export interface SessionWatcher {
  changing(): void;
}

/**
 * The page behind a `Session`: what the request found, and what it wants changed. The session writes on it,
 * the manager reads it at commit; nothing else sees it.
 */
export class SessionDraft {
  /** The record this request read or last wrote; `null` while the store knows nothing of the session. */
  base: SessionRecord | null = null;
  /** What opened the session, or was issued for it. */
  token: ParsedToken | null = null;
  /** What the request wants changed, in order; replayed when somebody else wrote first. */
  readonly operations: Operation[] = [];
  /** How often the token was asked to change since the last commit. */
  renewals: number = 0;
  /** Whether what the client sent opens nothing any more. */
  discard = false;
  /** Sessions of this client to be removed with this commit, before anything is written. */
  readonly ended: SessionId[] = [];
  /** Sessions whose data this one has taken over, to be removed once it is written. */
  readonly absorbed: Absorbed[] = [];
  /** Tokens of sessions whose data is to be taken over. */
  readonly merging: string[] = [];
  readonly announcements: Announcement[] = [];
  destroyed = false;
  /** Somebody else ended or took over this session meanwhile; nothing of this request is written. */
  superseded = false;
  /** Set when the response has begun: from then on nothing may change. */
  sealed = false;
  watcher: SessionWatcher | null = null;
  /** What the application holds of the data. */
  readonly values: ObservedValues;
  /** One more each time the draft goes on as another session: a write that began before says nothing about what it is now. */
  lineage = 0;

  #state: SessionState | undefined;
  #id: SessionId | undefined;
  #login: Operation | undefined;
  #logout: Operation | undefined;
  #telling: Operation | undefined;

  constructor(readonly context: DraftContext) {
    this.values = new ObservedValues(context.codec);
  }

  /** What the session consists of now: what was found, or a visitor's beginnings, with this request's changes. */
  get state(): SessionState {
    return (this.#state ??= newState(this.context.clock(), this.context.timeouts));
  }

  set state(state: SessionState) {
    this.#state = state;
  }

  /** The session's public name; chosen when it is first asked for. */
  get id(): SessionId {
    return this.base?.id ?? (this.#id ??= newSessionId());
  }

  get status(): SessionStatus {
    if (this.destroyed) return 'destroyed';
    return this.operations.length > 0 || this.renewals > 0 || this.merging.length > 0
      ? 'changed'
      : 'unchanged';
  }

  /** Whether the operation recorded last when this was set, a login, is still to be written: a right of its own, not one lent by the token. */
  get loggingIn(): boolean {
    return this.#login !== undefined && this.operations.includes(this.#login);
  }

  set loggingIn(value: boolean) {
    this.#login = value ? this.operations.at(-1) : undefined;
  }

  /** Whether this request, a logout that keeps the data, ends the login of this record. */
  leaves({ principal }: SessionRecord): boolean {
    const isPending = this.#logout !== undefined && this.operations.includes(this.#logout);
    return isPending && principal !== null && principal === this.base?.principal;
  }

  /** Set after the operation of a logout that keeps the data. */
  set loggingOut(value: boolean) {
    this.#logout = value ? this.operations.at(-1) : undefined;
  }

  /** Whether the operation recorded last when this was set tells the client something although its token stays: to outlive the browser, say. */
  get reissue(): boolean {
    return this.#telling !== undefined && this.operations.includes(this.#telling);
  }

  set reissue(value: boolean) {
    this.#telling = value ? this.operations.at(-1) : undefined;
  }

  /** Takes the record as what the session is, and does what the request did once more on top of it. */
  adopt(record: SessionRecord): void {
    const state = decodeBody(record.body, this.context.codec);
    // An operation that fails this time leaves the page as it was, and nothing is written by half.
    for (const operation of this.operations) operation(state);
    this.state = state;
    this.base = record;
  }

  /** Does a change now and remembers it. */
  record(operation: Operation): void {
    this.assertWritable();
    operation(this.state);
    this.operations.push(operation);
  }

  /**
   * Comes ahead of every change.
   * @throws SessionError `SESSION_DESTROYED` or `SESSION_RESPONSE_STARTED`
   */
  assertWritable(): void {
    if (this.destroyed) {
      throw new SessionError(
        'SESSION_DESTROYED',
        'The session was destroyed in this request and cannot change any more. Use logout() to begin anew.',
      );
    }
    if (this.sealed) {
      throw new SessionError(
        'SESSION_RESPONSE_STARTED',
        'The response has begun, so the session cannot change any more. Change it before the first byte is sent.',
      );
    }
    this.watcher?.changing();
  }

  /** Ends the session and goes on with an empty one: what is recorded from here on belongs to the next. */
  retire(reason: SessionEventReason): void {
    if (this.base !== null) {
      this.ended.push(this.base.id);
      this.announce('destroyed', reason);
      this.discard = true;
      this.superseded = false;
    }
    this.abandon();
  }

  /** Goes back to a client without a session. */
  abandon(): void {
    this.state = newState(this.context.clock(), this.context.timeouts);
    this.#detach();
    this.forgetLogins();
    this.#forgetChanges();
  }

  /** After {@link supersede}: whoever logs in needs no right to what was lost. */
  startOver(): void {
    this.superseded = false;
    // What was recorded before anything was lost is this request's own.
    if (this.base !== null) this.abandon();
  }

  /** Goes on as a new session beside the old record: with what this request found there, or with its own changes only. */
  fork(keepState: boolean): void {
    this.#detach();
    this.superseded = false;
    if (keepState) return;
    this.state = newState(this.context.clock(), this.context.timeouts);
    for (const operation of this.operations) operation(this.state);
  }

  /** A new session goes on under another name. */
  rename(): void {
    this.#id = undefined;
  }

  /** Gives up every change: the session was ended or taken over by somebody else. */
  supersede(): void {
    this.superseded = true;
    this.#forgetChanges();
    this.announcements.length = 0;
    this.announce('rejected', 'superseded');
  }

  /** Whether the client's token opens this record. */
  opens(record: SessionRecord): boolean {
    return this.token !== null && sameHash(record.secretHash, this.token.secretHash);
  }

  /** Takes over another session's data; that session ends once the data is written here. */
  absorb(token: string, record: SessionRecord): void {
    const { codec } = this.context;
    const { deadline } = decodeBody(record.body, codec);
    this.record((state) => {
      const { id, version } = record;
      // Another request has been here, with the same or with more.
      if ((state.merged[id] ?? 0) >= version) return;
      const merges: [string, number][] = [...Object.entries(state.merged), [id, version]];
      state.merged = Object.fromEntries(merges.slice(-MERGES_KNOWN));
      // Read anew each time: an operation after this one may change the values in place.
      for (const [key, value] of Object.entries(decodeBody(record.body, codec).data))
        setOwn(state.data, key, value);
      state.deadline = Math.max(state.deadline, deadline);
    });
    this.reissue = true;
    this.absorbed.push({ token, record });
  }

  /** To be told once the commit has succeeded. A login is told under the name the session has then. */
  announce(type: SessionEventType, reason: SessionEventReason | null = null): void {
    this.announcements.push({
      type,
      id: type === 'loggedIn' ? null : this.id,
      principal: this.state.principal,
      reason,
    });
  }

  /** To be told of a session that is, or was, not this one. */
  announceEnd({ id, body }: SessionRecord, reason: SessionEventReason): void {
    const { principal } = decodeBody(body, this.context.codec);
    this.announcements.push({ type: 'destroyed', id, principal, reason });
  }

  /** A login that never came about is not told. */
  forgetLogins(): void {
    const told = this.announcements.filter(({ type }) => type !== 'loggedIn');
    this.announcements.splice(0, Infinity, ...told);
  }

  #detach(): void {
    this.base = null;
    this.token = null;
    this.#id = undefined;
    this.lineage++;
  }

  #forgetChanges(): void {
    this.operations.length = 0;
    this.merging.length = 0;
    this.absorbed.length = 0;
    this.renewals = 0;
    this.values.clear();
  }

  /**
   * Sets a key, unless it has that value already.
   * @throws SessionValueError when the value cannot be kept
   */
  put(key: string, value: unknown): void {
    const { data } = this.state;
    const current = getOwn(data, key);
    const known = this.values.textOf(key, current);
    const text = this.values.accept(key, value);
    if (text === null) {
      const same = Object.hasOwn(data, key) && Object.is(current, value);
      if (!same) this.record((state) => setOwn(state.data, key, value));
      return;
    }
    setOwn(data, key, value);
    if (text !== known) this.#recordPut(key, value as object, text);
  }

  /** Records what was changed in place since it was handed out. */
  noticeMutations(): void {
    for (const key of this.values.keys()) this.noticeMutation(key);
  }

  /** The same for one key. What cannot be kept any more is for the commit to refuse. */
  noticeMutation(key: string): void {
    const changed = this.values.changed(key, getOwn(this.state.data, key));
    if (changed !== null) this.#recordPut(key, changed.value, changed.text);
  }

  /**
   * Remembers an object that stands in the state already. When it is done again, the object may look different, because an
   * `update` has come after it or the application went on with it: then a copy of what it was takes its place.
   */
  #recordPut(key: string, value: object, text: string | null): void {
    this.operations.push((state) => {
      setOwn(state.data, key, text === null ? value : this.values.asItWas(value, text));
    });
  }

  /** After a successful write: the operations it contained are done, whatever came in meanwhile is not. */
  settle(
    record: SessionRecord,
    token: ParsedToken | null,
    written: { operations: number; renewals: number },
  ): void {
    this.base = record;
    this.token = token;
    this.operations.splice(0, written.operations);
    this.renewals -= written.renewals;
    this.discard = false;
    this.superseded = false;
  }
}
