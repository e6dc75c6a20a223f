import type { MemoryEntry } from './memory-entry';

/** Children per node. With four the heap is half as deep as with two, and their instants are adjacent in memory. */
const ARITY = 4;

/**
 * A heap of entries ordered by expiry, in which every entry stores its index. A change takes at most log₄ n steps, and usually one or
 * two, because most entries are leaves. The heap never reads the clock, so clock jumps do not affect it.
 */
export class ExpiryQueue {
  // Two arrays instead of one array of pairs keep the instants unboxed and adjacent.
  readonly #entries: MemoryEntry[] = [];
  readonly #expiries: number[] = [];

  /** The instant at which each entry expires, at its `heapIndex`. */
  readonly expiries: readonly number[] = this.#expiries;

  get size(): number {
    return this.#entries.length;
  }

  /** The entry that expires first. */
  get first(): MemoryEntry | undefined {
    return this.#entries[0];
  }

  has(entry: MemoryEntry): boolean {
    const { heapIndex } = entry;
    return heapIndex >= 0 && heapIndex < this.#entries.length && this.#entries[heapIndex] === entry;
  }

  add(entry: MemoryEntry, expiresAt: number): void {
    this.#entries.push(entry);
    this.#expiries.push(expiresAt);
    this.#rise(this.#entries.length - 1, entry, expiresAt);
  }

  move(entry: MemoryEntry, expiresAt: number): void {
    const { heapIndex } = entry;
    if (expiresAt < this.#expiries[heapIndex]!) this.#rise(heapIndex, entry, expiresAt);
    else this.#sink(heapIndex, entry, expiresAt);
  }

  remove(entry: MemoryEntry): void {
    const { heapIndex } = entry;
    const last = this.#entries.pop()!;
    const expiresAt = this.#expiries.pop()!;
    entry.heapIndex = -1;
    if (last === entry) return;
    last.heapIndex = heapIndex;
    this.move(last, expiresAt);
  }

  #rise(heapIndex: number, entry: MemoryEntry, expiresAt: number): void {
    while (heapIndex > 0) {
      const parent = (heapIndex - 1) >> 2; // (heapIndex - 1) / ARITY
      if (this.#expiries[parent]! <= expiresAt) break;
      this.#put(heapIndex, this.#entries[parent]!, this.#expiries[parent]!);
      heapIndex = parent;
    }
    this.#put(heapIndex, entry, expiresAt);
  }

  #sink(heapIndex: number, entry: MemoryEntry, expiresAt: number): void {
    for (let child = this.#earliestChild(heapIndex); child > 0; child = this.#earliestChild(heapIndex)) {
      if (this.#expiries[child]! >= expiresAt) break;
      this.#put(heapIndex, this.#entries[child]!, this.#expiries[child]!);
      heapIndex = child;
    }
    this.#put(heapIndex, entry, expiresAt);
  }

  /** The index of the child that expires first; 0 when there is no child. */
  #earliestChild(heapIndex: number): number {
    const first = ARITY * heapIndex + 1;
    const end = Math.min(first + ARITY, this.#entries.length);
    if (first >= end) return 0;
    let earliest = first;
    for (let child = first + 1; child < end; child++) {
      if (this.#expiries[child]! < this.#expiries[earliest]!) earliest = child;
    }
    return earliest;
  }

  #put(heapIndex: number, entry: MemoryEntry, expiresAt: number): void {
    this.#entries[heapIndex] = entry;
    this.#expiries[heapIndex] = expiresAt;
    entry.heapIndex = heapIndex;
  }
}
