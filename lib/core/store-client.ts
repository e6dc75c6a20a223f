import { setMaxListeners } from 'node:events';
import type { EmitSessionEvent } from './session-event';
import { timed, type SessionMeter } from './session-meter';
import type { SessionRecord } from './session-record';
import type { SessionStore, StoreCall } from './session-store';
import type { SessionId } from './session-token';
import { SessionError, SessionStoreError } from './session.errors';
import { isEnumerable, isPrincipalIndexed, isSweepable } from './store-capabilities';

const DONE = Promise.resolve();

/** A timer that fires this much later than it should, in milliseconds, shows that the event loop was blocked. */
const TOLERANCE = 50;

type Fail = (reason: 'timeout' | 'error', message: string, options?: ErrorOptions) => void;

/** One call, which ends with its answer or at its deadline. */
class PendingCall<T> implements StoreCall {
  /** Most stores never read the signal, so it is created when it is first read. */
  #controller: AbortController | undefined;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;
  #dueAt = 0;
  /** How long the deadline may still move, in milliseconds. */
  #spare: number;
  aborted = false;

  constructor(
    private readonly timeout: number,
    private readonly resolve: (value: T) => void,
    private readonly fail: Fail,
  ) {
    this.#spare = timeout;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      // A call for all sessions of a principal may wait for each of them.
      setMaxListeners(0, this.#controller.signal);
    }
    if (this.aborted) this.#controller.abort();
    return this.#controller.signal;
  }

  run(run: (call: StoreCall) => Promise<T>): void {
    try {
      run(this).then(
        (value) => this.#end() && this.resolve(value),
        (error) => this.#failWith(error),
      );
    } catch (error) {
      this.#failWith(error);
    }
    // A store in memory has answered by then, and needs no timer.
    void DONE.then(() => this.#isOver || this.#wait(this.timeout));
  }

  /** Whether this is how the call ends. */
  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    clearTimeout(this.#timer);
    return true;
  }

  #failWith(error: unknown): void {
    if (this.#end()) this.fail('error', 'it reported an error', { cause: withoutSecrets(error) });
  }

  #wait(duration: number): void {
    this.#dueAt = performance.now() + duration;
    // The timer need not keep the process alive: the client that waits for an answer has a socket open.
    this.#timer = setTimeout(() => setImmediate(() => this.#wake()), duration).unref();
  }

  /**
   * Answers that arrived while the event loop was blocked are read first, and what they lead to gets the time that was lost: at most the
   * timeout once more.
   */
  #wake(): void {
    if (this.#isOver) return;
    const late = Math.min(performance.now() - this.#dueAt, this.#spare);
    this.#spare -= late;
    if (late > TOLERANCE) return this.#wait(late);
    this.#end();
    this.aborted = true;
    this.#controller?.abort();
    this.fail('timeout', `no answer within ${Math.round(this.timeout)} ms`);
  }
}

/**
 * Calls a store: every call ends within its deadline, and every failure is a {@link SessionStoreError}. A write that timed out may still
 * happen; by the contract of stores it cannot restore a session that has ended.
 */
export class StoreClient {
  /** @param timeout maximum duration of a call, in milliseconds */
  constructor(
    readonly store: SessionStore,
    private readonly timeout: number,
    private readonly emit: EmitSessionEvent,
    private readonly meter?: SessionMeter,
  ) {}

  /** @param share the share of the timeout for this call, from 0 to 1; the same below */
  find(id: SessionId, share = 1): Promise<SessionRecord | null> {
    return this.call('find', id, (call) => this.store.find(id, call), share);
  }

  insert(record: SessionRecord, share = 1): Promise<void> {
    return this.call('insert', record.id, (call) => this.store.insert(record, call), share);
  }

  /** Inserts a record that the store must keep until it expires. Returns `false` when there is a record with this id. */
  insertLasting(record: SessionRecord): Promise<boolean> {
    return this.call('insert', record.id, (call) =>
      this.store.insert(record, new LastingCall(call)).then(
        () => true,
        (error: unknown) => {
          if (error instanceof SessionError && error.code === 'SESSION_DUPLICATE_ID') return false;
          throw error;
        },
      ),
    );
  }

  update(record: SessionRecord, expectedVersion: number, share = 1): Promise<boolean> {
    return this.call('update', record.id, (call) => this.store.update(record, expectedVersion, call), share);
  }

