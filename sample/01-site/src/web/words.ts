const date = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });

const MINUTE = 60 * 1000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const UNITS = [
  ['day', DAY],
  ['hour', HOUR],
  ['minute', MINUTE],
] as const;

/** `<time>`, in UTC: without a script a server does not know its visitor's clock. */
export function instant(at: Date | number): string {
  const moment = new Date(at);
  return `<time datetime="${moment.toISOString()}">${date.format(moment)} UTC</time>`;
}

/** Two units, rounded: '29 days 23 hours', '30 days' when a second is missing, '1 minute'. */
export function lengthOfTime(milliseconds: number): string {
  const minutes = round(milliseconds, MINUTE);
  let rest = minutes < DAY ? minutes : round(milliseconds, HOUR);
  const parts: string[] = [];
  for (const [unit, length] of UNITS) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0) parts.push(`${count} ${unit}${count === 1 ? '' : 's'}`);
  }
  return parts.length === 0 ? 'less than a minute' : parts.join(' ');
}

function round(milliseconds: number, unit: number): number {
  return Math.round(milliseconds / unit) * unit;
}
