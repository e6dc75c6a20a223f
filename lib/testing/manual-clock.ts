import { parse } from '@lukeed/ms';
import type { Clock } from '../core/clock';

/** A clock that stands still until a test moves it. Give it to the module as its clock, and nothing has to sleep. */
export interface ManualClock extends Clock {
  /**
   * Moves on by milliseconds or by a duration such as `'30m'`; a negative one steps back.
   * @returns the new instant, in epoch milliseconds
   */
  advance(duration: number | string): number;
  /** Jumps to an instant in epoch milliseconds. */
  set(instant: number): void;
}

/** @param startAt epoch milliseconds. @default 2030-01-01T00:00:00Z */
export function manualClock(startAt = Date.UTC(2030, 0, 1)): ManualClock {
  let now = startAt;
  return Object.assign(() => now, {
    advance: (duration: number | string) => (now += toMilliseconds(duration)),
    set: (instant: number) => void (now = instant),
  });
}

function toMilliseconds(duration: number | string): number {
  const milliseconds = typeof duration === 'number' ? duration : parse(duration);
  if (milliseconds === undefined || !Number.isFinite(milliseconds)) {
    throw new TypeError(
      `manualClock cannot advance by ${JSON.stringify(duration)}; give milliseconds or '30m', '12h', '1d'.`,
    );
  }
  return milliseconds;
}
