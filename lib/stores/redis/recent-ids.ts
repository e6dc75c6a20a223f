/** Ids of one generation; there are two at most. */
const GENERATION = 5_000;

/**
 * The ids that a scan came across last. Redis goes through its table so that those which fall into one bucket when the table shrinks
 * come one after the other; only of that bucket, the one it is at, it names keys again. To remember the latest thousands is enough to
 * notice, and holds no more the more sessions there are.
 */
export class RecentIds {
  #before = new Set<string>();
  #now = new Set<string>();

  /** Whether the id is new. */
  add(id: string): boolean {
    if (this.#now.has(id) || this.#before.has(id)) return false;
    if (this.#now.size === GENERATION) {
      this.#before = this.#now;
      this.#now = new Set();
    }
    this.#now.add(id);
    return true;
  }
}
