import { promisify } from 'node:util';
import { systemClock, type Clock } from '../../core/clock';
import type { SessionRecord } from '../../core/session-record';
import type { SessionStore, StoreCall } from '../../core/session-store';
import type {
  EndListener,
  EndSubscription,
  EnumerableStore,
  PrincipalIndexedStore,
  SweepableStore,
  WatchableStore,
} from '../../core/store-capabilities';
import type { SessionId } from '../../core/session-token';
import { SessionError, SessionStoreError } from '../../core/session.errors';
import { ExpiryQueue } from './expiry-queue';
import { MemoryEntry, compact } from './memory-entry';
import { MemoryPrincipalIndex } from './memory-principal-index';
import { ShardedMap } from './sharded-map';

/** Options of {@link MemorySessionStore}. */
export interface MemorySessionStoreOptions {
  /**
   * Maximum number of sessions. When it is reached, an insert removes one: an expired session if there is one, else the anonymous one that
   * expires first, else the oldest of the principal with the most. So neither a flood of visitors nor an account that logs in again and
   * again logs other users out. Revocations of sealed sessions count too. They are never removed for another record, and take the place of
   * no user: without an expired or anonymous session to remove, an insert of one rejects.
   * @default 1_000_000, which small sessions fill with about 400 MB
   */
  readonly maxSessions?: number;
  /** The source of time, which tells the expired sessions. @default the machine's clock */
  readonly clock?: Clock;
}

/**
 * Stores sessions in the memory of this process. They are lost when the process ends. For development, tests, and single-process
 * applications in which a restart may log all users out.
 *
 * No call scans, waits, or sets a timer. A find or update of a recently used session takes less than a microsecond, whatever the number of
 * sessions; of a session not used lately, among a million, two to four.
 */
