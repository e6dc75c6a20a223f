import type { SessionRecord } from '../../core/session-record';
import { isPrepared, isSweepable, type SessionStore } from '../../core/session-store';
import { isSessionId, type SessionId } from '../../core/session-token';
import { StoreClient } from '../../core/store-client';
import { CircuitBreaker } from './circuit-breaker';
import { encodeCopy, encodeReservation, decodeEntry, type Reservation, type FastEntry } from './fast-entry';
import { BACKGROUND_TIMEOUT, type TieredOptions } from './tiered.options';

/** What a call to the fast tier comes to: its answer, or `null` when it failed or took too long; then it may still happen. */
type FastResult<T> = Promise<T | null>;

/**
 * The fast store as the tiers use it. Nothing here ever rejects, nothing takes longer than the timeout.
 *
 * An entry is only ever changed by conditional writes, or emptied: so what lands late changes what it was meant for, or nothing.
 */
export class FastTier {
  readonly #store: SessionStore;
  readonly #client: StoreClient;
  readonly #breaker: CircuitBreaker;
  /** The latest instant that a sweep was told, in epoch milliseconds: what expires before is gone from the durable tier. */
  sweptAt = -Infinity;

  constructor(private readonly options: TieredOptions) {
    this.#store = options.fast;
    this.#client = new StoreClient(options.fast, options.fastTimeout, () => {});
    this.#breaker = new CircuitBreaker(options.fastTimeout);
  }

  /** What is there for somebody who believes copies made from `since` on. Fails at once while the tier is left alone. */
  async read(id: SessionId, since: number): FastResult<FastEntry> {
    // What was never given out need not become a key.
    if (!isSessionId(id) || !this.#breaker.allows()) return null;
    const found = await this.#try(async () => ({ record: await this.#client.find(id) }));
    if (found === null) return null;
    const { clock, maxAge, clockSkew } = this.options;
    return decodeEntry(found.record, clock(), { since, maxAge, clockSkew, sweptAt: this.sweptAt });
  }

  /** Keeps others from filling an entry that was seen like this. Its stamp, or `false` when somebody else was faster. */
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

  /** Puts a copy in the place of what has this version. `false` when something else is there, or nothing. */
  put(record: SessionRecord, expectedVersion: number, madeAt: number): FastResult<boolean> {
    const copy = encodeCopy(record, madeAt, this.options.maxAge);
    return this.#try(() => this.#client.update(copy, expectedVersion));
  }

  /** Lets nobody believe a copy of this version; leaves any other. */
  expire(record: SessionRecord): FastResult<boolean> {
    return this.put(record, record.version, 0);
  }

  /** Empties the entry. Whether that was done. */
  async drop(id: SessionId): Promise<boolean> {
    return (await this.#try(() => this.#client.delete(id).then(() => true))) === true;
  }

  /** For a tier that does not forget expired copies by itself. */
  async sweep(now: number, limit: number): FastResult<number> {
    const store = this.#store;
    this.sweptAt = Math.max(this.sweptAt, now);
    if (!isSweepable(store) || !this.#breaker.allows()) return null;
    return this.#try(() => this.#client.call('sweep', null, (call) => store.sweep(now, limit, call)));
  }

  /**
   * Prepares the store, if it is to be. Not being there is no reason not to start; anything else is.
   * @throws SessionError
   */
  async prepare(): Promise<void> {
    const store = this.#store;
    if (!isPrepared(store)) return;
    let refusal: Error | undefined;
    const client = new StoreClient(store, BACKGROUND_TIMEOUT, () => {});
    const prepare = (): Promise<void> =>
      store.prepare().catch((error: Error) => {
        if (!isStoreUnavailable(error)) refusal = error;
      });
    await client.call('prepare', null, prepare).catch(() => this.#breaker.fail());
    client.close();
    if (refusal !== undefined) throw refusal;
  }

  close(): void {
    this.#client.close();
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

/** Whether an insert found its id taken. */
export function isDuplicate(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'SESSION_DUPLICATE_ID';
}

function isStoreUnavailable(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'SESSION_STORE_UNAVAILABLE';
}
