import { KEEP, type CommitOutcome } from './commit-outcome';
import { ObservedValues } from './observed-values';
import { leftOf, originOf, type Left, type Origin } from './draft-origin';
import type { Device } from './device';
import type { EndReason } from './ended-session';
import { NO_RIGHTS, ownerOf, type Rights } from './rights';
import { LONGEST_REQUEST, newHistory, strictestOf, type Replacement } from './secret-history';
import { openBody } from './checked-content';
import { decodeFacts } from './session-body';
import type { SessionEventReason } from './session-event';
import { lastSeenOf } from './session-expiry';
import { OF_LOGINS, PROOFS, announcedBy, unconfirmedOf } from './session-operation';
import type { Absorbed, Announcement, LoginNotes, Operation } from './session-operation';
import type { SessionStatus, SessionWatcher, Unconfirmed } from './session-operation';
import type { SessionRecord } from './session-record';
import type { SessionSettings } from './session-settings';
import { newState, type SessionState } from './session-state';
import { newSessionId, type ParsedToken, type SessionId } from './session-token';
import { retain } from './retain';
import { readOnly, responseStarted, sessionDestroyed } from './session.errors';

/** Another form of the data of a session, such as own properties of an object. It is looked at before the data is read, changed or written. */
export interface DataView {
  /** Records what was changed in it, and shows what was changed elsewhere. */
  pull(): void;
  /** Forgets what was changed in it. */
  reset(): void;
}

/** The state behind a `Session`: what the request found, and the operations that it recorded. The session writes it, the commit reads it. */
export class SessionDraft {
  /** The session's content now: what was found, or an empty session, with the changes of this request. */
  state!: SessionState;
  /** The record that this request last read or wrote; `null` while nothing is stored. */
  base: SessionRecord | null = null;
  /** The token that opened the session or was issued for it. */
  token: ParsedToken | null = null;
  /** The token that opened the session, unlike one that was issued in this request. */
  openedWith: ParsedToken | null = null;
  /** Whether the client has shown that token in this request: proof that it reached the client. A message of a socket has none. */
  isShown = true;
  /** The rights of the request if it has a secret from before the session got more; see {@link rights}. */
  lent: Rights | null = null;
  /** Whether the login waits for another proof, because the idle timeout was reached. */
  isLocked = false;
  /** Whether the successor of the request's secret never reached the client, so that the request gets a new token. */
  isUnanswered = false;
  /** A session that this request may only end, because its secret was replaced. */
  endable: SessionRecord | null = null;
  /** The changes of the request, in order. They are replayed when another request wrote first. */
  readonly operations: Operation[] = [];
  /** Whether the client must forget its token. */
  discard = false;
  /** Sessions of this client that the commit removes before it writes, as they were last read or written. */
  readonly ended: SessionRecord[] = [];
  /** What the draft was before its first change since the last write. */
  origin: Origin | null = null;
  /** A login that was written. Before the client is told, it is checked against revocations and the limit of sessions. */
  unconfirmed: Unconfirmed | null = null;
  /** Why the session of the request's token has ended; `null` when it has not, or the request has no token. */
  endedBecause: EndReason | null = null;
  /** Whether this is a session of another client, changed by the application: no token is needed, and none can be issued. */
  isAdministered = false;
  /** Whether such a change is for the login that was found, and not for a later one of the same principal. */
  isForLogin = false;
  /** The session that a login as another principal has ended, until that login is written. */
  left: Left | null = null;
  /** Sessions whose data this one has taken over, as they were read. The commit ends them after it has written. */
  readonly absorbed: Absorbed[] = [];
  /** Tokens of sessions whose data this one takes over at the commit. */
  readonly merging: string[] = [];
  readonly announcements: Announcement[] = [];
  destroyed = false;
  /** Whether another request ended or took over the session, so that nothing of this request is written. */
  superseded = false;
  /** Whether the response has begun, so that nothing may change. */
  sealed = false;
  /** Why nothing may change, in a unit of work that never commits, and what to do instead. */
  readOnly: string | null = null;
  /** Whether the request counts as a use of the session, after which its idle timeout begins anew. */
  touches = true;
  /** Whether the request has other tokens too, so that a replaced one does not mean that it was copied. */
  isDoubtful = false;
  /** Time of the last use that this request has written. The state keeps that of the requests before. */
  notedAt = -Infinity;
  /** Number of commits under way. */
  commits = 0;
  watcher: SessionWatcher | null = null;
  view: DataView | null = null;
  /** Describes the client, at a login. */
  device: () => Device | null = () => null;
  /** The outcome of a commit that found nothing to write, until something changes. */
  settled: CommitOutcome | null = null;
  /** What the client must do after a write that succeeded, while the rest of its commit has not. */
  untold: CommitOutcome = KEEP;
  /** Incremented when the draft continues as another session. An earlier write then does not apply to it. */
  lineage = 0;
  #values: ObservedValues | undefined;
  /** Keys whose stored value was dropped, because its schema refuses it. */
  #dropped: Set<string> | undefined;
  #id: SessionId | undefined;

