import type { EmitSessionEvent } from './session-event';
import type { SessionRecord } from './session-record';
import type { SessionStore, StoreCall } from './session-store';
import type { SessionId } from './session-token';
import { SessionStoreError } from './session.errors';

/** One call under way. Most stores never look at the signal, so it is made when first asked for. */
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
 * The store as the core calls it: every call ends within its deadline, and every failure is a {@link SessionStoreError}.
 * A write that was given up may still happen; the store's contract sees to it that nothing comes back to life then.
 */
export class StoreClient {
  /** @param timeout how long a call may take, in milliseconds */
  constructor(
    private readonly store: SessionStore,
    private readonly timeout: number,
    private readonly emit: EmitSessionEvent,
  ) {}

  /** @param share the part of the timeout that this call gets, from 0 to 1, here and below */
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

  /** Runs one call against the clock. An answer that arrives after the deadline is ignored. */
  call<T>(
    operation: string,
    id: SessionId | null,
    run: (call: StoreCall) => Promise<T>,
    share = 1,
  ): Promise<T> {
    const timeout = this.timeout * share;
    return new Promise<T>((resolve, reject) => {
      const call = new PendingCall();
      // An answer that came while the event loop was blocked is read before the call is given up.
      // The timer alone keeps no process alive: the client that waits for an answer has a socket open.
      const timer = setTimeout(() => setImmediate(expire), timeout).unref();
      let isOver = false;
      const end = (): boolean => {
        if (isOver) return false;
        clearTimeout(timer);
        return (isOver = true);
      };
      const expire = (): void => {
        if (!end()) return;
        call.abort();
        this.emit({ type: 'storeFailed', id, reason: 'timeout' });
        reject(new SessionStoreError(operation, `no answer within ${Math.round(timeout)} ms`));
      };
      const fail = (error: unknown): void => {
        if (!end()) return;
        this.emit({ type: 'storeFailed', id, reason: 'error' });
        reject(new SessionStoreError(operation, 'it reported an error', { cause: withoutSecrets(error) }));
      };
      try {
        run(call).then((value) => void (end() && resolve(value)), fail);
      } catch (error) {
        fail(error);
      }
    });
  }
}

/** Drivers hang the statement's parameters on their errors, and those hold hashes and data: only what a log may have is kept. */
function withoutSecrets(error: unknown): Error {
  if (!(error instanceof Error)) return new Error('a value that is not an Error was thrown');
  const { name, message, stack } = error;
  const code = (error as { code?: unknown }).code;
  const kept = Object.assign(new Error(message), { name, ...(typeof code === 'string' && { code }) });
  if (stack !== undefined) kept.stack = stack;
  return kept;
}
