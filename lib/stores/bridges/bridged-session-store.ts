import { systemClock } from '../../core/clock';
import { KeyedQueue } from '../../core/keyed-queue';
import type { SessionRecord } from '../../core/session-record';
import type { SessionStore, StoreCall } from '../../core/session-store';
import type { EnumerableStore, LimitedStore, StoreLimit } from '../../core/store-capabilities';
import { isSessionId, type SessionId } from '../../core/session-token';
import { SessionError } from '../../core/session.errors';
import { parseRecord } from './bridged-record';
import type { EnumerableAdaptedStore, AdaptedStore } from './adapted-store';

/**
 * How long a write waits for an earlier write of the same session, in milliseconds. After that the earlier write counts as lost: a
 * callback that is never called must not block a session forever.
 */
const WRITE_WAIT_LIMIT = 30_000;

/**
 * Added to each lifetime, in milliseconds. Many stores expire in whole seconds, and some round down. Late expiry is harmless, because a
 * record carries its own `expiresAt`.
 */
const EXPIRY_MARGIN = 999;

/**
 * A session store over a store that can only get, set and remove. Writes of one session are queued in this process, so that reading,
 * comparing and writing are one step. Other processes do not share the queue: that is the store's limit.
 */
export class BridgedSessionStore<L extends StoreLimit> implements SessionStore, LimitedStore<L> {
  readonly #writes = new KeyedQueue(WRITE_WAIT_LIMIT);

  constructor(
    private readonly adapted: AdaptedStore,
    readonly limits: readonly L[],
  ) {}

  async find(id: SessionId): Promise<SessionRecord | null> {
    if (!isSessionId(id)) return null;
    const found = parseRecord(await this.adapted.read(id));
    return found?.id === id ? found : null;
  }

  async insert(record: SessionRecord, call: StoreCall): Promise<void> {
    await this.#writes.run(record.id, async () => {
      if ((await this.#found(record.id, call)) !== null)
        throw new SessionError('SESSION_DUPLICATE_ID', `A session with the id ${record.id} exists already.`);
      await this.#write(record);
    });
  }

  async update(record: SessionRecord, expectedVersion: number, call: StoreCall): Promise<boolean> {
    return this.#replace(record.id, expectedVersion, call, () => record);
  }

  async extend(id: SessionId, expectedVersion: number, expiresAt: number, call: StoreCall): Promise<boolean> {
    return this.#replace(id, expectedVersion, call, (found) => ({ ...found, expiresAt }));
  }

  async delete(id: SessionId): Promise<void> {
    if (isSessionId(id)) await this.#writes.run(id, () => this.adapted.remove(id));
  }

  #replace(
    id: SessionId,
    expectedVersion: number,
    call: StoreCall,
    change: (found: SessionRecord) => SessionRecord,
  ): Promise<boolean> {
    return this.#writes.run(id, async () => {
      const found = await this.#found(id, call);
      if (found?.version !== expectedVersion) return false;
      await this.#write(change(found));
      return true;
    });
  }

  /** Rejects when the call was aborted, so that an aborted call does not write. */
  async #found(id: SessionId, { signal }: StoreCall): Promise<SessionRecord | null> {
    signal.throwIfAborted();
    const found = await this.find(id);
    signal.throwIfAborted();
    return found;
  }

  /** Removes an expired record: many stores take a lifetime of zero or less as "forever". */
  async #write(record: SessionRecord): Promise<void> {
    const lifetime = record.expiresAt - systemClock();
    if (lifetime > 0) await this.adapted.write(record, lifetime + EXPIRY_MARGIN);
    else await this.adapted.remove(record.id);
  }
}

/** A bridged store whose adapted store can list its values. */
export class EnumerableBridgedSessionStore<L extends StoreLimit>
  extends BridgedSessionStore<L>
  implements EnumerableStore
{
  readonly #adapted: EnumerableAdaptedStore;

  constructor(adapted: EnumerableAdaptedStore, limits: readonly L[]) {
    super(adapted, limits);
    this.#adapted = adapted;
  }

  async *records({ signal }: StoreCall): AsyncGenerator<SessionRecord> {
    for await (const batch of this.#adapted.batches()) {
      for (const value of batch) {
        signal.throwIfAborted();
        const record = parseRecord(value);
        if (record !== null) yield record;
      }
    }
  }
}
