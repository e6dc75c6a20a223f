import { SessionError } from '../core/session.errors';
import type { SessionTransport } from '../transports/session-transport';

/** Whether browsers send the token by themselves, in a cookie. A token in another header was added by code that knows it. */
export function isSentByBrowser({ vary }: SessionTransport): boolean {
  return vary.some((name) => name.toLowerCase() === 'cookie');
}

/** Returns the request headers, in lower case, in which a client's own code sends the token. */
export function ownHeaders(transport: SessionTransport): string[] {
  const { parts, vary } = transport;
  if (parts !== undefined) return parts.flatMap(ownHeaders);
  return isSentByBrowser(transport) ? [] : vary.map((name) => name.toLowerCase());
}

/**
 * Returns the part of a transport whose token the client's own code sends.
 * @throws SessionError `SESSION_OPTIONS_INVALID`
 */
export function sentByClient(transport: SessionTransport): SessionTransport {
  const part = (transport.parts ?? [transport]).find((each) => !isSentByBrowser(each));
  if (part !== undefined) return part;
  throw new SessionError(
    'SESSION_OPTIONS_INVALID',
    `A client that was given its token in a body could not send it back: it is read from the ${transport.channel} only. Use transport: bearer(), or composite(cookie(), bearer()).`,
  );
}
