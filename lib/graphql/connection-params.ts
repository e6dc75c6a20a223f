import type { SessionInstances } from '../requests/session-instance';
import { ownHeaders } from '../requests/token-senders';
import type { RequestHeaders } from '../transports/session-transport';

/**
 * Returns the headers of a handshake, and among them the tokens that the client sent after it, as browsers cannot set headers of sockets:
 * `connectionParams: { authorization: 'Bearer …' }`. Takes nothing else from there, and no cookie. Two different tokens stay two.
 */
export function headersWithTokens(
  headers: RequestHeaders,
  params: unknown,
  instances: SessionInstances,
): RequestHeaders {
  const names = new Set(instances.names.flatMap((name) => ownHeaders(instances.get(name).transport)));
  const merged: Record<string, RequestHeaders[string]> = { ...headers };
  for (const [key, value] of Object.entries(Object(params) as object)) {
    const name = key.toLowerCase();
    if (typeof value !== 'string' || !names.has(name)) continue;
    const given = merged[name];
    merged[name] = given === undefined ? value : [given, value].flat();
  }
  return merged;
}
