import { KEEP, type CommitOutcome } from './commit-outcome';
import { ObservedValues } from './observed-values';
import { principalKey } from './principal';
import { hasRoom, LONGEST_REQUEST, type FormerRights, type Replacement } from './secret-history';
import { decodeBody, decodeFacts } from './session-body';
import type { SessionEventReason, SessionEventType } from './session-event';
import { strictestOf, type Announcement, type Operation, type SessionStatus } from './session-operation';
import type { SessionRecord } from './session-record';
import type { SessionSettings } from './session-settings';
import { newState, type SessionState } from './session-state';
import { newSessionId, sameHash, type ParsedToken, type SessionId } from './session-token';
import { SessionError } from './session.errors';

/** What gives a request rights of its own, or takes them. */
const PROOFS: readonly Operation['kind'][] = ['login', 'logout', 'elevate'];

/** Another session whose data was taken over, as it was then. */
export interface Absorbed {
  readonly token: string;
  readonly record: SessionRecord;
}

/** A session as this request had it before it logged in as another principal. */
interface Left {
  readonly base: SessionRecord;
  readonly token: ParsedToken | null;
  readonly lent: FormerRights | null;
  readonly operations: readonly Operation[];
}

/** Is told before a session changes. */
export interface SessionWatcher {
  changing(): void;
}

/**
 * What stands behind a `Session`: what the request found, and the operations that it recorded. The session writes to it, the commit
 * reads it; nothing else sees it.
 */
export class SessionDraft {
  /** The record this request read or last wrote; `null` while nothing is stored of the session. */
  base: SessionRecord | null = null;
  /** What opened the session, or was issued for it. */
  token: ParsedToken | null = null;
  /** What the request came with. It shows that this secret has reached its client, as one that was issued meanwhile does not. */
  openedWith: ParsedToken | null = null;
  /** The rights of a request that came with a secret from before its session was given more. */
  lent: FormerRights | null = null;
  /** Whether the request came with a secret whose successor never reached its client: it is to be given a new one. */
  isUnanswered = false;
  /** A session that this request may end, and nothing else: it came with a secret that was just replaced. */
  endable: Pick<SessionRecord, 'id' | 'principal'> | null = null;
  /** What the request changes, in order; replayed when another request wrote first. */
  readonly operations: Operation[] = [];
  /** Whether the client is to forget its token. */
  discard = false;
  /** Sessions of this client to be removed with this commit, before anything is written. */
  readonly ended: SessionId[] = [];
  /** The session of another principal that a login of this request has ended, for as long as that is not written. */
  left: Left | null = null;
  /** Sessions whose data this one has taken over, to be removed once it is written. */
  readonly absorbed: Absorbed[] = [];
  /** Tokens of sessions whose data is to be taken over. */
  readonly merging: string[] = [];
  readonly announcements: Announcement[] = [];
  destroyed = false;
  /** Another request ended or took over this session meanwhile; nothing of this request is written. */
  superseded = false;
  /** Set when the response has begun: from then on nothing may change. */
  sealed = false;
  watcher: SessionWatcher | null = null;
  /** The outcome of a commit that found nothing to write, while nothing has changed since. */
  settled: CommitOutcome | null = null;
  /** What the client must do after a write that succeeded, while the rest of its commit has not. */
  untold: CommitOutcome = KEEP;
  /** One more each time the draft goes on as another session: a write that began before says nothing about what it is now. */
  lineage = 0;
  readonly #arrivedAt: number;
  #values: ObservedValues | undefined;
  #state: SessionState | undefined;
  #id: SessionId | undefined;

  /**
   * @param isToken whether a text has the form of this instance's tokens
   * @param arrivedAt when the request came in; by default now
   */
  constructor(
    readonly settings: SessionSettings,
    readonly isToken: (value: string) => boolean,
    arrivedAt = settings.clock(),
  ) {
    this.#arrivedAt = arrivedAt;
  }

  /** What the request may do where that differs from what the session may: until it proves more by itself. */
  get rights(): FormerRights | null {
    return this.lent !== null && this.operations.some(({ kind }) => PROOFS.includes(kind)) ? null : this.lent;
  }

