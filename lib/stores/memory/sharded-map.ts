/** A power of two. With a million entries a shard holds about four thousand, and rehashing it takes a fraction of a millisecond. */
const SHARDS = 256;

/** A map that grows and shrinks one shard at a time, because rehashing a single map of a million entries blocks the process for 100 ms. */
export class ShardedMap<V> {
  readonly #shards: readonly Map<string, V>[] = Array.from({ length: SHARDS }, () => new Map<string, V>());
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    return this.#shards[shardOf(key)]!.get(key);
  }

  set(key: string, value: V): void {
    const shard = this.#shards[shardOf(key)]!;
    const before = shard.size;
    shard.set(key, value);
    this.#size += shard.size - before;
  }

  delete(key: string): void {
    if (this.#shards[shardOf(key)]!.delete(key)) this.#size--;
  }

  /** The values, shard by shard. Each page is a snapshot of its shard. */
  *pages(): Generator<V[]> {
    for (const shard of this.#shards) yield [...shard.values()];
  }
}

/** Hashes the last three characters: ids are random in all positions, and principals usually differ at their end. */
function shardOf(key: string): number {
  const end = key.length;
  return (
    (key.charCodeAt(end - 1) * 7 + key.charCodeAt(end - 2) * 31 + key.charCodeAt(end - 3) * 101) &
    (SHARDS - 1)
  );
}
