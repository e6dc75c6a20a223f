import { KEEP, type CommitOutcome, type Delivery } from '../core/commit-outcome';
import type { EndReason } from '../core/ended-session';
import type { PrincipalInput } from '../core/principal';
import { draftOf, type Session } from '../core/session';
import { openContent } from '../core/checked-content';
import { ownerOf } from '../core/rights';
import type { SessionDraft } from '../core/session-draft';
import { undeliverable } from '../core/session-repository';
import type { SessionWatcher } from '../core/session-operation';
import { lostAfterResponse } from '../core/session.errors';
import { takeOut, type Taking } from '../core/taking';
import type { LoginEnd } from '../core/watched-login';
import type { ResponseHeaders, SessionTransport } from '../transports/session-transport';
import { isStored, rightsOf } from './draft-facts';
import { EndedSignal } from './ended-signal';
import { openByToken } from './opening';
import { isSentByBrowser, sentByClient } from './token-senders';
import type { UnitOfWork } from './unit-of-work';
import { isExpected, isRefusedLogin, reportFailure } from './session-instance';
import type { SessionInstance, Undone } from './session-instance';

const DONE = Promise.resolve();

/** The session of one instance in one unit of work: opened at the first use, committed before the answer begins. */
export class SessionHandle implements Delivery {
  /** The transport that read the token and writes the answer; without a token, that of the instance. */
  #transport: SessionTransport;
  #presented = false;
  #finding: Promise<Session> | undefined;
  /** `null` when nothing is left to decode. A promise when the session is unreadable, until it is removed. */
  #decoding: Promise<void> | null = null;
  #session: Session | undefined;
  #decision: CommitOutcome = KEEP;
  #committing = DONE;
  /** The rights of the session when a commit failed. The answer reports that failure, and must not wait for a second one. */
  #failedWith: string | null = null;
  /** Number of commits in progress. */
  #running = 0;
  #sealed = false;
  /** Whether the client has the outcome of the last commit. */
  #isTold = false;
  /** Whether a later change of a session that the client stores could not be sent. */
  #isLost = false;
  #ended: EndedSignal | undefined;
  /** Whether the body of the answer may have a token. */
  #isTokenInBody = false;
  /** Whether the unit of work counts as a use of the session. */
  #touches = true;

  constructor(
    readonly instance: SessionInstance,
    private readonly unit: UnitOfWork,
    /** Told of every change after the end of the unit. */
    private readonly watcher: SessionWatcher,
    /** When the unit began, by the instance's clock: the body of a request may arrive long before its session is used. */
    private readonly arrivedAt: number | undefined,
  ) {
    this.#transport = instance.transport;
  }

  /** Whether a new token can reach the client. A session that its client could not find again is not created, and a login to it fails. */
  get reach(): Delivery['reach'] {
    if (this.unit.obstacle !== undefined) return 'never';
    if (this.unit.isOver) return 'gone';
    const { obstacle } = this;
    if (obstacle === null) return 'open';
    this.instance.warnOnce(`A session could not be created: ${obstacle}.`);
    const session = this.#session;
    const isMissed = session !== undefined && (!session.isNew || draftOf(session).isLoggingIn);
    return isMissed ? 'never' : 'gone';
  }

  get obstacle(): string | null {
    return this.unit.obstacle ?? this.#transport.obstacle(this.unit.connection, this.#presented);
  }

  get capacity(): number {
    return this.#transport.capacity();
  }

  /** Whether a principal is logged in to the session, if it was used. The answer may then be about that principal. */
  get isPersonal(): boolean {
    return this.#session !== undefined && ownerOf(draftOf(this.#session).state) !== null;
  }

