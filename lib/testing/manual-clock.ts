import { parse } from '@lukeed/ms';
import type { Clock } from '../core/clock';

/** A clock that a test moves by hand. Pass it to the module as its `clock`, so that tests need not sleep. */
export interface ManualClock extends Clock {
  /**
   * Advances by milliseconds or by a duration such as `'30m'`. A negative duration moves back.
   * @returns the new instant, in epoch milliseconds
   */
  advance(duration: number | string): number;
  /** Sets the clock to an instant in epoch milliseconds. */
  set(instant: number): void;
}

/** Returns a clock that stands still until a test moves it. @param startAt epoch milliseconds; the beginning of 2030 by default */
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
      `advance() of manualClock needs milliseconds or a duration such as '30m', '12h' or '1d', got ${JSON.stringify(duration)}.`,
    );
  }
  return milliseconds;
}
