/**
 * Runs the commits of one session in this process one after the other. The conditional writes of the store are sufficient for
 * correctness; the queue avoids the conflicts of many concurrent requests.
 */
export class KeyedQueue {
  readonly #last = new Map<string, Promise<unknown>>();

  /** @param maxWait how long one commit waits for earlier ones, in milliseconds, so that delays of a slow store do not add up */
  constructor(private readonly maxWait: number) {}

  run<T>(id: string, commit: () => Promise<T>): Promise<T> {
    const before = this.#last.get(id);
    const mine = before === undefined ? commit() : this.#settled(before).then(commit);
    this.#last.set(id, mine);
    const leave = (): void => {
      if (this.#last.get(id) === mine) this.#last.delete(id);
    };
    mine.then(leave, leave);
    return mine;
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
