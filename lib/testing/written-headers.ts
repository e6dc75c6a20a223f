import type { SessionTransport, TokenAnswer } from '../transports/session-transport';

/** Returns the headers that a transport writes to an empty response, by their names as it writes them. */
export function writtenHeaders(
  transport: SessionTransport,
  answer: TokenAnswer,
  now: number,
): ReadonlyMap<string, readonly string[]> {
  const written = new Map<string, readonly string[]>();
  transport.write({ get: () => [], set: (name, values) => void written.set(name, values) }, answer, now);
  return written;
}

/** Returns the `Set-Cookie` lines of written headers that set a cookie to a token, not those that remove an old one. */
export function cookieLines(headers: ReadonlyMap<string, readonly string[]>, token: string): string[] {
  const lines = [...headers].flatMap(([name, values]) => (name.toLowerCase() === 'set-cookie' ? values : []));
  return lines.filter((line) => line.includes(token));
}
