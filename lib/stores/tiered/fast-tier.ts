import type { SessionRecord } from '../../core/session-record';
import { type SessionStore } from '../../core/session-store';
import { isPrepared, isSweepable, type PrepareContext } from '../../core/store-capabilities';
import { isSessionId, type SessionId } from '../../core/session-token';
import { StoreClient } from '../../core/store-client';
import { CircuitBreaker } from './circuit-breaker';
import { encodeCopy, encodeReservation, decodeEntry, type Reservation, type FastEntry } from './fast-entry';
import { BACKGROUND_TIMEOUT, type TieredOptions } from './tiered.options';

/** The result of a call to the fast tier: its answer, or `null` when it failed or timed out. A timed-out write may still happen. */
type FastResult<T> = Promise<T | null>;

/**
 * The fast store with timeouts and a circuit breaker. Its calls never reject, except `prepare`, and never exceed the timeout.
 *
 * An entry is changed by conditional writes only, or removed. So a late write changes the version that it was meant for, or nothing.
 */
export class FastTier {
  readonly #store: SessionStore;
  readonly #client: StoreClient;
  readonly #breaker: CircuitBreaker;
  /** The latest instant given to a sweep, in epoch milliseconds. Sessions that expired before it may be gone from the durable tier. */
  sweptAt = -Infinity;

  constructor(private readonly options: TieredOptions) {
    this.#store = options.fast;
    this.#client = new StoreClient(options.fast, options.fastTimeout, () => {});
    this.#breaker = new CircuitBreaker(options.fastTimeout);
  }

  /** Reads an entry; copies made before `since` are stale. Fails at once while the circuit is open. */
  async read(id: SessionId, since: number): FastResult<FastEntry> {
    // A text that is not a valid id is never looked up.
    if (!isSessionId(id) || !this.#breaker.allows()) return null;
    const found = await this.#try(async () => ({ record: await this.#client.find(id) }));
    if (found === null) return null;
    const { clock, maxAge, clockSkew } = this.options;
    return decodeEntry(found.record, clock(), { since, maxAge, clockSkew, sweptAt: this.sweptAt });
  }

  /** Replaces the entry that was seen with a reservation. Resolves with its stamp, or `false` when the entry has changed. */
  async reserve(id: SessionId, seen: FastEntry, by: Reservation['by']): FastResult<number | false> {
    const record = encodeReservation(id, by, seen, this.options.clock());
    const done =
      seen.kind === 'empty'
        ? await this.#insert(record)
        : await this.#try(() =>
            this.#client.update(record, seen.kind === 'copy' ? seen.record.version : seen.version),
          );
    return done && record.version;
  }

  /** Replaces the entry of this version with a copy. `false` when the entry is absent or has another version. */
  put(record: SessionRecord, expectedVersion: number, madeAt: number): FastResult<boolean> {
    const copy = encodeCopy(record, madeAt, this.options.maxAge);
    return this.#try(() => this.#client.update(copy, expectedVersion));
  }

  /** Makes a copy of this version stale; does not change another version. */
  expire(record: SessionRecord): FastResult<boolean> {
    return this.put(record, record.version, 0);
  }

  /** Removes the entry. `false` when that failed. */
  async drop(id: SessionId): Promise<boolean> {
    return (await this.#try(() => this.#client.delete(id).then(() => true))) === true;
  }

  /** Removes expired copies, if the fast store does not do so itself. */
  async sweep(now: number, limit: number): FastResult<number> {
    const store = this.#store;
    this.sweptAt = Math.max(this.sweptAt, now);
    if (!isSweepable(store) || !this.#breaker.allows()) return null;
    return this.#try(() => this.#client.call('sweep', null, (call) => store.sweep(now, limit, call)));
  }

  /**
   * Prepares the store, if it has `prepare`. Ignores an unavailable store; the fast tier is optional.
   * @throws SessionError when the store is reachable and unsuitable
   */
  async prepare(context?: PrepareContext): Promise<void> {
    const store = this.#store;
    if (!isPrepared(store)) return;
    let refusal: Error | undefined;
    const client = new StoreClient(store, BACKGROUND_TIMEOUT, () => {});
    const prepare = (): Promise<void> =>
      store.prepare(context).catch((error: Error) => {
        if (!isStoreUnavailable(error)) refusal = error;
      });
    await client.call('prepare', null, prepare).catch(() => this.#breaker.fail());
    if (refusal !== undefined) throw refusal;
  }

  #insert(record: SessionRecord): FastResult<boolean> {
    return this.#try(() =>
      this.#client.call('insert', record.id, (call) =>
        this.#store.insert(record, call).then(
          () => true,
          (error: unknown) => {
            if (isDuplicate(error)) return false;
            throw error;
          },
        ),
      ),
    );
  }

  async #try<T>(run: () => Promise<T>): FastResult<T> {
    try {
      const answer = await run();
      this.#breaker.succeed();
      return answer;
    } catch {
      this.#breaker.fail();
      return null;
    }
  }
}

/** Whether an insert failed because the id exists. */
export function isDuplicate(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'SESSION_DUPLICATE_ID';
}

function isStoreUnavailable(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'SESSION_STORE_UNAVAILABLE';
}
