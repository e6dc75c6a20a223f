import type { SessionRecord } from '../../core/session-record';
import { type SessionStore, type StoreCall } from '../../core/session-store';
import {
  isClosable,
  isEnumerable,
  isLimited,
  isPrepared,
  isPrincipalIndexed,
  isSweepable,
  isWatchable,
  type ClosableStore,
  type EnumerableStore,
  type LimitedStore,
  type PrepareContext,
  type PreparedStore,
  type PrincipalIndexedStore,
  type StoreLimit,
  type SweepableStore,
  type WatchableStore,
} from '../../core/store-capabilities';
import type { SessionId } from '../../core/session-token';
import { SessionError, SessionStoreError } from '../../core/session.errors';
import { FastLease } from './fast-lease';
import { FastTier } from './fast-tier';
import { removeByPrincipal } from './remove-by-principal';
import { TIER_STATE_ID } from './tier-state';
import { resolveTiers, type TieredOptions, type TieredSessionStoreOptions } from './tiered.options';
import { WriteBehind } from './write-behind';
import { WriteQueue } from './write-queue';
import { WriteThrough } from './write-through';

/**
 * A fast store in front of a durable one. The fast tier answers reads; the durable tier answers those that the fast tier cannot.
 *
 * - **The durable tier decides.** Every insert and delete, and every change of a token or a principal, is made there, and its answer is
 *   returned. With `writeBehind`, changes of data may reach it later.
 * - **No write is acknowledged while any process may use an older copy.** The copy is replaced or removed before the answer. When the fast
 *   tier cannot be updated, a record in the durable tier marks it stale, and the answer waits for one `lease`, after which every process
 *   has read the mark.
 * - **A copy comes from a read that no write has overtaken**, and is used for at most `maxAge`.
 * - **The fast tier is optional.** When it fails, hangs, loses data or returns with old data, the durable tier serves.
 * - **A fast tier that is not shared**, such as memory, is used by one process at a time.
 *
 * The durable tier holds one record that is not a session, `tiered-fast-out-of-use`, once a process has marked or held the fast tier.
 * This store has the optional capabilities of the durable store. It closes both tiers.
 */
export class TieredSessionStore implements SessionStore, PreparedStore, ClosableStore, LimitedStore {
  /** The limits of the durable store. With `writeBehind` over a tier that is not shared also `conditional-writes`. */
  readonly limits: readonly StoreLimit[];
  /** Present if the durable store has it. */
  readonly findByPrincipal?: PrincipalIndexedStore['findByPrincipal'];
  /** Present if the durable store has it. */
  readonly deleteByPrincipal?: PrincipalIndexedStore['deleteByPrincipal'];
  /** Present if the durable store has it. */
  readonly records?: EnumerableStore['records'];
  /** Present if either store has it. Also removes expired copies. */
  readonly sweep?: SweepableStore['sweep'];
  /** Present if the durable store has it. A process may hear of an end shortly before the copy is removed. */
  readonly watchEnds?: WatchableStore['watchEnds'];
  readonly #options: TieredOptions;
  readonly #fast: FastTier;
  readonly #lease: FastLease;
  readonly #queue: WriteQueue | null;
  readonly #store: SessionStore;

