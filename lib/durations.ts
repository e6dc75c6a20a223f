import { parse as parseDuration } from '@lukeed/ms';
import { show } from './option-problems';

/** A duration: milliseconds, or a string such as `'90s'`, `'30m'`, `'24h'`, `'7d'`. */
export type Duration = number | string;

const MINUTE = 60 * 1000;
const DAY = 24 * 60 * MINUTE;

/** Maximum duration, in milliseconds. Added to the current time it is still a valid instant. */
const DURATION_LIMIT = 100_000 * DAY;

/** A number without a unit. Seconds and milliseconds are both likely, and differ by a thousand. */
const DIGITS = /^\s*\d+(\.\d+)?\s*$/;

/** The options whose numbers are likely to be meant as seconds. */
interface DurationOptions {
  readonly lifetime?: Duration;
  readonly idleTimeout?: Duration | false;
  readonly rememberMe?: Pick<DurationOptions, 'lifetime' | 'idleTimeout'>;
}

/** Returns a warning for each number of milliseconds that was probably meant to be seconds. */
export function doubtfulDurations({ lifetime, idleTimeout, rememberMe = {} }: DurationOptions): string[] {
  const remembered = {
    'rememberMe.lifetime': rememberMe.lifetime,
    'rememberMe.idleTimeout': rememberMe.idleTimeout,
  };
  return Object.entries({ lifetime, idleTimeout, ...remembered })
    .filter(([, duration]) => typeof duration === 'number' && duration < MINUTE)
    .map(([option, duration]) => `${option} is ${duration} milliseconds. For seconds write '${duration}s'.`);
}

/** Returns a function that converts an option to milliseconds, and adds to `problems` what is invalid. */
export function durationReader(problems: string[]) {
  return (option: string, value: Duration, limit = DURATION_LIMIT): number => {
    if (typeof value === 'string' && DIGITS.test(value)) {
      problems.push(
        `${option} must say its unit, got ${show(value)}: write '${value.trim()}s' for seconds, or the number ${value.trim()} for milliseconds`,
      );
      return limit;
    }
    const milliseconds =
      typeof value === 'number' ? value : typeof value === 'string' ? parseDuration(value) : undefined;
    if (milliseconds !== undefined && milliseconds >= 1 && milliseconds <= limit)
      return Math.floor(milliseconds);
    problems.push(
      `${option} must be a duration in milliseconds or such as '30m', '24h', '7d', at most ${limit} ms, got ${show(value)}`,
    );
    return limit;
  };
}
