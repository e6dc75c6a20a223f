/** A power of two. With a million entries a shard has about four thousand, and rehashing it takes a fraction of a millisecond. */
const SHARDS = 256;

/** A map of many entries that grows and shrinks a shard at a time, because rehashing one map of a million stops the world for 100 ms. */
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

  /** The values of one shard after the other, each list as it is at that moment. */
  *pages(): Generator<V[]> {
    for (const shard of this.#shards) yield [...shard.values()];
  }
}

/** By the last characters: a session's id is random throughout, and a principal's differs from the next one's at its end. */
function shardOf(key: string): number {
  const end = key.length;
  return (
    (key.charCodeAt(end - 1) * 7 + key.charCodeAt(end - 2) * 31 + key.charCodeAt(end - 3) * 101) &
    (SHARDS - 1)
  );
}
