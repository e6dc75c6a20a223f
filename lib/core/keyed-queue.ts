/** Number of keys after which those at rest are removed, together: removing each one by itself takes a tenth of the time of a write. */
const SWEEP_AT = 1024;

/**
 * Runs the commits of one session in this process one after the other. The conditional writes of the store are sufficient for
 * correctness; the queue avoids the conflicts of many concurrent requests.
 */
export class KeyedQueue {
  /** The last commit of each key; `null` when it has ended. */
  readonly #last = new Map<string, Promise<unknown> | null>();
  #sweepAt = SWEEP_AT;

  /** @param maxWait how long one commit waits for earlier ones, in milliseconds, so that delays of a slow store do not add up */
  constructor(private readonly maxWait: number) {}

  run<T>(id: string, commit: () => Promise<T>): Promise<T> {
    if (this.#last.size >= this.#sweepAt) this.#sweep();
    const before = this.#last.get(id) ?? null;
    const mine = before === null ? commit() : this.#settled(before).then(commit);
    this.#last.set(id, mine);
    const leave = (): void => {
      if (this.#last.get(id) === mine) this.#last.set(id, null);
    };
    mine.then(leave, leave);
    return mine;
  }

  #sweep(): void {
    for (const [id, last] of this.#last) if (last === null) this.#last.delete(id);
    this.#sweepAt = Math.max(SWEEP_AT, 2 * this.#last.size);
  }

  #settled(before: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.maxWait);
      const go = (): void => {
        clearTimeout(timer);
        resolve();
      };
      before.then(go, go);
    });
  }
}
