import type { MemoryEntry } from './memory-entry';

/** Children of a node. Four keep the heap half as deep as two, and their instants lie next to each other. */
const ARITY = 4;

/**
 * Entries by when they expire: a heap in which every entry knows its place. Any change takes at most log₄ n steps, and nearly
 * always one or two, since most entries lie at the bottom; nothing depends on what the clock says or how far it jumps.
 */
export class ExpiryQueue {
  // Two arrays instead of one of pairs: the instants stay unboxed and next to each other.
  readonly #expiries: number[] = [];
  readonly #entries: MemoryEntry[] = [];

  get size(): number {
    return this.#entries.length;
  }

  /** The entry that expires first. */
  get first(): MemoryEntry | undefined {
    return this.#entries[0];
  }

  expiresAt(entry: MemoryEntry): number {
    return this.#expiries[entry.place]!;
  }

  add(entry: MemoryEntry, expiresAt: number): void {
    this.#entries.push(entry);
    this.#expiries.push(expiresAt);
    this.#rise(this.#entries.length - 1, entry, expiresAt);
  }

  move(entry: MemoryEntry, expiresAt: number): void {
    const { place } = entry;
    if (expiresAt < this.#expiries[place]!) this.#rise(place, entry, expiresAt);
    else this.#sink(place, entry, expiresAt);
  }

  remove(entry: MemoryEntry): void {
    const { place } = entry;
    const last = this.#entries.pop()!;
    const expiresAt = this.#expiries.pop()!;
    entry.place = -1;
    if (last === entry) return;
    last.place = place;
    this.move(last, expiresAt);
  }

  #rise(place: number, entry: MemoryEntry, expiresAt: number): void {
    while (place > 0) {
      const parent = (place - 1) >> 2; // (place - 1) / ARITY
      if (this.#expiries[parent]! <= expiresAt) break;
      this.#put(place, this.#entries[parent]!, this.#expiries[parent]!);
      place = parent;
    }
    this.#put(place, entry, expiresAt);
  }

  #sink(place: number, entry: MemoryEntry, expiresAt: number): void {
    for (let child = this.#earliestChild(place); child > 0; child = this.#earliestChild(place)) {
      if (this.#expiries[child]! >= expiresAt) break;
      this.#put(place, this.#entries[child]!, this.#expiries[child]!);
      place = child;
    }
    this.#put(place, entry, expiresAt);
  }

  /** 0 when there is none. */
  #earliestChild(place: number): number {
    const first = ARITY * place + 1;
    const end = Math.min(first + ARITY, this.#entries.length);
    if (first >= end) return 0;
    let earliest = first;
    for (let child = first + 1; child < end; child++) {
      if (this.#expiries[child]! < this.#expiries[earliest]!) earliest = child;
    }
    return earliest;
  }

  #put(place: number, entry: MemoryEntry, expiresAt: number): void {
    this.#entries[place] = entry;
    this.#expiries[place] = expiresAt;
    entry.place = place;
  }
}
