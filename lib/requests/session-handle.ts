import { KEEP, type CommitOutcome, type Delivery } from '../core/commit-outcome';
import type { Session } from '../core/session';
import type { SessionData, SessionKey } from '../core/session-data';
import type { SessionWatcher } from '../core/session-draft';
import { SessionError } from '../core/session.errors';
import type {
  Connection,
  RequestHeaders,
  ResponseHeaders,
  SessionTransport,
} from '../transports/session-transport';
import { isStoreFailure, reportFailure, type SessionInstance } from './session-instance';

/**
 * What sessions are told of the unit of work they serve: an HTTP request, a message of a socket, a GraphQL operation. Each door
 * implements it for what enters through it.
 */
export interface UnitOfWork {
  /** Its headers have the tokens. They are read once for each instance that is used. */
  readonly request: { readonly headers: RequestHeaders };
  readonly connection: Connection;
  /** Whether the answer is over or its client has gone. No commit may follow, so each change of a stored session is saved by itself. */
  readonly isOver: boolean;
  /**
   * Called at the first touch of each session, before it is opened. With the first of all, the door begins to commit the scope before it
   * answers. Returns whether the answer has begun already: then the session cannot be changed, since the client could not be told.
   */
  begin(isFirst: boolean): boolean;
  /** Returns what handlers see instead of a store's failure, with that failure as its `cause`. */
  translate(failure: SessionError): Error;
}

const DONE = Promise.resolve();

/** One instance's session in one unit of work: opened at the first touch, committed before the answer begins. */
export class SessionHandle implements Delivery {
  /** The transport that brought the token, and answers; without one, the instance's own. Known once it is read. */
  #transport!: SessionTransport;
  #presented = false;
  #finding: Promise<Session> | undefined;
  #opening: Promise<Session> | undefined;
  #session: Session | undefined;
  #decision: CommitOutcome = KEEP;
  #committing = DONE;
  /** The rights that the session had when a commit failed: the exception it threw is the answer, which must not wait for a second failure. */
  #failedWith: string | null = null;
  #running = 0;
  #sealed = false;
  /** Whether the client has been told what it is told. */
  #isTold = false;
  /** Whether a change came after that which the client alone could have kept. */
  #isLost = false;

  constructor(
    readonly instance: SessionInstance,
    private readonly unit: UnitOfWork,
    /** Is told of every change once the unit is over. */
    private readonly watcher: SessionWatcher,
    /** When the unit began, by the instance's clock: a body may take long to arrive before a session is touched. */
    private readonly arrivedAt: number | undefined,
  ) {}

  /** Whether a new token can be told, as a commit asks that would issue one: a session that its client could not find again is not begun. */
  get reach(): Delivery['reach'] {
    if (this.unit.isOver) return 'gone';
    const { obstacle } = this;
    if (obstacle === null) return 'open';
    this.instance.warnObstacle(obstacle);
    return this.#session?.isNew === false ? 'never' : 'gone';
  }

  /** Why a token cannot reach the client, or `null`. */
  get obstacle(): string | null {
    return this.#transport.obstacle(this.unit.connection, this.#presented);
  }

  get capacity(): number {
    return this.#transport.capacity();
  }

