import { setTimeout as pause } from 'node:timers/promises';

/** How many times as long as it worked a long task rests. */
const REST = 2;

/** How long to rest after work that took so long, in milliseconds. */
export function restAfter(took: number, least = 1): number {
  return Math.max(least, REST * took);
}

/**
 * Keeps a walk through everything from crowding out those who only want their own session: it works page by page, and rests between two of
 * them, so that it has the store for a third of the time at most.
 * @returns runs the work on one page. Rejects instead when the call is given up.
 */
export function pacer(signal: AbortSignal): <T>(work: () => Promise<T>) => Promise<T> {
  let owed = 0;
  return async (work) => {
    if (owed > 0) await pause(owed, undefined, { signal });
    const begun = performance.now();
    const result = await work();
    owed = restAfter(performance.now() - begun);
    return result;
  };
}
