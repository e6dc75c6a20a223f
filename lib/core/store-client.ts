import type { EmitSessionEvent } from './session-event';
import type { SessionRecord } from './session-record';
import type { SessionStore, StoreCall } from './session-store';
import type { SessionId } from './session-token';
import { SessionStoreError } from './session.errors';

const DONE = Promise.resolve();

/** A timer that fires this much later than it should, in milliseconds, shows that the event loop was blocked. */
const TOLERANCE = 50;

/** Most stores never read the signal, so it is created when it is first read. */
class PendingCall implements StoreCall {
  aborted = false;
  #controller: AbortController | undefined;

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.aborted) this.#controller.abort();
    return this.#controller.signal;
  }

  abort(): void {
    this.aborted = true;
    this.#controller?.abort();
  }
}

/**
 * Calls a store: every call ends within its deadline, and every failure is a {@link SessionStoreError}. A write that timed out may still
 * happen; by the contract of stores it cannot restore a session that has ended.
 */
export class StoreClient {
  /** @param timeout maximum duration of a call, in milliseconds */
  constructor(
    private readonly store: SessionStore,
    private readonly timeout: number,
    private readonly emit: EmitSessionEvent,
  ) {}

  /** @param share the share of the timeout for this call, from 0 to 1; the same below */
  find(id: SessionId, share = 1): Promise<SessionRecord | null> {
    return this.call('find', id, (call) => this.store.find(id, call), share);
  }

  insert(record: SessionRecord, share = 1): Promise<void> {
    return this.call('insert', record.id, (call) => this.store.insert(record, call), share);
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

  /** Makes one call. An answer after the deadline is ignored. */
  call<T>(name: string, id: SessionId | null, run: (call: StoreCall) => Promise<T>, share = 1): Promise<T> {
    const timeout = this.timeout * share;
    return new Promise<T>((resolve, reject) => {
      const call = new PendingCall();
      let isOver = false;
      const fail = (reason: 'timeout' | 'error', message: string, options?: ErrorOptions): void => {
        if (isOver) return;
        isOver = true;
        clearTimeout(timer);
        if (reason === 'timeout') call.abort();
        this.emit({ type: 'storeFailed', id, reason });
        reject(new SessionStoreError(name, message, options));
      };
      let dueAt = 0;
      let spare = timeout;
      const wait = (duration: number): void => {
        dueAt = performance.now() + duration;
        // The timer need not keep the process alive: the client that waits for an answer has a socket open.
        timer = setTimeout(() => setImmediate(wake), duration).unref();
      };
      // Answers that arrived while the event loop was blocked are read first, and what they lead to gets the time that was lost: at most
      // the timeout once more.
      const wake = (): void => {
        if (isOver) return;
        const late = Math.min(performance.now() - dueAt, spare);
        spare -= late;
        if (late > TOLERANCE) wait(late);
        else fail('timeout', `no answer within ${Math.round(timeout)} ms`);
      };
      const failWith = (error: unknown): void =>
        fail('error', 'it reported an error', { cause: withoutSecrets(error) });
      let timer: NodeJS.Timeout | undefined;
      try {
        run(call).then((value) => {
          if (isOver) return;
          isOver = true;
          clearTimeout(timer);
          resolve(value);
        }, failWith);
      } catch (error) {
        failWith(error);
      }
      // A store in memory has answered by then, and needs no timer.
      void DONE.then(() => isOver || wait(timeout));
    });
  }
}

/** Keeps what a log may contain. Drivers attach the parameters of a statement to their errors, and those contain hashes and data. */
function withoutSecrets(error: unknown): Error {
  if (!(error instanceof Error)) return new Error('a value that is not an Error was thrown');
  const { name, message, stack } = error;
  const code = (error as { code?: unknown }).code;
  const kept = Object.assign(new Error(message), { name, ...(typeof code === 'string' && { code }) });
  if (stack !== undefined) kept.stack = stack;
  return kept;
}
