/** Maximum number of ids per generation. At most two generations are kept. */
const GENERATION = 5_000;

/**
 * The ids that a scan yielded most recently, to drop duplicates. SCAN visits keys that share a bucket of a shrunken table one after another,
 * and repeats only keys of the bucket it is at. So the latest few thousand ids suffice, whatever the number of sessions.
 */
export class RecentIds {
  #before = new Set<string>();
  #now = new Set<string>();

  /** `true` when the id is new. */
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
