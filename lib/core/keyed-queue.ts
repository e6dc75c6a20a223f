/**
 * Lets the commits of one session that meet in this process pass one after the other. Correctness does not need it, the
 * store's conditional writes see to that; it spares a hundred parallel requests a hundred rounds of conflicts.
 */
export class KeyedQueue {
  readonly #last = new Map<string, Promise<unknown>>();

  /** @param patience how long one commit waits for those before it, in milliseconds: a store that hangs must not add up */
  constructor(private readonly patience: number) {}

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
      const timer = setTimeout(resolve, this.patience);
      const go = (): void => {
        clearTimeout(timer);
        resolve();
      };
      before.then(go, go);
    });
  }
}
