import type { EmitSessionEvent } from './session-event';
import type { SessionRecord } from './session-record';
import type { SessionStore, StoreCall } from './session-store';
import type { SessionId } from './session-token';
import { SessionStoreError } from './session.errors';

/** A call that can be given up. Most stores never look at the signal, so it is made when first asked for. */
class AbandonableCall implements StoreCall {
  #controller: AbortController | undefined;
  #abandoned = false;

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#abandoned) this.#controller.abort();
    return this.#controller.signal;
  }

  abandon(): void {
    this.#abandoned = true;
    this.#controller?.abort();
  }
}

/**
 * The store as the manager calls it: every call ends within the deadline, and every failure is a {@link SessionStoreError}.
 * A write that was given up may still happen; that nothing comes back to life then is what the store's contract is for.
 */
export class StoreClient {
  constructor(
    private readonly store: SessionStore,
    private readonly timeout: number,
    private readonly emit: EmitSessionEvent,
  ) {}

  find(id: SessionId): Promise<SessionRecord | null> {
    return this.call('find', id, (call) => this.store.find(id, call));
  }

  insert(record: SessionRecord): Promise<void> {
    return this.call('insert', record.id, (call) => this.store.insert(record, call));
  }

  update(record: SessionRecord, expectedVersion: number): Promise<boolean> {
    return this.call('update', record.id, (call) => this.store.update(record, expectedVersion, call));
  }

  extend(id: SessionId, expectedVersion: number, expiresAt: number): Promise<boolean> {
    return this.call('extend', id, (call) => this.store.extend(id, expectedVersion, expiresAt, call));
  }

  delete(id: SessionId): Promise<void> {
    return this.call('delete', id, (call) => this.store.delete(id, call));
  }

  /** Runs one call against the clock. What arrives after the deadline is ignored. */
  call<T>(operation: string, id: SessionId | null, run: (call: StoreCall) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const call = new AbandonableCall();
      let over = false;
      const end = (finish: () => void): void => {
        if (over) return;
        over = true;
        clearTimeout(timer);
        finish();
      };
      const fail = (reason: 'timeout' | 'error', error: SessionStoreError): void =>
        end(() => {
          call.abandon();
          this.emit({ type: 'storeFailed', id, reason });
          reject(error);
        });
      const timer = setTimeout(
        () => fail('timeout', new SessionStoreError(operation, `no answer within ${this.timeout} ms`)),
        this.timeout,
      );
      const failed = (error: unknown): void =>
        fail(
          'error',
          new SessionStoreError(operation, 'it reported an error', { cause: withoutSecrets(error) }),
        );
      try {
        run(call).then((value) => end(() => resolve(value)), failed);
      } catch (error) {
        failed(error);
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
