import type { SessionRecord } from '../../core/session-record';
import type { SessionStore, StoreCall } from '../../core/session-store';
import type { SessionId } from '../../core/session-token';
import type { FastLease, Permit } from './fast-lease';
import type { FastTier } from './fast-tier';

/** What the tiers are made of. */
export interface Tiers {
  readonly durable: SessionStore;
  readonly fast: FastTier;
  readonly lease: FastLease;
}

/** The five calls over both tiers. Every write is made in the durable tier, and answered when nobody believes an older copy any more. */
export class WriteThrough implements SessionStore {
  constructor(protected readonly tiers: Tiers) {}

  /**
   * One read of the fast tier when it has a copy. If not, the entry is reserved before the durable tier is read: a write that comes in
   * between empties it, and the copy, which is put in the reservation's place only, comes to nothing.
   */
  async find(id: SessionId, call: StoreCall): Promise<SessionRecord | null> {
    const { fast, lease } = this.tiers;
    const permit = await lease.permit();
    const entry = permit && (await fast.read(id, permit.since));
    if (entry?.kind === 'copy') return entry.record;
    // Whoever has reserved it fills it.
    if (entry?.kind === 'reserved') return entry.copy?.record ?? this.read(id, call);
    if (permit === null || entry === null) return this.read(id, call);
    const stamp = await fast.reserve(id, entry, 'reader');
    const record = await this.read(id, call);
    if (typeof stamp !== 'number') return record;
    if (record === null) await fast.drop(id);
    else await fast.put(record, stamp, permit.at);
    return record;
  }

  /** Reserves the entry first, for the same reason. */
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

  /** What the durable tier knows. */
  protected read(id: SessionId, call: StoreCall): Promise<SessionRecord | null> {
    return this.tiers.durable.find(id, call);
  }

  /** A write to the durable tier. One that fails may have happened, so the copy goes, if it can. */
  protected async writeDurable<T>(id: SessionId, write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (error) {
      if (!this.tiers.lease.isSuspended()) await this.tiers.fast.drop(id);
      throw error;
    }
  }

  /**
   * Resolves when nobody believes a copy that is older than the write just made; so does a refused write show that there may be one.
   * @param tell has the fast tier changed, and says whether it could
   * @throws when neither the fast tier nor the durable one could be told in time
   */
  protected async settle(call: StoreCall, tell: () => Promise<boolean>): Promise<void> {
    const { lease } = this.tiers;
    if (lease.isSuspended()) return;
    if (lease.reachesAll() && (await tell())) return;
    await lease.suspend(call.signal);
  }

  /** Puts the new copy in the place of the old one; where something else is, nothing is left. */
  protected async replace(record: SessionRecord, expected: number, permit: Permit | null): Promise<boolean> {
    const { fast } = this.tiers;
    if (permit !== null && (await fast.put(record, expected, permit.at)) === true) return true;
    return fast.drop(record.id);
  }
}
