import type { WatchedStore } from '../support/watched-store';

/** Something that calls a store of its own, such as a process. */
export interface Actor {
  readonly store: WatchedStore;
  readonly run: () => Promise<unknown>;
}

/** Lets everything happen that waits for no call. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
}

/**
 * Runs actors whose store calls are made one at a time, in a given order: each number is the actor whose next call is made. One that has no
 * call to make gives its place to the next; after the last number they take turns.
 * @param look called after each call
 */
export async function inOrder(
  actors: readonly Actor[],
  order: readonly number[],
  look: () => Promise<void> = async () => {},
): Promise<void> {
  const waiting = actors.map((): (() => void)[] => []);
  let running = actors.length;
  for (const [index, { store, run }] of actors.entries()) {
    store.before = () => new Promise<void>((resolve) => waiting[index]!.push(resolve));
    void run().finally(() => running--);
  }
  await settle();
  for (let step = 0; running > 0; step++) {
    const first = order[step] ?? step % actors.length;
    const places = actors.map((_, index) => waiting[(first + index) % actors.length]!);
    places.find(({ length }) => length > 0)?.shift()!();
    await settle();
    await look();
  }
  for (const { store } of actors) store.before = () => {};
}

/** Every order of so many calls of two actors. */
export function ordersOfTwo(length: number): number[][] {
  return Array.from({ length: 2 ** length }, (_, n) =>
    Array.from({ length }, (_, index) => (n >> index) & 1),
  );
}

/** Some orders of the calls of several actors, the same for each seed. */
export function someOrders(count: number, actors: number, length: number, seed: number): number[][] {
  let state = seed | 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % actors;
  };
  return Array.from({ length: count }, () => Array.from({ length }, next));
}
