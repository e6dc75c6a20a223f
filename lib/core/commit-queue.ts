/**
 * Lets the commits of one session that meet in this process pass one after the other. Correctness does not need it, the
 * store's conditional writes see to that; it spares a hundred parallel requests a hundred rounds of conflicts.
 */
export class CommitQueue {
  readonly #last = new Map<string, Promise<unknown>>();

  async run<T>(id: string, commit: () => Promise<T>): Promise<T> {
    const before = this.#last.get(id);
    const mine = before === undefined ? commit() : before.then(commit, commit);
    this.#last.set(id, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(id) === mine) this.#last.delete(id);
    }
  }
}
