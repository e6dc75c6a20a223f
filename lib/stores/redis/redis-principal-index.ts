import { systemClock } from '../../core/clock';
import type { StoreCall } from '../../core/session-store';
import type { SessionId } from '../../core/session-token';
import type { RedisCommands } from './redis-commands';
import { textOf, textsOf } from './redis-reply';
import { ADD_ENTRY, REMOVE_ENTRIES, LIST_ENTRIES, PRUNE_ENTRIES, type RedisScript } from './redis-scripts';
import { type Coverage, DIGITS, toRedisExpiry, toDigits } from './record-format';

/** An entry stands for a session at least this much longer than the session lives without being extended, in milliseconds. */
const LEAST_MARGIN = 3_600_000;

/** Entries that one command removes. */
const BATCH = 1000;

/** A session's place in an index, as the sorted set holds it: its id, and when the entry was made. */
export type IndexEntry = string;

/**
 * Which sessions a principal has: a sorted set for each, of entries by the instant until which they stand. A session's entry is made
 * before the session is written and outlives it, so the index may name sessions that are not there, and misses none.
 */
export class RedisPrincipalIndex {
  constructor(
    private readonly commands: RedisCommands,
    /** What the keys of the sets begin with. */
    private readonly prefix: string,
  ) {}

  /** Makes an entry, or lets the one with this stamp stand longer. Twice as long as needed now, so that extending seldom has to. */
  async enter(
    operation: string,
    principal: string,
    id: SessionId,
    expiresAt: number,
    call: StoreCall,
    stamp = '',
  ): Promise<Coverage> {
    const margin = Math.max(expiresAt - systemClock(), LEAST_MARGIN);
    const until = toDigits(toRedisExpiry(expiresAt + margin));
    const answer = await this.commands.run(
      operation,
      ADD_ENTRY,
      this.#key(principal),
      [id, until, stamp],
      call,
    );
    return { until, stamp: textOf(answer) };
  }

  async entries(operation: string, principal: string, call: StoreCall): Promise<IndexEntry[]> {
    return textsOf(await this.commands.run(operation, LIST_ENTRIES, this.#key(principal), [], call));
  }

  /** Forgets entries of sessions that are gone. Nobody waits for it, and its failure leaves what reading prunes. */
  forget(principal: string, entries: readonly IndexEntry[], call: StoreCall): void {
    this.#remove(REMOVE_ENTRIES, principal, entries, call);
  }

  /** The same for entries whose sessions are not there, or not yet. */
  prune(principal: string, entries: readonly IndexEntry[], call: StoreCall): void {
    this.#remove(PRUNE_ENTRIES, principal, entries, call);
  }

  #remove(script: RedisScript, principal: string, entries: readonly IndexEntry[], call: StoreCall): void {
    for (let start = 0; start < entries.length; start += BATCH) {
      const batch = entries.slice(start, start + BATCH);
      this.commands.run('forget', script, this.#key(principal), batch, call).catch(() => undefined);
    }
  }

  /** Without braces, for clients of a Cluster and its servers do not agree on what `{}{a}` means. */
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