  /** The objects that the application holds of the data. */
  get values(): ObservedValues {
    return (this.#values ??= new ObservedValues(this.settings.codec));
  }

  /** What the session consists of now: what was found, or a visitor's beginnings, with this request's changes. */
  get state(): SessionState {
    return (this.#state ??= newState(this.#arrivedAt, this.settings.timeouts));
  }

  set state(state: SessionState) {
    this.#state = state;
  }

  /** The session's public id; chosen when it is first asked for. */
  get id(): SessionId {
    return this.base?.id ?? (this.#id ??= newSessionId());
  }

  get status(): SessionStatus {
    if (this.destroyed) return 'destroyed';
    return this.operations.length > 0 || this.merging.length > 0 ? 'changed' : 'unchanged';
  }

  /** The strictest change of the secret that is still to be written, or `null`. */
  get replacement(): Replacement | null {
    return strictestOf(this.operations);
  }

  /** Whether a principal proved who it is in this very request, and that is still to be written. */
  get isLoggingIn(): boolean {
    return this.operations.findLast(({ kind }) => kind === 'login' || kind === 'logout')?.kind === 'login';
  }

  has(kind: Operation['kind']): boolean {
    return this.operations.some((operation) => operation.kind === kind);
  }

  /** Whether this request, a logout that keeps the data, ends the login of this record. */
  leaves({ principal }: SessionRecord): boolean {
    return this.has('logout') && principal !== null && principal === this.base?.principal;
  }

  /**
   * The instant at which ends are judged: a session alive when its request arrived stays alive for it, however long it takes within
   * reason.
   */
  now(): number {
    const now = this.settings.clock();
    return now - this.#arrivedAt < LONGEST_REQUEST ? Math.min(now, this.#arrivedAt) : now;
  }

  /** Takes the record as what the session is. Its content stays encoded until {@link decode}. */
  load(record: SessionRecord, token: ParsedToken): void {
    this.state = decodeFacts(record.body);
    this.base = record;
    this.token = this.openedWith = token;
  }

  /** Takes the record as what the session is, and does what the request did once more on top of it. */
  adopt(record: SessionRecord): void {
    const state = decodeBody(record.body, this.settings.codec);
    // An operation that fails this time leaves the draft as it was, and nothing is written by half.
    for (const { apply } of this.operations) apply(state);
    this.state = state;
    this.base = record;
  }

  /** Forgets a rotation that its client has no use for: the token it came with was rotated before, or too many are in use. */
  dropVainRotation(): void {
    const { base, token, isUnanswered, state } = this;
    if (base === null || token === null || isUnanswered || !this.has('rotate')) return;
    if (!sameHash(token.secretHash, base.secretHash) || !hasRoom(state.secrets, this.settings.clock()))
      this.drop('rotate');
  }

  /** Applies a change and records it. */
  record(kind: Operation['kind'], apply: Operation['apply']): void {
    this.assertWritable();
    apply(this.state);
    this.add({ kind, apply });
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
    this.settled = null;
    this.watcher?.changing();
  }

  /** Ends the session and goes on with an empty one: what is recorded from here on belongs to the next. */
  retire(reason: SessionEventReason): void {
    const ending = this.base ?? (reason === 'login' ? null : this.endable);
    if (ending !== null) {
      this.ended.push(ending.id);
      this.announceEnd(ending, reason);
      this.discard = true;
      this.superseded = false;
    }
    const { base, token, lent, operations } = this;
    if (reason !== 'login') this.left = null;
    else if (base !== null) this.left = { base, token, lent, operations: [...operations] };
    this.abandon();
  }

  /** Goes back to a client without a session. */
  abandon(): void {
    this.state = newState(this.settings.clock(), this.settings.timeouts);
    this.#detach();
    this.forgetLogins();
    this.#forgetChanges();
  }

  /** After {@link supersede}: a login needs no right to what was lost. */
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
    this.state = newState(this.settings.clock(), this.settings.timeouts);
    for (const { apply } of this.operations) apply(this.state);
  }

  /** A new session goes on under another id. */
  rename(): void {
    this.#id = undefined;
  }

  /** Gives up every change: another request ended or took over the session. */
  supersede(): void {
    this.superseded = true;
    this.#forgetChanges();
    this.announcements.length = 0;
    this.announce('rejected', 'superseded');
  }

  /** Takes back a login that has ended another principal's session, before that was written. What was recorded since goes with it. */
  returnTo({ base, token, lent, operations }: Left): void {
    this.#forgetChanges();
    this.announcements.length = 0;
    retain(this.ended, (id) => id !== base.id);
    this.discard = false;
    this.left = null;
    Object.assign(this, { token, lent });
    this.operations.push(...operations);
    this.adopt(base);
  }

  /** To be emitted once the commit has succeeded. A login is told under the id the session has then. */
  announce(type: SessionEventType, reason: SessionEventReason | null = null): void {
    const { principal } = this.state;
    this.announcements.push({
      type,
      id: type === 'loggedIn' ? null : this.id,
      principal: principal && principalKey(principal),
      reason,
    });
  }

  /** To be emitted for a session that is, or was, not this one. */
  announceEnd({ id, principal }: Pick<SessionRecord, 'id' | 'principal'>, reason: SessionEventReason): void {
    this.announcements.push({ type: 'destroyed', id, principal, reason });
  }

  /** A login that never came about is not told. */
  forgetLogins(): void {
    retain(this.announcements, ({ type }) => type !== 'loggedIn');
  }

  #detach(): void {
    this.base = null;
    this.token = null;
    this.lent = null;
    this.isUnanswered = false;
    this.endable = null;
    this.#id = undefined;
    this.lineage++;
  }

  #forgetChanges(): void {
    this.operations.length = 0;
    this.merging.length = 0;
    this.absorbed.length = 0;
    this.#values = undefined;
    this.settled = null;
  }

  /** Records what was changed in place since it was handed out. */
  noticeMutations(): void {
    if (this.#values !== undefined) for (const key of this.#values.keys()) this.noticeMutation(key);
  }

  /** The same for one key. */
  noticeMutation(key: string): void {
    this.add(this.values.mutation(this.state.data, key));
  }

  /** After a successful write: the operations it contained are done, whatever came in meanwhile is not. */
  settle(record: SessionRecord, token: ParsedToken | null, done: readonly Operation[]): void {
    this.base = record;
    this.token = token;
    if (done.some(({ kind }) => PROOFS.includes(kind))) this.lent = null;
    retain(this.operations, (operation) => !done.includes(operation));
    this.discard = false;
    this.superseded = false;
    this.left = null;
    this.settled = null;
  }
}

/** Removes the other elements, in place. */
function retain<T>(list: T[], isKept: (element: T) => boolean): void {
  list.splice(0, Infinity, ...list.filter(isKept));
}
