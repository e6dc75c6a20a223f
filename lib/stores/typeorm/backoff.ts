import { setTimeout as pause } from 'node:timers/promises';

/** Longest pause between two attempts, in milliseconds, give or take half. */
const LONGEST_BACKOFF = 25;

/**
 * Waits before the next attempt. Pauses grow from a millisecond, and vary, so that two who wait do not keep meeting.
 * Resolves `false`, at once, when the call is given up.
 * @param attempt how many have failed
 */
export async function backOff(attempt: number, signal: AbortSignal): Promise<boolean> {
  try {
    await pause(Math.min(2 ** (attempt - 1), LONGEST_BACKOFF) * (0.5 + Math.random()), undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
