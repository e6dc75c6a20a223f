import type { SessionRecord } from '../../core/session-record';
import type { SessionStore, StoreCall } from '../../core/session-store';
import type { SessionId } from '../../core/session-token';
import type { FastLease, Permit } from './fast-lease';
import type { FastTier } from './fast-tier';

/** The parts of a tiered store. */
export interface Tiers {
  readonly durable: SessionStore;
  readonly fast: FastTier;
  readonly lease: FastLease;
}

/** The five calls over both tiers. Every write goes to the durable tier, and is answered once no process uses an older copy. */
export class WriteThrough implements SessionStore {
  constructor(protected readonly tiers: Tiers) {}

  /**
   * Reads the fast tier only, if it has a copy. Otherwise reserves the entry before it reads the durable tier. A write in between removes the
   * reservation, and the outdated copy, which may replace only the reservation, is not stored.
   */
  async find(id: SessionId, call: StoreCall): Promise<SessionRecord | null> {
    const { fast, lease } = this.tiers;
    const permit = await lease.permit();
    const entry = permit && (await fast.read(id, permit.since));
    if (entry?.kind === 'copy') return entry.record;
    // The process that reserved the entry stores the copy.
    if (entry?.kind === 'reserved') return entry.copy?.record ?? this.read(id, call);
    if (permit === null || entry === null) return this.read(id, call);
    const stamp = await fast.reserve(id, entry, 'reader');
    const record = await this.read(id, call);
    if (typeof stamp !== 'number') return record;
    if (record === null) await fast.drop(id);
    else await fast.put(record, stamp, permit.at);
    return record;
  }

  /** Reserves the entry first, for the same reason as `find`. */
  async insert(record: SessionRecord, call: StoreCall): Promise<void> {
    const { durable, fast, lease } = this.tiers;
    const permit = await lease.permit();
    const stamp = permit && (await fast.reserve(record.id, { kind: 'empty' }, 'writer'));
    try {
      await durable.insert(record, call);
    } catch (error) {
      if (typeof stamp === 'number') await fast.drop(record.id);
      throw error;
    }
    if (permit !== null && typeof stamp === 'number') await fast.put(record, stamp, permit.at);
  }

  async update(record: SessionRecord, expectedVersion: number, call: StoreCall): Promise<boolean> {
    const { durable, fast } = this.tiers;
    const { id } = record;
    const permit = await this.tiers.lease.permit();
    const done = await this.writeDurable(id, () => durable.update(record, expectedVersion, call));
    await this.settle(call, () => (done ? this.replace(record, expectedVersion, permit) : fast.drop(id)));
    return done;
  }

  async extend(id: SessionId, expectedVersion: number, expiresAt: number, call: StoreCall): Promise<boolean> {
    const { durable, fast, lease } = this.tiers;
    await lease.permit();
    const done = await this.writeDurable(id, () => durable.extend(id, expectedVersion, expiresAt, call));
    await this.settle(call, () => fast.drop(id));
    return done;
  }

  async delete(id: SessionId, call: StoreCall): Promise<void> {
    const { durable, fast, lease } = this.tiers;
    await lease.permit();
    await this.writeDurable(id, () => durable.delete(id, call));
    await this.settle(call, () => fast.drop(id));
  }

  /** Reads the durable tier. */
  protected read(id: SessionId, call: StoreCall): Promise<SessionRecord | null> {
    return this.tiers.durable.find(id, call);
  }

  /** Writes to the durable tier. A failed write may have happened, so the copy is removed if possible. */
  protected async writeDurable<T>(id: SessionId, write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (error) {
      if (!this.tiers.lease.isSuspended()) await this.tiers.fast.drop(id);
      throw error;
    }
  }

  /**
   * Resolves when no process uses a copy older than the write just made. Also called after a refused write, which shows that a copy may be
   * outdated.
   * @param tell changes the fast tier; resolves `false` when that failed
   * @throws when neither the fast tier could be changed nor the durable tier could mark it stale in time
   */
  protected async settle(call: StoreCall, tell: () => Promise<boolean>): Promise<void> {
    const { lease } = this.tiers;
    if (lease.isSuspended()) return;
    if (lease.reachesAll() && (await tell())) return;
    await lease.suspend(call.signal);
  }

  /** Replaces the old copy with the new one. When the entry has another version, removes it. */
  protected async replace(record: SessionRecord, expected: number, permit: Permit | null): Promise<boolean> {
    const { fast } = this.tiers;
    if (permit !== null && (await fast.put(record, expected, permit.at)) === true) return true;
    return fast.drop(record.id);
  }
}