  /**
   * The session, loaded at the first call.
   * @throws what the door makes of a store's failure
   */
  open(): Promise<Session> {
    return (this.#opening ??= this.#open());
  }

  /**
   * The session as far as it takes to tell who is logged in: what the application keeps in it is not decoded.
   * @throws what the door makes of a store's failure
   */
  find(): Promise<Session> {
    return (this.#finding ??= this.#find());
  }

  /**
   * Takes a value out and commits: of any number of requests that do so at once, exactly one gets the value.
   * @throws what {@link commit} throws; the value may be lost then
   */
  async take<K extends SessionKey>(key: K): Promise<SessionData[K] | undefined> {
    const taking = this.instance.manager.take(await this.open(), key);
    if (taking === null) return undefined;
    try {
      await this.commit();
    } catch (error) {
      taking.cancel();
      throw error;
    }
    return taking.value();
  }

  /**
   * Settles everything that needs no store, and says whether that was all; while a commit is under way it is not.
   * Never throws: what is wrong is for the commit to say.
   */
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
   * Commits what has come together since the last commit; one after the other when asked twice at once. After a failure
   * only an explicit second call tries again, or a login, a logout and the like that came after it: an answer that says
   * "logged out" has to be true.
   * @throws what the door makes of a store's failure, or the `SessionError` that a value caused
   */
  commit(): Promise<void> {
    const commit = (): Promise<void> => this.#commit();
    this.#committing = this.#running++ === 0 ? commit() : this.#committing.then(commit, commit);
    return this.#committing;
  }

  /**
   * The answer is over: what changed in a stored session is still saved, and so is what changes from now on, but nothing new begins.
   * `null` when that is all done.
   */
  finish(): Promise<void> | null {
    const session = this.#session;
    if (session === undefined) return null;
    const { manager } = this.instance;
    manager.watch(session, this.watcher);
    const isDone = this.#running === 0 && (!manager.isStored(session) || this.settle());
    return isDone && !this.#isLost ? null : this.#finish(session);
  }

  /** @param sealed whether the answer has begun; `false` when it was refused before it began */
  seal(sealed: boolean): void {
    this.#sealed = sealed;
    this.#isTold &&= sealed;
    if (this.#session !== undefined) this.instance.manager.seal(this.#session, sealed);
  }

  /** Tells the client what the last commit decided. Returns whether there was anything to tell. */
  tell(headers: ResponseHeaders): boolean {
    this.#isTold = true;
    if (this.#decision.kind === 'keep') return false;
    this.#transport.write(headers, this.#decision, this.instance.clock());
    return true;
  }

  async #open(): Promise<Session> {
    const session = await this.find();
    try {
      const decoding = this.instance.manager.complete(session);
      if (decoding !== null) await decoding;
    } catch (error) {
      this.#fail(error, 'opened');
    }
    return session;
  }

  async #find(): Promise<Session> {
    const { manager, transport, emit } = this.instance;
    const reading = transport.read(this.unit.request.headers);
    if (reading.kind === 'ambiguous') emit({ type: 'rejected', reason: 'ambiguous' });
    const token = reading.kind === 'token' ? reading : null;
    this.#presented = token !== null;
    this.#transport = token?.transport ?? transport;
    try {
      this.#session = await manager.find(token?.value ?? null, this.arrivedAt);
    } catch (error) {
      this.#fail(error, 'opened');
    }
    if (this.#sealed) manager.seal(this.#session);
    if (this.unit.isOver) manager.watch(this.#session, this.watcher);
    return this.#session;
  }

  async #finish(session: Session): Promise<void> {
    // The caller of the last commit learns of its failure.
    await this.#committing.catch(() => undefined);
    if (this.instance.manager.isStored(session) && !this.#hasGivenUp(session)) await this.commit();
    // A session that lives with its client was changed in place when nothing could reach the client any more.
    if (this.#isLost)
      throw new SessionError(
        'SESSION_RESPONSE_STARTED',
        'What changed in the session after the response had begun is lost: it could not be sent. Change it before the first byte.',
      );
  }

  async #commit(): Promise<void> {
    this.#failedWith = null;
    try {
      if (this.#session === undefined || this.settle(true)) return;
      const isLate = this.#isTold && this.#session.status === 'changed';
      const decision = await this.instance.manager.write(this.#session, this);
      this.#isLost ||= isLate && decision.kind === 'issue';
      // That there is nothing more to tell takes nothing back.
      if (decision.kind !== 'keep') this.#decision = decision;
    } catch (error) {
      this.#failedWith = this.instance.manager.rightsOf(this.#session!);
      this.#fail(error, 'saved');
    } finally {
      this.#running--;
    }
  }

  /** A store's failure is an ordinary exception for guards, handlers and filters, which Nest does not log. Other errors are the application's own. */
  #fail(error: unknown, undone: 'opened' | 'saved'): never {
    if (!isStoreFailure(error)) throw error;
    reportFailure(error, undone);
    throw this.unit.translate(error);
  }

  #hasGivenUp(session: Session): boolean {
    return this.#failedWith === this.instance.manager.rightsOf(session);
  }
}
