import { lengthOfTime } from '../src/web/words';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('a length of time in words', () => {
  it.each([
    [30 * DAY, '30 days'],
    [30 * DAY - SECOND, '30 days'],
    [30 * DAY - HOUR, '29 days 23 hours'],
    [12 * HOUR - 1, '12 hours'],
    [12 * HOUR - MINUTE, '11 hours 59 minutes'],
    [DAY - SECOND, '1 day'],
    [DAY + HOUR, '1 day 1 hour'],
    [MINUTE, '1 minute'],
    [20 * SECOND, 'less than a minute'],
  ])('W29: says of %i ms "%s"', (milliseconds, words) => {
    expect(lengthOfTime(milliseconds)).toBe(words);
  });
});
