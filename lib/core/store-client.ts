import { CallDeadlines, Expiring } from './call-deadlines';
import type { EmitSessionEvent } from './session-event';
import type { SessionRecord } from './session-record';
import type { SessionStore, StoreCall } from './session-store';
import type { SessionId } from './session-token';
import { SessionStoreError } from './session.errors';

type Outcome = 'timeout' | 'error';

/** One call under way. Most stores never look at the signal, so it is made when first asked for. */
class PendingCall<T> extends Expiring implements StoreCall {
  aborted = false;
  #controller: AbortController | undefined;
  #over = false;

  constructor(
    private readonly deadlines: CallDeadlines,
    private readonly resolve: (value: T) => void,
    private readonly fail: (reason: Outcome, error?: unknown) => void,
  ) {
    super();
    deadlines.add(this);
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.aborted) this.#controller.abort();
    return this.#controller.signal;
  }

  /** Whether this is the first word on it. */
  #end(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.deadlines.remove(this);
    return true;
  }

  succeed(value: T): void {
    if (this.#end()) this.resolve(value);
  }

  expire(): void {
    if (!this.#end()) return;
    this.aborted = true;
    this.#controller?.abort();
    this.fail('timeout');
  }

  break(error: unknown): void {
    if (this.#end()) this.fail('error', error);
  }
}

/**
 * The store as the manager calls it: every call ends within the deadline, and every failure is a {@link SessionStoreError}.
 * A write that was given up may still happen; that nothing comes back to life then is what the store's contract is for.
 */
export class StoreClient {
  readonly #deadlines: CallDeadlines;

  constructor(
    private readonly store: SessionStore,
    timeout: number,
    private readonly emit: EmitSessionEvent,
  ) {
    this.#deadlines = new CallDeadlines(timeout);
  }

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

  /** No calls will come any more. The store itself stays open. */
  close(): void {
    this.#deadlines.close();
  }

  /** Runs one call against the clock. What arrives after the deadline is ignored. */
  call<T>(operation: string, id: SessionId | null, run: (call: StoreCall) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const call = new PendingCall<T>(this.#deadlines, resolve, (reason, error) => {
        this.emit({ type: 'storeFailed', id, reason });
        reject(this.#failure(operation, reason, error));
      });
      try {
        run(call).then(
          (value) => call.succeed(value),
          (error: unknown) => call.break(error),
        );
      } catch (error) {
        call.break(error);
      }
    });
  }

  #failure(operation: string, reason: Outcome, error: unknown): SessionStoreError {
    return reason === 'timeout'
      ? new SessionStoreError(operation, `no answer within ${this.#deadlines.timeout} ms`)
      : new SessionStoreError(operation, 'it reported an error', { cause: withoutSecrets(error) });
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