  /** @throws SessionError `SESSION_OPTIONS_INVALID` */
  constructor(options: TieredSessionStoreOptions) {
    this.#options = resolveTiers(options);
    const { fast, durable, writeBehind } = this.#options;
    this.#fast = new FastTier(this.#options);
    this.#lease = new FastLease(this.#options);
    const tiers = { durable, fast: this.#fast, lease: this.#lease };
    this.#queue = writeBehind ? new WriteQueue(this.#options, (record) => this.#fast.expire(record)) : null;
    this.#store =
      this.#queue === null ? new WriteThrough(tiers) : new WriteBehind(tiers, this.#queue, this.#options);
    this.limits = tieredLimits(this.#options);
    if (isPrincipalIndexed(durable)) {
      this.findByPrincipal = (principal, call) =>
        this.#written(() => durable.findByPrincipal(principal, call));
      this.deleteByPrincipal = (principal, call) => removeByPrincipal(durable, this, principal, call);
    }
    if (isEnumerable(durable)) this.records = (call) => this.#records(durable, call);
    if (isWatchable(durable)) this.watchEnds = (listener) => durable.watchEnds(listener);
    if (isSweepable(durable) || isSweepable(fast)) this.sweep = (...given) => this.#sweep(...given);
  }

  /** Prepares both tiers. An unreachable fast tier is not an error; it is used once it can be reached. */
  async prepare(context?: PrepareContext): Promise<void> {
    const { durable } = this.#options;
    if (isPrepared(durable)) await durable.prepare(context);
    this.#queue?.open();
    await this.#fast.prepare(context);
    await this.#lease.permit();
  }

  async find(id: SessionId, call: StoreCall): Promise<SessionRecord | null> {
    return id === TIER_STATE_ID ? null : this.#store.find(id, call);
  }

  async insert(record: SessionRecord, call: StoreCall): Promise<void> {
    if (record.id !== TIER_STATE_ID) return this.#store.insert(record, call);
    throw new SessionError('SESSION_DUPLICATE_ID', 'This id is reserved for the state of the fast tier.');
  }

  async update(record: SessionRecord, expectedVersion: number, call: StoreCall): Promise<boolean> {
    return record.id !== TIER_STATE_ID && this.#store.update(record, expectedVersion, call);
  }

  async extend(id: SessionId, expectedVersion: number, expiresAt: number, call: StoreCall): Promise<boolean> {
    return id !== TIER_STATE_ID && this.#store.extend(id, expectedVersion, expiresAt, call);
  }

  async delete(id: SessionId, call: StoreCall): Promise<void> {
    if (id !== TIER_STATE_ID) await this.#store.delete(id, call);
  }

  /**
   * Writes the waiting changes, and closes both tiers.
   * @throws SessionStoreError that says how many sessions lost their last change, because the durable tier did not accept it in time
   */
  async close(): Promise<void> {
    const { fast, durable, closeTimeout } = this.#options;
    const lost = (await this.#queue?.close(closeTimeout)) ?? 0;
    await this.#lease.release().catch(() => {});
    const tiers: object[] = [fast, durable];
    const closing = await Promise.allSettled(tiers.filter(isClosable).map((store) => store.close()));
    if (lost > 0) {
      const reason = `the durable store took no writes for ${closeTimeout} ms, and the last change of ${lost} sessions is lost`;
      throw new SessionStoreError('close', reason);
    }
    for (const outcome of closing) if (outcome.status === 'rejected') throw outcome.reason;
  }

  async *#records(durable: EnumerableStore, call: StoreCall): AsyncGenerator<SessionRecord> {
    await this.#queue?.drain();
    for await (const record of durable.records(call)) if (record.id !== TIER_STATE_ID) yield record;
  }

  /** Writes waiting changes first: they may extend a session that is expired in the durable tier. */
  async #sweep(now: number, limit: number, call: StoreCall): Promise<number> {
    const { durable } = this.#options;
    const copies = await this.#fast.sweep(now, limit);
    if (!isSweepable(durable)) return copies ?? 0;
    return this.#written(() => durable.sweep(now, limit, call));
  }

  async #written<T>(read: () => Promise<T>): Promise<T> {
    await this.#queue?.drain();
    return read();
  }
}

function tieredLimits({ durable, shared, writeBehind }: TieredOptions): readonly StoreLimit[] {
  const limits = new Set(isLimited(durable) ? durable.limits : []);
  // Another process does not see an acknowledged change before it is written.
  if (writeBehind && !shared) limits.add('conditional-writes');
  return [...limits];
}
