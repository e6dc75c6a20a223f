import { setTimeout as pause } from 'node:timers/promises';

/** Longest pause between two attempts, in milliseconds, before jitter of ±50 %. */
const LONGEST_BACKOFF = 25;

/**
 * Waits before the next attempt, with exponential backoff from one millisecond and jitter. Resolves `false` at once when the call is
 * aborted.
 * @param attempt the number of failed attempts
 */
export async function backOff(attempt: number, signal: AbortSignal): Promise<boolean> {
  try {
    await pause(Math.min(2 ** (attempt - 1), LONGEST_BACKOFF) * (0.5 + Math.random()), undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
