import { setTimeout as sleep } from 'node:timers/promises';

/** Length of a pause in relation to the work before it. */
const PAUSE_FACTOR = 2;

/** Returns how long to pause after work of a given duration. All in milliseconds. */
export function pauseAfter(duration: number, least = 1): number {
  return Math.max(least, PAUSE_FACTOR * duration);
}

/**
 * Limits the load of a long iteration: it pauses after each page, so that it uses the store for at most a third of the time and requests
 * are not delayed.
 * @returns a function that runs the work on one page, after the pause. It rejects when `signal` aborts during the pause.
 */
export function pacer(signal: AbortSignal): <T>(work: () => Promise<T>) => Promise<T> {
  let pause = 0;
  return async (work) => {
    if (pause > 0) await sleep(pause, undefined, { signal });
    const begun = performance.now();
    const result = await work();
    pause = pauseAfter(performance.now() - begun);
    return result;
  };
}
