import { setTimeout as pause } from 'node:timers/promises';
import type { SessionRecord } from '../../core/session-record';
import type { StoreCall } from '../../core/session-store';
import type { SessionId } from '../../core/session-token';
import { SessionStoreError } from '../../core/session.errors';
import type { Permit } from './fast-lease';
import { isSameGeneration, writeLate } from './late-write';
import type { Copy, FastEntry } from './fast-entry';
import type { TieredOptions } from './tiered.options';
import type { WriteQueue } from './write-queue';
import { WriteThrough, type Tiers } from './write-through';

/** An update or an extension. */
interface WriteRequest {
  readonly id: SessionId;
  readonly expectedVersion: number;
  /** The new record, given the copy of the version that it replaces; `null` when it cannot be made without a copy. */
  readonly next: (copy: SessionRecord | null) => SessionRecord | null;
  /** Writes to the durable tier without a copy. */
  readonly direct: () => Promise<boolean>;
  readonly call: StoreCall;
}

/** An entry reserved for this writer; all `null` when the fast tier could not be reached. */
interface EntryLock {
  readonly stamp: number | null;
  /** The copy of the version to replace, if there was one. */
  readonly copy: SessionRecord | null;
  readonly permit: Permit | null;
}

const NO_ENTRY_LOCK: EntryLock = { stamp: null, copy: null, permit: null };

/** How often to try to lock an entry, and the longest pause between tries, in milliseconds. */
const MAX_LOCK_ATTEMPTS = 20;
const LONGEST_LOCK_PAUSE = 20;

/**
 * Acknowledges changes of data, and extensions, once the fast tier has them; the queue writes them to the durable tier. Changes of the token
 * or the principal, earlier ends, and deletes, are written through. So are changes late in the life of a copy or a session: otherwise other
 * processes could read an older record from the durable tier, or sweep it, before the queue has written.
 */
export class WriteBehind extends WriteThrough {
  constructor(
    tiers: Tiers,
    private readonly queue: WriteQueue,
    private readonly options: TieredOptions,
  ) {
    super(tiers);
  }

  override update(record: SessionRecord, expectedVersion: number, call: StoreCall): Promise<boolean> {
    const direct = (): Promise<boolean> => this.tiers.durable.update(record, expectedVersion, call);
    return this.#write({ id: record.id, expectedVersion, next: () => record, direct, call });
  }

  override extend(
    id: SessionId,
    expectedVersion: number,
    expiresAt: number,
    call: StoreCall,
  ): Promise<boolean> {
    const next = (copy: SessionRecord | null): SessionRecord | null => copy && { ...copy, expiresAt };
    const direct = (): Promise<boolean> => this.tiers.durable.extend(id, expectedVersion, expiresAt, call);
    return this.#write({ id, expectedVersion, next, direct, call });
  }

  /** Reads the durable tier, which decides whether the session exists and for whom. A waiting change may have newer data. */
  protected override async read(id: SessionId, call: StoreCall): Promise<SessionRecord | null> {
    const before = this.queue.get(id);
    const found = await super.read(id, call);
    // A change that waited when the read began may be written by now, after the read.
    const waiting = this.queue.get(id) ?? before;
    if (found === null || waiting === undefined) return found;
    return isSameGeneration(found, waiting) && waiting.version >= found.version ? waiting : found;
  }

  async #write(change: WriteRequest): Promise<boolean> {
    const permit = await this.tiers.lease.permit();
    const entry = permit && (await this.tiers.fast.read(change.id, permit.since));
    const late = await this.#writeLate(change, entry);
    if (typeof late === 'boolean') return late;
    const lock = late === 'unknown' ? NO_ENTRY_LOCK : await this.#lock(change);
    if (lock === null) return false;
    const done = await this.#writeNow(change, lock);
    // The write may have reached the fast tier, and other writes may build on it.
    if (!done && late === 'unknown')
      throw new SessionStoreError(
        'update',
        'the fast tier did not answer, so the write may or may not have happened',
      );
    return done;
  }

  /** Queues the write. `null` when that is not safe, `'unknown'` when the fast tier did not answer. */
  async #writeLate(change: WriteRequest, entry: FastEntry | null): Promise<boolean | null | 'unknown'> {
    const { id, expectedVersion } = change;
    const { fast, lease } = this.tiers;
    if (entry?.kind !== 'copy') return null;
    const record = entry.record.version === expectedVersion ? change.next(entry.record) : null;
    if (record === null || !this.#mayWait(entry, record) || !this.queue.reservePlace(id)) return null;
    const done = await fast.put(record, expectedVersion, entry.madeAt);
    this.queue.enqueue(done === true ? record : null, expectedVersion);
    if (done === null) return 'unknown';
    // Write now if other processes may have stopped using the fast tier, or a sweep may remove the session.
    return done && !(lease.mayUse() && this.#mayWait(entry, record)) ? this.queue.flush(id) : done;
  }

  #mayWait({ record, madeAt }: Copy, next: SessionRecord): boolean {
    const { clock, maxAge } = this.options;
    const now = clock();
    const ends = Math.min(record.expiresAt, next.expiresAt);
    const isFarFromItsEnd = Math.max(now, this.tiers.fast.sweptAt) + maxAge < ends;
    const isEarlier = next.expiresAt < record.expiresAt;
    return isSameGeneration(record, next) && !isEarlier && now < madeAt + maxAge / 2 && isFarFromItsEnd;
  }

  /** Reserves the entry, so that no other writer acknowledges a change that this write would overwrite. `null` when another writer was faster. */
  async #lock({ id, expectedVersion }: WriteRequest): Promise<EntryLock | null> {
    const { fast, lease } = this.tiers;
    for (let attempts = 0; attempts < MAX_LOCK_ATTEMPTS; attempts++) {
      if (attempts > 0) await pause(Math.min(LONGEST_LOCK_PAUSE, attempts));
      const permit = await lease.permit();
      const entry = permit && (await fast.read(id, permit.since));
      if (entry === null) return NO_ENTRY_LOCK;
      if (entry.kind === 'reserved' && entry.by === 'writer') continue;
      const copy = entry.kind === 'copy' ? entry.record : null;
      if (copy !== null && copy.version > expectedVersion) return null;
      const stamp = await fast.reserve(id, entry, 'writer');
      if (stamp === false) continue;
      return { stamp, copy: copy?.version === expectedVersion ? copy : null, permit };
    }
    return null;
  }

  async #writeNow(change: WriteRequest, { stamp, copy, permit }: EntryLock): Promise<boolean> {
    const { durable, fast } = this.tiers;
    const { id, expectedVersion, direct, call } = change;
    const record = change.next(copy);
    const done = await this.writeDurable(id, async () => {
      await this.queue.flush(id);
      if (copy === null || record === null) return direct();
      return (await writeLate(durable, record, expectedVersion, copy, call)) === 'written';
    });
    const isKept = done && record !== null && stamp !== null;
    await this.settle(call, () => (isKept ? this.replace(record, stamp, permit) : fast.drop(id)));
    return done;
  }
}
