const date = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });

const UNITS = [
  ['day', 24 * 60 * 60 * 1000],
  ['hour', 60 * 60 * 1000],
  ['minute', 60 * 1000],
] as const;

/** `<time>`, in UTC: without a script a server does not know its visitor's clock. */
export function instant(at: Date | number): string {
  const moment = new Date(at);
  return `<time datetime="${moment.toISOString()}">${date.format(moment)} UTC</time>`;
}

/** The two largest units: '29 days 23 hours', '1 minute'. */
export function lengthOfTime(milliseconds: number): string {
  let rest = milliseconds;
  const parts: string[] = [];
  for (const [unit, length] of UNITS) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0) parts.push(`${count} ${unit}${count === 1 ? '' : 's'}`);
  }
  return parts.length === 0 ? 'less than a minute' : parts.slice(0, 2).join(' ');
}
