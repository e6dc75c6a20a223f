/** Longest time without calls to a failing tier, in milliseconds. */
const LONGEST_OPEN = 10_000;

/**
 * Blocks calls to a failing tier, so that requests do not wait for it in vain. The time doubles with each consecutive failure. After each
 * period one call is allowed as a probe.
 */
export class CircuitBreaker {
  #failures = 0;
  #openUntil = -Infinity;

  /** @param pause after the first failure, in milliseconds */
  constructor(private readonly pause: number) {}

  /** Whether a call is allowed. Allowing a probe starts the next period, so that other calls stay blocked. */
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

  /** Jittered, so that processes do not retry at the same moment. */
  #wait(now: number): void {
    const pause = Math.min(LONGEST_OPEN, this.pause * 2 ** Math.min(this.#failures - 1, 16));
    this.#openUntil = now + pause * (0.75 + Math.random() / 2);
  }
}
