import type { Clock } from '../../core/clock';
import type { StoreCall } from '../../core/session-store';
import type { SessionId } from '../../core/session-token';
import type { RedisCommands } from './redis-commands';
import { textsOf } from './redis-reply';
import { ADD_ENTRY, REMOVE_ENTRIES, LIST_ENTRIES, PRUNE_ENTRIES, type RedisScript } from './redis-scripts';
import { type Coverage, DIGITS, timeToLive, toRedisExpiry } from './record-format';

/** Minimum time by which an entry outlives the current expiry of its session, in milliseconds. */
const LEAST_MARGIN = 3_600_000;

/** Maximum number of entries that one command removes. */
const BATCH = 1000;

/** A member of a sorted set: the session's id, and the stamp of when the entry was made. */
export type IndexEntry = string;

/**
 * The sessions of each principal: one sorted set per principal, with entries scored by the instant until which they are valid. An entry is
 * written before its session and outlives it. So the index may name sessions that do not exist, but misses none.
 */
export class RedisPrincipalIndex {
  constructor(
    private readonly commands: RedisCommands,
    /** Prefix of the sets' keys. */
    private readonly prefix: string,
    private readonly clock: Clock,
  ) {}

  /** Adds an entry, or prolongs the entry with this stamp. It is valid for twice the session's remaining time, so that few extensions need another prolongation. */
  async enter(
    operation: string,
    principal: string,
    id: SessionId,
    expiresAt: number,
    call: StoreCall,
    stamp = '',
  ): Promise<Coverage> {
    const now = this.clock();
    const until = toRedisExpiry(expiresAt + Math.max(expiresAt - now, LEAST_MARGIN));
    const parameters = [id, String(until), String(timeToLive(until, now)), stamp];
    const answer = await this.commands.run(operation, ADD_ENTRY, this.#key(principal), parameters, call);
    const [given, stands] = textsOf(answer) as [string, string];
    return { until: stands, stamp: given };
  }

  async entries(operation: string, principal: string, call: StoreCall): Promise<IndexEntry[]> {
    return textsOf(await this.commands.run(operation, LIST_ENTRIES, this.#key(principal), [], call));
  }

  /** Removes entries of deleted sessions, in the background. After a failure the next read of the index prunes them. */
  forget(principal: string, entries: readonly IndexEntry[], call: StoreCall): void {
    this.#remove(REMOVE_ENTRIES, principal, entries, call);
  }

  /** Removes entries whose sessions were not found, in the background. Keeps recent entries: their sessions may not be written yet. */
  prune(principal: string, entries: readonly IndexEntry[], call: StoreCall): void {
    this.#remove(PRUNE_ENTRIES, principal, entries, call);
  }

  #remove(script: RedisScript, principal: string, entries: readonly IndexEntry[], call: StoreCall): void {
    for (let start = 0; start < entries.length; start += BATCH) {
      const batch = entries.slice(start, start + BATCH);
      this.commands.run('forget', script, this.#key(principal), batch, call).catch(() => undefined);
    }
  }

  /** The key without braces, because clients and servers of a Cluster hash keys such as `{}{a}` differently. */
  #key(principal: string): string {
    return this.prefix + principal.replace(/[%{}]/g, encodeURIComponent);
  }
}

export function indexEntryOf(id: SessionId, stamp: string): IndexEntry {
  return id + stamp;
}

export function sessionIdOfEntry(entry: IndexEntry): SessionId {
  return entry.slice(0, -DIGITS) as SessionId;
}
