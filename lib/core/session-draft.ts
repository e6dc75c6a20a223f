import type { SessionCodec } from './session-codec';
import type { Timeouts } from './session-expiry';
import { decodeBody, getOwn, newState, setOwn, type SessionState } from './session-state';
import { newSessionId, sameHash, type ParsedToken, type SessionId } from './session-token';
import { SessionError, SessionTooLargeError, SessionValueError } from './session.errors';
import { UnsupportedValue } from './session-codec';
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

/** What a draft needs to know of its surroundings. */
export interface DraftContext {
  readonly codec: SessionCodec;
  readonly clock: () => number;
  readonly timeouts: Timeouts;
  readonly rememberedTimeouts: Timeouts;
  /** The name of the instance; a token is good for one instance only. */
  readonly name: string;
}

/**
 * The page behind a `Session`: what the request found, and what it wants changed. The session writes on it,
 * the manager reads it at commit; nothing else sees it.
 */
export class SessionDraft {
  state: SessionState;
  /** The record this request read or last wrote; `null` while the store knows nothing of the session. */
  base: SessionRecord | null = null;
  /** What opened the session, or was issued for it. */
  token: ParsedToken | null = null;
  /** What the request wants changed, in order; replayed when somebody else wrote first. */
  readonly operations: Operation[] = [];
  /** How often the token was asked to change since the last commit. */
  renewals: number = 0;
  /** Whether a login is among the operations: a right of its own, not one lent by the token. */
  loggingIn = false;
  /** Whether the client must be told something even though its token stays (a cookie that should outlive the browser, say). */
  reissue = false;
  /** Whether what the client sent opens nothing any more. */
  discard = false;
  /** Sessions to be removed with this commit. */
  readonly ended: SessionId[] = [];
  readonly merging: ParsedToken[] = [];
  readonly announcements: Announcement[] = [];
  destroyed = false;
  /** Somebody else ended or took over this session meanwhile; nothing of this request is written. */
  superseded = false;
  /** Set when the response has begun: from then on nothing may change. */
  sealed = false;

  #id: SessionId | undefined;
  /** Objects that application code holds, each with the text it had: an object may be changed in place. */
  readonly #watched = new Map<string, { readonly value: object; text: string }>();

  constructor(readonly context: DraftContext) {
    this.state = newState(context.clock(), context.timeouts);
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

  /** Takes the record as what the session is, and does what the request did once more on top of it. */
  adopt(record: SessionRecord): void {
    this.state = decodeBody(record.body, this.context.codec);
    this.base = record;
    for (const operation of this.operations) operation(this.state);
  }

  /** Does a change now and remembers it. */
  record(operation: Operation): void {
    this.assertWritable();
    operation(this.state);
    this.operations.push(operation);
  }

  /** @throws SessionError `SESSION_DESTROYED` or `SESSION_RESPONSE_STARTED` */
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
  }

  /** Ends the session and goes on with an empty one: what is recorded from here on belongs to the next. */
  retire(reason: SessionEventReason): void {
    if (this.base !== null) {
      this.ended.push(this.base.id);
      this.announce('destroyed', reason);
      this.discard = true;
    }
    this.abandon();
  }

  /** Goes back to a client without a session. */
  abandon(): void {
    this.state = newState(this.context.clock(), this.context.timeouts);
    this.#detach();
    this.operations.length = 0;
    this.merging.length = 0;
    this.renewals = 0;
    this.loggingIn = false;
    this.reissue = false;
    this.#watched.clear();
  }

  /** Goes on as a new session beside the old record: with what this request found there, or with its own changes only. */
  fork(keepState: boolean): void {
    this.#detach();
    if (keepState) return;
    this.state = newState(this.context.clock(), this.context.timeouts);
    for (const operation of this.operations) operation(this.state);
  }

  /** Gives up every change: the session was ended or taken over by somebody else. */
  supersede(): void {
    this.superseded = true;
    this.announcements.length = 0;
    this.announce('rejected', 'superseded');
  }

  /** Whether the client's token opens this record. */
  opens(record: SessionRecord): boolean {
    return this.token !== null && sameHash(record.secretHash, this.token.secretHash);
  }

  /** Takes over another session's data; that session ends. */
  absorb(id: SessionId, other: SessionState): void {
    this.operations.push((state) => {
      for (const [key, value] of Object.entries(other.data)) setOwn(state.data, key, value);
      state.deadline = Math.max(state.deadline, other.deadline);
    });
    this.operations.at(-1)!(this.state);
    this.ended.push(id);
    this.announcements.push({ type: 'destroyed', id, principal: other.principal, reason: 'merge' });
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

  #detach(): void {
    this.base = null;
    this.token = null;
    this.#id = undefined;
  }

  /** Notes what an object looks like when it is handed out, to tell later whether it was changed in place. */
  watch(key: string, value: object): void {
    if (this.#watched.get(key)?.value !== value)
      this.#watched.set(key, { value, text: this.encode(key, value) });
  }

  /** Makes sure that a value can be kept, and takes what it looks like now as known. */
  accept(key: string, value: unknown): void {
    if (typeof value === 'object' && value !== null)
      this.#watched.set(key, { value, text: this.encode(key, value) });
    else if (typeof value === 'function' || typeof value === 'symbol') this.encode(key, value);
  }

  /** Records what was changed in place since it was handed out. */
  noticeMutations(): void {
    for (const [key, watched] of this.#watched) {
      if (getOwn(this.state.data, key) !== watched.value) continue;
      const text = this.encode(key, watched.value);
      if (text === watched.text) continue;
      watched.text = text;
      const { value } = watched;
      this.operations.push((state) => setOwn(state.data, key, value));
    }
  }

  /** @throws SessionValueError naming the key */
  encode(key: string, value: unknown): string {
    try {
      return this.context.codec.encode(value);
    } catch (error) {
      if (error instanceof UnsupportedValue)
        throw new SessionValueError(`'${key}'${error.path}`, error.reason);
      throw new SessionValueError(`'${key}'`, 'the codec refused it');
    }
  }

  /** The refusal for a body over the limit, which names the largest part. */
  tooLarge(size: number, limit: number): SessionTooLargeError {
    const parts = Object.entries(this.state.data).map(([key, value]) => ({
      name: `'${key}'`,
      size: this.encode(key, value).length,
    }));
    if (this.state.messages.length > 0)
      parts.push({ name: 'its flash messages', size: this.encode('messages', this.state.messages).length });
    const largest = parts.reduce((a, b) => (b.size > a.size ? b : a), { name: 'its constants', size: 0 });
    return new SessionTooLargeError(largest.name, size, limit);
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
    this.loggingIn &&= this.renewals > 0;
    this.discard = false;
    this.reissue = false;
  }
}
