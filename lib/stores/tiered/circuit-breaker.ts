/** Longest that a failing tier is left alone, in milliseconds. */
const LONGEST_OPEN = 10_000;

/**
 * Keeps calls from a tier that fails, so that not every request waits for it in vain: for a while that doubles with every failure
 * in a row, with one call let through each time to see how it is.
 */
export class CircuitBreaker {
  #failures = 0;
  #openUntil = -Infinity;

  /** @param pause after the first failure, in milliseconds */
  constructor(private readonly pause: number) {}

  /** Whether a call may be tried. Who is let through while the tier fails keeps the others out. */
  allows(): boolean {
    if (this.#failures === 0) return true;
    const now = performance.now();
    if (now < this.#openUntil) return false;
    this.#wait(now);
    return true;
  }

  succeed(): void {
    this.#failures = 0;
  }

  fail(): void {
    this.#failures++;
    this.#wait(performance.now());
  }

  /** Jittered, so that many processes do not come back at once. */
  #wait(now: number): void {
    const pause = Math.min(LONGEST_OPEN, this.pause * 2 ** Math.min(this.#failures - 1, 16));
    this.#openUntil = now + pause * (0.75 + Math.random() / 2);
  }
}
