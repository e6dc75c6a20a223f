import type { SessionRecord } from '../../core/session-record';
import {
  isClosable,
  isEnumerable,
  isLimited,
  isPrepared,
  isPrincipalIndexed,
  isSweepable,
  type ClosableStore,
  type EnumerableStore,
  type LimitedStore,
  type PreparedStore,
  type PrincipalIndexedStore,
  type SessionStore,
  type StoreCall,
  type StoreLimit,
  type SweepableStore,
} from '../../core/session-store';
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
 * A fast store in front of a durable one: reads are answered by the fast tier, and by the durable one where that has nothing.
 *
 * - **The durable tier decides.** Every insert and delete, and every change of a token or a principal, is made there, and its answer is the
 *   answer. With `writeBehind` changes of data alone may reach it later.
 * - **No write is acknowledged while an older copy may be believed**, by whatever process. The copy is replaced or removed before the
 *   answer goes out; where the fast tier cannot be told, a notice in the durable tier puts it out of use, and the answer waits for
 *   one `lease`, after which every process knows.
 * - **A copy comes from a read that no write has overtaken**, and is believed for `maxAge` at most.
 * - **The fast tier is never needed.** It may fail, hang, forget, or come back with what it had: then the durable tier serves.
 * - **A fast tier that is not shared**, such as memory, is used by one process at a time, and by the others not at all.
 *
 * The durable tier holds one record that is no session, {@link TIER_STATE_ID}, once there has been something to tell the other processes.
 * What the durable store can do beyond the five calls this one can do too. It closes both tiers.
 */
export class TieredSessionStore implements SessionStore, PreparedStore, ClosableStore, LimitedStore {
  /** Those of the durable store; with `writeBehind` over a tier that is not shared, conditional writes hold within one process. */
  readonly limits: readonly StoreLimit[];
  /** Where the durable store has it. */
  readonly findByPrincipal?: PrincipalIndexedStore['findByPrincipal'];
  /** Where the durable store has it. */
  readonly deleteByPrincipal?: PrincipalIndexedStore['deleteByPrincipal'];
  /** Where the durable store has it. */
  readonly records?: EnumerableStore['records'];
  /** Where either store has it: expired copies go too. */
  readonly sweep?: SweepableStore['sweep'];
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
    if (isSweepable(durable) || isSweepable(fast)) this.sweep = (...given) => this.#sweep(...given);
  }

  /** Prepares both tiers. A fast tier that cannot be reached now may be later. */
  async prepare(): Promise<void> {
    const { durable } = this.#options;
    if (isPrepared(durable)) await durable.prepare();
    await this.#fast.prepare();
    await this.#lease.permit();
  }

  async find(id: SessionId, call: StoreCall): Promise<SessionRecord | null> {
    return id === TIER_STATE_ID ? null : this.#store.find(id, call);
  }

  async insert(record: SessionRecord, call: StoreCall): Promise<void> {
    if (record.id !== TIER_STATE_ID) return this.#store.insert(record, call);
    throw new SessionError('SESSION_DUPLICATE_ID', 'This id is what the tiers themselves keep a note under.');
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
   * Writes what is waiting, and closes both tiers.
   * @throws SessionStoreError that says how many sessions have lost their last change, because the durable tier did not take it in time
   */
  async close(): Promise<void> {
    const { fast, durable, closeTimeout } = this.#options;
    const lost = (await this.#queue?.close(closeTimeout)) ?? 0;
    await this.#lease.release().catch(() => {});
    this.#fast.close();
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

  /** What waits may have extended a session that looks expired to the durable tier. */
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
  // What this process has acknowledged another one cannot know before it is written.
  if (writeBehind && !shared) limits.add('conditional-writes');
  return [...limits];
}
