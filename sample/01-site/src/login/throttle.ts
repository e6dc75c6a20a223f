/** The time in epoch milliseconds. */
export type Clock = () => number;

export interface Limit {
  /** How many attempts a window has. */
  readonly attempts: number;
  /** In milliseconds, from the first attempt. */
  readonly window: number;
}

interface Count {
  readonly until: number;
  attempts: number;
}

/** Bounds the memory of one throttle to some megabytes. The keys that were tried longest ago are forgotten first. */
const MOST_KEYS = 20_000;

/**
 * Counts attempts by key: an address, an account. The counts are in this process alone and end with it; a site with several processes
 * keeps them in a store that they share.
 */
export class Throttle {
  readonly #counts = new Map<string, Count>();

  constructor(
    private readonly limit: Limit,
    private readonly clock: Clock = Date.now,
  ) {}

  /**
   * Counts an attempt before it is made, so that attempts made at once are not all "the first". Returns the milliseconds to wait, 0 for
   * go on. Refused attempts do not lengthen the window: the wait is over when it was said to be.
   */
  attempt(key: string): number {
    const now = this.clock();
    const count = this.#current(key, now);
    count.attempts++;
    // Put last, so that the first key of the map is the one that was tried longest ago.
    this.#counts.delete(key);
    this.#counts.set(key, count);
    if (this.#counts.size > MOST_KEYS) this.#counts.delete(this.#counts.keys().next().value!);
    return count.attempts > this.limit.attempts ? count.until - now : 0;
  }

  /** An attempt that was made turned out to be nothing to count. */
  takeBack(key: string): void {
    const count = this.#counts.get(key);
    if (count !== undefined) count.attempts--;
  }

  forget(key: string): void {
    this.#counts.delete(key);
  }

  #current(key: string, now: number): Count {
    const known = this.#counts.get(key);
    return known !== undefined && known.until > now ? known : { until: now + this.limit.window, attempts: 0 };
  }
}
