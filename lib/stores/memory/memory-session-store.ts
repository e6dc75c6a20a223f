import { promisify } from 'node:util';
import type { SessionRecord } from '../../core/session-record';
import type {
  EnumerableStore,
  PrincipalIndexedStore,
  SessionStore,
  StoreCall,
  SweepableStore,
} from '../../core/session-store';
import type { SessionId } from '../../core/session-token';
import { SessionError } from '../../core/session.errors';
import { compact } from './compact';
import { ExpiryQueue } from './expiry-queue';
import { MemoryEntry } from './memory-entry';
import { MemoryPrincipalIndex } from './memory-principal-index';
import { ShardedMap } from './sharded-map';

export interface MemorySessionStoreOptions {
  /**
   * How many sessions are held at most. When there is no room for another, the visitor's session closest to its expiry gives
   * way, and a logged-in user's only when no visitor's is left: a flood of visitors logs nobody out.
   * @default 1_000_000, which small sessions fill with about 400 MB
   */
  readonly maxSessions?: number;
}

/**
 * Keeps sessions in this process's memory, and forgets them when it ends. For development, tests, and applications of one process
 * that can bear logging everybody out at a restart.
 *
 * No call scans, waits, or sets a timer; finding and replacing cost less than a microsecond for sessions in use, however many there
 * are, and of a million two to four for one that nobody has touched lately.
 */
export class MemorySessionStore
  implements SessionStore, PrincipalIndexedStore, EnumerableStore, SweepableStore
{
  readonly #entries = new ShardedMap<MemoryEntry>();
  readonly #principals = new MemoryPrincipalIndex();
  readonly #visitors = new ExpiryQueue();
  readonly #users = new ExpiryQueue();
  readonly #maxSessions: number;

  /** @throws SessionError `SESSION_OPTIONS_INVALID` */
  constructor({ maxSessions = 1_000_000 }: MemorySessionStoreOptions = {}) {
    if (!Number.isSafeInteger(maxSessions) || maxSessions < 1) {
      throw new SessionError(
        'SESSION_OPTIONS_INVALID',
        `maxSessions of MemorySessionStore is ${String(maxSessions)}; give a whole number from 1 up, or leave it out for a million.`,
      );
    }
    this.#maxSessions = maxSessions;
  }

  /** How many sessions are held, expired ones that nobody has swept yet among them. */
  get size(): number {
    return this.#entries.size;
  }

  async find(id: SessionId): Promise<SessionRecord | null> {
    const entry = this.#entries.get(id);
    return entry === undefined ? null : this.#recordOf(entry);
  }

  async insert(record: SessionRecord): Promise<void> {
    if (this.#entries.get(record.id) !== undefined) {
      throw new SessionError('SESSION_DUPLICATE_ID', `A session with the id ${record.id} exists already.`);
    }
    if (this.#entries.size >= this.#maxSessions) this.#remove((this.#visitors.first ?? this.#users.first)!);
    const entry = new MemoryEntry(record);
    this.#entries.set(entry.id, entry);
    this.#principals.add(entry);
    this.#queueOf(entry).add(entry, record.expiresAt);
  }

  async update(record: SessionRecord, expectedVersion: number): Promise<boolean> {
    const entry = this.#entries.get(record.id);
    if (entry === undefined || entry.version !== expectedVersion) return false;
    entry.assign(record);
    if (entry.principal === record.principal) this.#queueOf(entry).move(entry, record.expiresAt);
    else this.#refile(entry, record);
    return true;
  }

  async extend(id: SessionId, expectedVersion: number, expiresAt: number): Promise<boolean> {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.version !== expectedVersion) return false;
    this.#queueOf(entry).move(entry, expiresAt);
    return true;
  }

  async delete(id: SessionId): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry !== undefined) this.#remove(entry);
  }

  async findByPrincipal(principal: string): Promise<SessionRecord[]> {
    return Array.from(this.#principals.of(principal), (entry) => this.#recordOf(entry));
  }

  async deleteByPrincipal(principal: string): Promise<number> {
    let removed = 0;
    for (const entry of this.#principals.of(principal)) {
      this.#remove(entry);
      removed++;
    }
    return removed;
  }

  async *records({ signal }: StoreCall): AsyncGenerator<SessionRecord> {
    for (const page of this.#entries.pages()) {
      for (const entry of page) {
        if (this.#entries.get(entry.id) === entry) yield this.#recordOf(entry);
      }
      await nextTurn();
      signal.throwIfAborted();
    }
  }

  async sweep(now: number, limit: number): Promise<number> {
    let removed = 0;
    for (const queue of [this.#visitors, this.#users]) {
      for (let entry = queue.first; entry !== undefined && removed < limit; entry = queue.first) {
        if (queue.expiresAt(entry) > now) break;
        this.#remove(entry);
        removed++;
      }
    }
    return removed;
  }

  #queueOf(entry: MemoryEntry): ExpiryQueue {
    return entry.principal === null ? this.#visitors : this.#users;
  }

  #recordOf(entry: MemoryEntry): SessionRecord {
    return entry.toRecord(this.#queueOf(entry).expiresAt(entry));
  }

  /** Somebody logged in or out. */
  #refile(entry: MemoryEntry, { principal, expiresAt }: SessionRecord): void {
    this.#queueOf(entry).remove(entry);
    this.#principals.remove(entry);
    entry.principal = principal === null ? null : compact(principal);
    this.#principals.add(entry);
    this.#queueOf(entry).add(entry, expiresAt);
  }

  #remove(entry: MemoryEntry): void {
    this.#entries.delete(entry.id);
    this.#principals.remove(entry);
    this.#queueOf(entry).remove(entry);
  }
}

/** So that going through many sessions lets requests in between. Taken at load, so that fake timers do not stop it. */
const nextTurn = promisify(setImmediate);