export class MemorySessionStore
  implements SessionStore, PrincipalIndexedStore, EnumerableStore, SweepableStore, WatchableStore
{
  readonly #entries = new ShardedMap<MemoryEntry>();
  readonly #principals = new MemoryPrincipalIndex();
  readonly #visitors = new ExpiryQueue();
  readonly #users = new ExpiryQueue();
  /** Records that only their expiry removes. */
  readonly #lasting = new ExpiryQueue();
  readonly #listeners = new Set<EndListener>();
  readonly #maxSessions: number;
  readonly #clock: Clock;

  /** @throws SessionError `SESSION_OPTIONS_INVALID` */
  constructor({ maxSessions = 1_000_000, clock = systemClock }: MemorySessionStoreOptions = {}) {
    if (!Number.isSafeInteger(maxSessions) || maxSessions < 1) {
      throw new SessionError(
        'SESSION_OPTIONS_INVALID',
        `maxSessions of MemorySessionStore must be a whole number from 1 up, got ${String(maxSessions)}; leave it out for a million.`,
      );
    }
    this.#maxSessions = maxSessions;
    this.#clock = clock;
  }

  /** The number of sessions, including expired ones that are not swept yet. */
  get size(): number {
    return this.#visitors.size + this.#users.size + this.#lasting.size;
  }

  async find(id: SessionId): Promise<SessionRecord | null> {
    const entry = this.#entries.shard(id).get(id);
    return entry === undefined ? null : this.#recordOf(entry);
  }

  async insert(record: SessionRecord, { lasting = false }: Partial<StoreCall> = {}): Promise<void> {
    const shard = this.#entries.shard(record.id);
    if (shard.has(record.id)) {
      throw new SessionError('SESSION_DUPLICATE_ID', `A session with the id ${record.id} exists already.`);
    }
    if (this.size >= this.#maxSessions) this.#evict(this.#superfluous(lasting));
    const entry = new MemoryEntry(record);
    shard.set(entry.id, entry);
    this.#principals.add(entry);
    (lasting ? this.#lasting : this.#queueOf(entry)).add(entry, record.expiresAt);
  }

  async update(record: SessionRecord, expectedVersion: number): Promise<boolean> {
    const entry = this.#entries.shard(record.id).get(record.id);
    if (entry === undefined || entry.version !== expectedVersion) return false;
    const { principal, secretHash, expiresAt } = this.#recordOf(entry);
    const isEnd =
      principal !== record.principal || secretHash !== record.secretHash || record.expiresAt < expiresAt;
    entry.assign(record);
    if (entry.principal === record.principal) this.#queueOf(entry).move(entry, record.expiresAt);
    else this.#refile(entry, record);
    if (isEnd) this.#tell(entry.id);
    return true;
  }

  async extend(id: SessionId, expectedVersion: number, expiresAt: number): Promise<boolean> {
    const entry = this.#entries.shard(id).get(id);
    if (entry === undefined || entry.version !== expectedVersion) return false;
    this.#queueOf(entry).move(entry, expiresAt);
    return true;
  }

  async delete(id: SessionId): Promise<void> {
    const entry = this.#entries.shard(id).get(id);
    if (entry !== undefined) this.#evict(entry);
  }

  async findByPrincipal(principal: string): Promise<SessionRecord[]> {
    return Array.from(this.#principals.of(principal), (entry) => this.#recordOf(entry));
  }

  async deleteByPrincipal(principal: string): Promise<number> {
    let removed = 0;
    for (const entry of this.#principals.of(principal)) {
      this.#evict(entry);
      removed++;
    }
    return removed;
  }

  async *records({ signal }: StoreCall): AsyncGenerator<SessionRecord> {
    for (const page of this.#entries.pages()) {
      for (const entry of page) {
        if (entry.heapIndex >= 0) yield this.#recordOf(entry);
      }
      await nextTurn();
      signal.throwIfAborted();
    }
  }

  async sweep(now: number, limit: number): Promise<number> {
    let removed = 0;
    for (const queue of [this.#visitors, this.#users, this.#lasting]) {
      for (let entry = queue.first; entry !== undefined && removed < limit; entry = queue.first) {
        if (queue.expiries[0]! > now) break;
        this.#remove(entry);
        removed++;
      }
    }
    return removed;
  }

  watchEnds(listener: EndListener): EndSubscription {
    // A function of its own, so that one listener may be passed twice.
    const own: EndListener = (id) => listener(id);
    this.#listeners.add(own);
    return { isActive: true, close: () => void this.#listeners.delete(own) };
  }

  /**
   * The entry that an insert removes when the store is full. A lasting record takes no user's place: visitors could insert so many that all
   * users are logged out.
   * @throws SessionStoreError when there is none
   */
  #superfluous(lasting: boolean): MemoryEntry {
    const now = this.#clock();
    for (const { first, expiries } of [this.#visitors, this.#users, this.#lasting])
      if (first !== undefined && expiries[0]! <= now) return first;
    const user = lasting ? undefined : (this.#principals.oldestOfMost() ?? this.#users.first);
    const entry = this.#visitors.first ?? user;
    if (entry === undefined) throw isFull(this.#maxSessions);
    return entry;
  }

  #evict(entry: MemoryEntry): void {
    this.#remove(entry);
    this.#tell(entry.id);
  }

  #tell(id: SessionId): void {
    for (const listener of this.#listeners) listener(id);
  }

  #queueOf(entry: MemoryEntry): ExpiryQueue {
    if (this.#lasting.has(entry)) return this.#lasting;
    return entry.principal === null ? this.#visitors : this.#users;
  }

  /** Returns a new record; changing it does not change the entry. */
  #recordOf(entry: MemoryEntry): SessionRecord {
    const { id, version, secretHash, principal, body, heapIndex } = entry;
    const expiresAt = this.#queueOf(entry).expiries[heapIndex]!;
    return { id, version, secretHash, principal, expiresAt, body };
  }

  /** Moves an entry to another principal, after a login or a logout. */
  #refile(entry: MemoryEntry, { principal, expiresAt }: SessionRecord): void {
    const before = this.#queueOf(entry);
    before.remove(entry);
    this.#principals.remove(entry);
    entry.principal = principal === null ? null : compact(principal);
    this.#principals.add(entry);
    (before === this.#lasting ? before : this.#queueOf(entry)).add(entry, expiresAt);
  }

  #remove(entry: MemoryEntry): void {
    this.#entries.shard(entry.id).delete(entry.id);
    this.#principals.remove(entry);
    this.#queueOf(entry).remove(entry);
  }
}

function isFull(maxSessions: number): SessionStoreError {
  const reason = `MemorySessionStore is full: it has ${maxSessions} records, and may remove none of them for this one; raise maxSessions, or use a store on disk`;
  return new SessionStoreError('insert', reason);
}

/** Lets requests run between two pages of an enumeration. Bound at load, so that fake timers do not stop it. */
const nextTurn = promisify(setImmediate);