  /**
   * @param isToken whether a text has the form of this instance's tokens
   * @param arrivedAt time of the request's arrival, in epoch milliseconds
   */
  constructor(
    readonly settings: SessionSettings,
    readonly isToken: (value: string) => boolean,
    private readonly arrivedAt = settings.clock(),
  ) {}

  /** The rights of the request if they differ from those of the session. */
  get rights(): Rights | null {
    const lent = this.isLocked ? NO_RIGHTS : this.lent;
    return lent !== null && this.operations.some(({ kind }) => PROOFS.includes(kind)) ? null : lent;
  }

  get values(): ObservedValues {
    return (this.#values ??= new ObservedValues(this.settings.codec, this.settings.schemas));
  }

  get id(): SessionId {
    return this.base?.id ?? (this.#id ??= newSessionId());
  }

  get status(): SessionStatus {
    if (this.destroyed) return 'destroyed';
    return this.operations.length > 0 || this.merging.length > 0 ? 'changed' : 'unchanged';
  }

  /** The strictest recorded change of the secret, or `null`. */
  get replacement(): Replacement | null {
    return strictestOf(this.operations);
  }

  /** Whether a login of this request is not written yet. */
  get isLoggingIn(): boolean {
    return this.operations.findLast(({ kind }) => kind === 'login' || kind === 'logout')?.kind === 'login';
  }

  has(kind: Operation['kind']): boolean {
    return this.operations.some((operation) => operation.kind === kind);
  }

  /** The time at which expiry is judged: the request's arrival; the present if it takes longer than {@link LONGEST_REQUEST}. */
  now(at = this.settings.clock()): number {
    return at - this.arrivedAt < LONGEST_REQUEST ? Math.min(at, this.arrivedAt) : at;
  }

  /** Sets the record that was found. Its content stays encoded. */
  load(record: SessionRecord, token: ParsedToken): void {
    this.state = decodeFacts(record.body);
    this.base = record;
    this.token = this.openedWith = token;
  }

  /** Sets the state of a client without a session. */
  begin(at = this.arrivedAt): void {
    this.state = newState(at, this.settings.timeouts);
  }

  /** Replays the operations on a record. When one fails, the draft stays as it was. */
  adopt(record: SessionRecord, operations: readonly Operation[] = this.operations): void {
    const state = openBody(record.body, this.settings, this);
    state.lastSeenAt = lastSeenOf(state, record.expiresAt, state.lastSeenAt);
    for (const { apply } of operations) apply(state);
    this.state = state;
    this.base = record;
  }

  /** Applies a change and records it. */
  record(kind: Operation['kind'], apply: Operation['apply'], login: LoginNotes = {}): void {
    this.assertWritable();
    const { data } = this.state;
    apply(this.state);
    this.add({ kind, apply, ...login });
    // The view has objects of the former data, which may be that of another principal.
    if (this.state.data !== data) this.view?.reset();
  }

  /** Records a change that is applied already; `null` for none. */
  add(operation: Operation | null): void {
    if (operation === null) return;
    this.settled = null;
    this.operations.push(operation);
  }

  /** Forgets operations of these kinds. Their effect on the state ends with the next {@link adopt}. */
  drop(...kinds: readonly Operation['kind'][]): void {
    retain(this.operations, ({ kind }) => !kinds.includes(kind));
  }

  /** Called before each change. Throws SessionError `SESSION_DESTROYED`, `SESSION_READ_ONLY` or `SESSION_RESPONSE_STARTED`. */
  assertWritable(): void {
    if (this.destroyed) throw sessionDestroyed();
    if (this.readOnly !== null) throw readOnly(this.readOnly);
    if (this.sealed) throw responseStarted();
    this.origin ??= originOf(this);
    this.settled = null;
    this.watcher?.changing();
  }

  /** Ends the session and continues with an empty one. */
  retire(reason: SessionEventReason): void {
    const { base } = this;
    const ending = base ?? (reason === 'login' ? null : this.endable);
    if (reason !== 'login') this.left = null;
    else if (base !== null) this.left = leftOf(this, base);
    if (ending !== null) {
      this.ended.push(ending);
      this.announceEnd(ending, reason);
      this.discard = true;
      this.superseded = false;
    }
    this.abandon();
  }

  /** Continues with an empty session, without any changes. */
  abandon(): void {
    this.begin(this.settings.clock());
    this.#detach();
    this.forgetLogins();
    this.forgetChanges();
  }

  /** Continues as a new session, which no former secret opens: with the state that this request found, or with its own changes only. */
  fork(keepState: boolean): void {
    this.#detach();
    this.superseded = false;
    if (this.origin !== null) this.origin = { ...this.origin, superseded: true };
    if (!keepState) return this.restart();
    this.state.secrets = newHistory(this.settings.clock());
  }

  /** Begins an empty session with the changes of this request. */
  restart(): void {
    this.begin(this.settings.clock());
    for (const { apply } of this.operations) apply(this.state);
  }

  /** Gives a new session another id. */
  rename(): void {
    this.#id = undefined;
  }

  /** Drops all changes, because another request ended or took over the session. */
  supersede(): void {
    this.superseded = true;
    if (this.origin !== null) this.origin = { ...this.origin, superseded: true };
    this.forgetChanges();
    const event = { type: 'rejected', id: this.id, reason: 'superseded' } as const;
    this.announcements.splice(0, Infinity, { ...event, principal: ownerOf(this.state) });
  }

  /** Adds the event of the end of another session. */
  announceEnd({ id, principal }: Pick<SessionRecord, 'id' | 'principal'>, reason: SessionEventReason): void {
    this.announcements.push({ type: 'destroyed', id, principal, reason });
  }

  /** Reports a stored value that was dropped, once for each request. */
  dropped(key: string): void {
    this.#dropped ??= new Set();
    if (this.#dropped.has(key)) return;
    this.#dropped.add(key);
    const event = { type: 'rejected', reason: 'schema', id: this.id } as const;
    this.settings.emit({ ...event, principal: ownerOf(this.state) });
  }

  forgetLogins(): void {
    retain(this.announcements, ({ type }) => !OF_LOGINS.includes(type));
  }

  /** Records objects that were changed in place, and what was changed in the view. */
  noticeMutations(): void {
    this.view?.pull();
    if (this.#values !== undefined) for (const key of this.#values.keys()) this.noticeMutation(key);
  }

  noticeMutation(key: string): void {
    this.add(this.values.mutation(this.state.data, key));
  }

  /** Removes the operations of a successful write. Those recorded meanwhile stay. */
  settle(record: SessionRecord, token: ParsedToken | null, done: readonly Operation[]): void {
    this.base = record;
    this.token = token;
    this.unconfirmed = unconfirmedOf(done, this.settings.logins.limit !== null) ?? this.unconfirmed;
    if (done.some(({ kind }) => PROOFS.includes(kind))) Object.assign(this, { lent: null, isLocked: false });
    retain(this.operations, (operation) => !done.includes(operation));
    this.announcements.push(...announcedBy(done));
    this.discard = this.superseded = false;
    this.left = this.settled = this.origin = null;
  }

  /** Goes on from a record, or from nothing, with the operations that are left. */
  resume(base: SessionRecord | null): void {
    this.lineage++;
    this.origin = this.settled = null;
    this.#values = undefined;
    if (base !== null) {
      this.adopt(base);
      return this.view?.reset();
    }
    this.base = null;
    this.#id = undefined;
    this.begin();
    this.view?.reset();
  }

  #detach(): void {
    Object.assign(this, { base: null, token: null, lent: null, isUnanswered: false, endable: null });
    Object.assign(this, { isLocked: false, unconfirmed: null });
    this.#id = undefined;
    this.lineage++;
  }

  forgetChanges(): void {
    this.operations.length = this.merging.length = this.absorbed.length = 0;
    this.#values = undefined;
    this.settled = null;
    this.view?.reset();
  }
}