  extend(id: SessionId, expectedVersion: number, expiresAt: number): Promise<boolean> {
    return this.call('extend', id, (call) => this.store.extend(id, expectedVersion, expiresAt, call));
  }

  delete(id: SessionId): Promise<void> {
    return this.call('delete', id, (call) => this.store.delete(id, call));
  }

  /**
   * The calls about the sessions of one principal.
   * @throws SessionError `SESSION_OPTIONS_INVALID` when the store has none
   */
  ofPrincipal(principal: string): {
    readonly find: () => Promise<SessionRecord[]>;
    readonly delete: () => Promise<number>;
  } {
    const { store } = this;
    if (!isPrincipalIndexed(store)) throw incapable(store, 'finds sessions by principal');
    return {
      find: () => this.call('findByPrincipal', null, (call) => store.findByPrincipal(principal, call)),
      delete: () => this.call('deleteByPrincipal', null, (call) => store.deleteByPrincipal(principal, call)),
    };
  }

  /**
   * Yields all records. Each step ends within the deadline.
   * @throws SessionError `SESSION_OPTIONS_INVALID` when the store does not enumerate
   */
  async *records(): AsyncGenerator<SessionRecord, void, undefined> {
    const { store } = this;
    if (!isEnumerable(store)) throw incapable(store, 'enumerates sessions');
    const controller = new AbortController();
    const { signal } = controller;
    const records = store.records({ signal })[Symbol.asyncIterator]();
    try {
      for (;;) {
        const step = await this.call('records', null, () => records.next());
        if (step.done === true) return;
        yield step.value;
      }
    } finally {
      controller.abort();
      // A store that does not answer must not hold the caller up.
      void records.return?.().catch(() => undefined);
    }
  }

  /** Removes expired records, at most `limit`, and returns their number: `0` for a store that does so by itself. */
  async sweep(now: number, limit: number): Promise<number> {
    const { store } = this;
    return isSweepable(store) ? this.call('sweep', null, (call) => store.sweep(now, limit, call)) : 0;
  }

  /** Makes one call. An answer after the deadline is ignored. */
  call<T>(name: string, id: SessionId | null, run: (call: StoreCall) => Promise<T>, share = 1): Promise<T> {
    const { meter } = this;
    if (meter === undefined) return this.#call(name, id, run, share);
    return timed(
      () => this.#call(name, id, run, share),
      (duration, answer) => {
        meter.storeOperation(name, duration);
        // An extension that comes second is none: the write that came first has extended the session too.
        if (answer === false && name !== 'extend') meter.conflict();
      },
      (duration, error) => meter.storeOperation(name, duration, error),
    );
  }

  #call<T>(
    name: string,
    id: SessionId | null,
    run: (call: StoreCall) => Promise<T>,
    share: number,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const fail = (reason: 'timeout' | 'error', message: string, options?: ErrorOptions): void => {
        this.emit({ type: 'storeFailed', id, reason });
        reject(new SessionStoreError(name, message, options));
      };
      new PendingCall(this.timeout * share, resolve, fail).run(run);
    });
  }
}

function incapable(store: SessionStore, capability: string): SessionError {
  return new SessionError(
    'SESSION_OPTIONS_INVALID',
    `This needs a store that ${capability}, and ${store.constructor.name} does not: use memory, SQL, Redis, files, or tiers of these.`,
  );
}

/** Demands that the store keeps what is inserted. */
class LastingCall implements StoreCall {
  readonly lasting = true;

  constructor(private readonly call: StoreCall) {}

  get signal(): AbortSignal {
    return this.call.signal;
  }

  get aborted(): boolean {
    return this.call.aborted ?? this.call.signal.aborted;
  }
}

/** Keeps what a log may contain. Drivers attach the parameters of a statement to their errors, and those contain hashes and data. */
function withoutSecrets(error: unknown): Error {
  if (!(error instanceof Error)) return new Error('a value that is not an Error was thrown');
  const { name, message, stack, cause } = error;
  const code = (error as { code?: unknown }).code;
  const kept = Object.assign(new Error(message), { name, ...(typeof code === 'string' && { code }) });
  if (stack !== undefined) kept.stack = stack;
  // A store of ours says by it what its driver has said.
  if (error instanceof SessionStoreError && cause !== undefined) kept.cause = withoutSecrets(cause);
  return kept;
}
