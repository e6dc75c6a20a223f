import type { MemoryEntry } from './memory-entry';
import { ShardedMap } from './sharded-map';

/** The sessions of a principal that has more than one. */
interface Several {
  count: number;
  oldest: MemoryEntry;
}

/**
 * The sessions of each principal, as linked lists of entries, newest first. Costs one map entry per principal, a few more for one with
 * several sessions, and no memory per session.
 */
export class MemoryPrincipalIndex {
  readonly #heads = new ShardedMap<MemoryEntry>();
  readonly #several = new ShardedMap<Several>();
  /** The principals with two sessions or more, by their number. */
  readonly #byCount = new Map<number, Set<string>>();
  /** The largest number of sessions of one principal, if it is at least two. */
  #most = 1;

  *of(principal: string): Generator<MemoryEntry> {
    let entry = this.#heads.shard(principal).get(principal) ?? null;
    while (entry !== null) {
      const { next }: MemoryEntry = entry; // read first, because the consumer may remove the entry
      yield entry;
      entry = next;
    }
  }

  /** The oldest session of the principal with the most, if one has several. */
  oldestOfMost(): MemoryEntry | undefined {
    for (const principal of this.#byCount.get(this.#most) ?? [])
      return this.#several.shard(principal).get(principal)!.oldest;
    return undefined;
  }

  add(entry: MemoryEntry): void {
    const { principal } = entry;
    if (principal === null) return;
    const heads = this.#heads.shard(principal);
    const head = heads.get(principal) ?? null;
    entry.next = head;
    heads.set(principal, entry);
    if (head === null) return;
    head.previous = entry;
    this.#count(principal, 1, head);
  }

  remove(entry: MemoryEntry): void {
    const { principal, previous, next } = entry;
    if (principal === null) return;
    if (next !== null) next.previous = previous;
    if (previous !== null) previous.next = next;
    else if (next !== null) this.#heads.shard(principal).set(principal, next);
    else this.#heads.shard(principal).delete(principal);
    entry.previous = entry.next = null;
    if (previous !== null || next !== null) this.#count(principal, -1, next === null ? previous! : undefined);
  }

  /** @param oldest the oldest session now, if it is another one than before */
  #count(principal: string, change: 1 | -1, oldest: MemoryEntry | undefined): void {
    const all = this.#several.shard(principal);
    const several = all.get(principal) ?? { count: 1, oldest: oldest! };
    const before = several.count;
    several.count += change;
    // A session that is added is not the oldest of several.
    if (change < 0 && oldest !== undefined) several.oldest = oldest;
    if (several.count > 1) all.set(principal, several);
    else all.delete(principal);
    this.#move(principal, before, several.count);
  }

  #move(principal: string, from: number, to: number): void {
    const left = this.#byCount.get(from);
    if (left?.delete(principal) && left.size === 0) this.#byCount.delete(from);
    if (to > 1) {
      const joined = this.#byCount.get(to) ?? new Set();
      this.#byCount.set(to, joined.add(principal));
    }
    if (to > this.#most || (from === this.#most && !this.#byCount.has(from))) this.#most = to;
  }
}