  /**
   * Returns the session, loaded at the first call.
   * @throws the door's translation of a store's failure
   */
  async open(): Promise<Session> {
    const session = await this.find();
    const { manager } = this.instance;
    this.#decoding ??= manager.complete(session)?.catch((error) => this.#fail(error, 'opened')) ?? null;
    if (this.#decoding !== null) await this.#decoding;
    return session;
  }

  /** Makes the unit of work no use of the session: its idle timeout goes on. */
  leaveIdle(): void {
    this.#touches = false;
    if (this.#session !== undefined) draftOf(this.#session).touches = false;
  }

  /** Returns the session without decoding its data. Sufficient for its principal. Throws what {@link open} throws. */
  find(): Promise<Session> {
    return (this.#finding ??= this.#find());
  }

  /** Returns the session if it is loaded and readable, else `null`. */
  peek(): Session | null {
    const session = this.#session;
    if (session === undefined) return null;
    try {
      const draft = draftOf(session);
      openContent(draft.state, draft.settings, draft);
      return session;
    } catch {
      return null;
    }
  }

  /** Takes something out of the session and commits: see {@link takeOut}. Throws what {@link open} and {@link commit} throw. */
  async taking<T>(taking: Taking<T>): Promise<T | null> {
    return takeOut(draftOf(await this.open()), taking, () => this.commit());
  }

  /** See `SessionService.issueToken`. Throws what {@link commit} throws. */
  async issueToken(): Promise<string | null> {
    const session = await this.open();
    if (!this.#presented) this.#transport = sentByClient(this.instance.transport);
    if (this.obstacle !== null) throw undeliverable(this);
    await this.commit();
    const isTold = !isSentByBrowser(this.#transport) && this.instance.manager.isCurrent(session);
    this.#isTokenInBody ||= isTold;
    return isTold ? draftOf(session).token!.token : null;
  }

  /** See `SessionManager.endAll`. Throws what {@link open} throws. */
  async endAll(
    principal: Pick<PrincipalInput, 'id' | 'realm'>,
    keepsOwn: boolean,
    reason?: EndReason,
  ): Promise<void> {
    const except = {
      ...(keepsOwn && { except: await this.open() }),
      ...(reason !== undefined && { reason }),
    };
    const { manager } = this.instance;
    await this.#inTurn(() =>
      manager.endAll(principal, except, () => this.#commit()).catch((error) => this.#fail(error, 'ended')),
    );
  }

  /** Returns the result of a call to the store. Throws what {@link open} throws. */
  translating<T>(result: Promise<T>): Promise<T> {
    return result.catch((error: unknown) => this.#fail(error, 'found'));
  }

  /**
   * Returns a signal that aborts when the login of the session ends: the one with which the answer begins, or before that the one with which
   * the session was opened. After the answer is over it aborts no more. Throws what {@link open} throws.
   */
  async ended(): Promise<AbortSignal> {
    const session = await this.open();
    if (this.#ended === undefined) {
      this.#ended = new EndedSignal(this.instance.manager, session, () => this.#running > 0);
      if (!this.unit.isOver) this.#ended.follow();
    }
    return this.#ended.signal;
  }

  /** See `SessionManager.watchEnd`. Returns `null` while the session is not loaded, is not stored, or is being committed. */
  watchEnd(onEnd: (end: LoginEnd) => void): (() => void) | null {
    const session = this.#session;
    if (session === undefined || session.isNew || this.#running > 0) return null;
    return this.instance.manager.watchEnd(session, onEnd);
  }

  /** Settles what needs no store. Returns whether no commit is needed or in progress. Never throws; errors surface at commit. */
  settle(isCommitting = false): boolean {
    const session = this.#session;
    if (this.#running > 0 && !isCommitting) return false;
    if (session === undefined || (this.#failedWith !== null && this.#hasGivenUp(session))) return true;
    try {
      const decision = this.instance.manager.settled(session, this);
      if (decision !== null && decision.kind !== 'keep') this.#decision = decision;
      return decision !== null;
    } catch {
      return false;
    }
  }

  /**
   * Commits the changes since the last commit. Concurrent calls run one after the other. After a failure, only an explicit second call
   * tries again, or a later login, logout or other change of rights: an answer that says "logged out" has to be true.
   * @throws the door's translation of a store's failure, or the `SessionError` that a value caused
   */
  commit(): Promise<void> {
    return this.#inTurn(() => this.#commit());
  }

  /**
   * Same as {@link commit}, for a caller that may ignore its failure: the answer waits for another attempt, and tells of the failure of that.
   */
  attempt(): Promise<void> {
    return this.#inTurn(() => this.#commit(false));
  }

  /** Called when the answer is over. Saves changes of a stored session, now and later, but creates none. `null`: nothing to save. */
  finish(): Promise<void> | null {
    const session = this.#session;
    if (session === undefined) return null;
    this.#ended?.stop();
    const draft = draftOf(session);
    draft.watcher = this.watcher;
    draft.view?.pull();
    const isDone = this.#running === 0 && (!isStored(draft) || this.settle());
    return isDone && !this.#isLost ? null : this.#finish(session);
  }

  /** @param sealed `true` when the answer begins, `false` when it was refused before its first byte */
  seal(sealed: boolean): void {
    this.#sealed = sealed;
    this.#isTold &&= sealed;
    if (this.#session !== undefined) draftOf(this.#session).sealed = sealed;
  }

  /** Writes the outcome of the last commit to the response. Returns whether that has a token, or takes one back. */
  tell(headers: ResponseHeaders): boolean {
    this.#isTold = true;
    if (this.#decision.kind === 'keep') return this.#isTokenInBody;
    this.#transport.write(headers, this.#decision, this.instance.clock());
    return true;
  }

  async #find(): Promise<Session> {
    const { instance, unit, arrivedAt } = this;
    try {
      if (unit.open === undefined) await this.#findByToken();
      else this.#session = await unit.open(instance, arrivedAt, this.#touches);
    } catch (error) {
      this.#fail(error, 'opened');
    }
    const session = this.#session!;
    const draft = draftOf(session);
    draft.sealed = this.#sealed;
    draft.readOnly = unit.readOnly ?? null;
    draft.touches &&= this.#touches;
    const { describe } = instance;
    if (describe !== null)
      draft.device = () => describe({ headers: unit.request.headers, address: unit.address ?? null });
    if (unit.isOver) draft.watcher = this.watcher;
    return session;
  }

  async #findByToken(): Promise<void> {
    const { headers } = this.unit.request;
    const opening = await openByToken(this.instance, headers, this.arrivedAt, this.#touches);
    this.#session = opening.session;
    this.#transport = opening.transport;
    this.#presented = opening.presented;
    this.#decision = opening.decision;
  }

  async #finish(session: Session): Promise<void> {
    // The caller of the last commit gets its failure.
    await this.#committing.catch(() => undefined);
    if (isStored(draftOf(session)) && !this.#hasGivenUp(session)) await this.commit();
    if (this.#isLost) throw lostAfterResponse();
  }

  /** Runs work that commits, after that of earlier calls. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const run = (): Promise<void> =>
      work().finally(() => {
        this.#running--;
        if (!this.unit.isOver) this.#ended?.follow();
      });
    this.#committing = this.#running++ === 0 ? run() : this.#committing.then(run, run);
    return this.#committing;
  }

  /** @param isFinal whether the answer does without another attempt */
  async #commit(isFinal = true): Promise<void> {
    this.#failedWith = null;
    try {
      if (this.#session === undefined || this.settle(true)) return;
      const isLate = this.#isTold && this.#session.status === 'changed';
      const decision = await this.instance.manager.write(this.#session, this);
      this.#isLost ||= isLate && decision.kind === 'issue';
      // An earlier outcome that the client does not have yet stays valid.
      if (decision.kind !== 'keep') this.#decision = decision;
    } catch (error) {
      // A login that was refused has been dropped; the rest of the session can be saved.
      if (isFinal && !isRefusedLogin(error)) this.#failedWith = rightsOf(this.#session!);
      this.#decideFailed(draftOf(this.#session!));
      this.#fail(error, 'saved');
    }
  }

  /** The client needs the token of a write that succeeded, whatever failed after it. */
  #decideFailed(draft: SessionDraft): void {
    if (draft.untold.kind !== 'issue' || draft.base === null || draft.unconfirmed !== null) return;
    this.#decision = draft.untold;
    draft.untold = KEEP;
  }

  /** Throws a store's failure as an ordinary exception for guards, handlers and filters, which Nest does not log; other errors unchanged. */
  #fail(error: unknown, undone: Undone): never {
    if (!isExpected(error)) throw error;
    if (!isRefusedLogin(error)) reportFailure(error, undone);
    throw this.unit.translate(error);
  }

  #hasGivenUp(session: Session): boolean {
    return this.#failedWith === rightsOf(session);
  }
}
