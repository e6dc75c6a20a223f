import type { MemoryEntry } from './memory-entry';
import { ShardedMap } from './sharded-map';

/** The sessions of each principal, as linked lists of entries. Costs one map entry per principal and no memory per session. */
export class MemoryPrincipalIndex {
  readonly #heads = new ShardedMap<MemoryEntry>();

  *of(principal: string): Generator<MemoryEntry> {
    let entry = this.#heads.shard(principal).get(principal) ?? null;
    while (entry !== null) {
      const { next }: MemoryEntry = entry; // read first, because the consumer may remove the entry
      yield entry;
      entry = next;
    }
  }

  add(entry: MemoryEntry): void {
    if (entry.principal === null) return;
    const heads = this.#heads.shard(entry.principal);
    const head = heads.get(entry.principal) ?? null;
    entry.next = head;
    if (head !== null) head.previous = entry;
    heads.set(entry.principal, entry);
  }

  remove(entry: MemoryEntry): void {
    const { principal, previous, next } = entry;
    if (principal === null) return;
    if (next !== null) next.previous = previous;
    if (previous !== null) previous.next = next;
    else if (next !== null) this.#heads.shard(principal).set(principal, next);
    else this.#heads.shard(principal).delete(principal);
    entry.previous = entry.next = null;
  }
}
