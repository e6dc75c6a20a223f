/** A power of two. With a million entries a shard holds about four thousand, and rehashing it takes a fraction of a millisecond. */
const SHARDS = 256;

/**
 * Maps that together hold the values of all keys. Each grows and shrinks by itself, because rehashing a single map of a million entries
 * blocks the process for 100 ms.
 */
export class ShardedMap<V> {
  readonly #shards: readonly Map<string, V>[] = Array.from({ length: SHARDS }, () => new Map<string, V>());

  /** The map of a key. Hashes the last three characters: ids are random in all positions, and principals usually differ at their end. */
  shard(key: string): Map<string, V> {
    const end = key.length;
    const hash = key.charCodeAt(end - 1) * 7 + key.charCodeAt(end - 2) * 31 + key.charCodeAt(end - 3) * 101;
    return this.#shards[hash & (SHARDS - 1)]!;
  }

  /** The values, shard by shard. Each page is a snapshot of its shard. */
  *pages(): Generator<V[]> {
    for (const shard of this.#shards) yield [...shard.values()];
  }
}
