import type { EmitSessionEvent } from '../core/session-event';
import type { RequestHeaders, SessionTransport } from '../transports/session-transport';
import type { ResolvedCsrf } from './csrf-options';
import { isSentByBrowser } from './token-senders';

/** The facts of an instance that the check needs. */
interface OriginRules {
  readonly csrf: ResolvedCsrf;
  readonly transport: SessionTransport;
}

interface Refusals {
  readonly emit: EmitSessionEvent;
  warnOnce(message: string): void;
}

/** Methods that change nothing (RFC 9110 section 9.2.1), in the spelling of HTTP. */
const SAFE_METHODS: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether requests of this method change nothing. A request without a method, such as a socket's handshake, is not safe. */
export function isSafeMethod(method: string | undefined): boolean {
  return SAFE_METHODS.has(method);
}

const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([
  ['http:', 80],
  ['https:', 443],
]);

/** The request headers on which {@link isTrustedOrigin} depends, for `Vary`. */
export function originVary({ csrf, transport }: OriginRules): readonly string[] {
  return ['Sec-Fetch-Site', 'Origin', ...(csrf.strict ? transport.vary : [])];
}

/**
 * Whether a request comes from a page of this application, from a trusted origin, or from no page at all, whatever its method. The
 * algorithm is that of `CrossOriginProtection` in Go 1.25 and of `enableCsrfProtection` in Nest 12.1:
 *
 * 1. A trusted `Origin` is allowed.
 * 2. With `Sec-Fetch-Site`, which pages cannot set, only `same-origin` and `none` (typed or bookmarked by a person) are allowed.
 * 3. Without it, the host of `Origin` must be the requested host. The scheme of that host is unknown, so a page over plain HTTP passes:
 *    HSTS prevents it.
 * 4. Without both, the client is no browser, or one from before 2020: allowed, but with `strict` not if it has the session cookie.
 *
 * A socket's handshake is a GET that browsers send across sites with cookies: see {@link admitsHandshake}.
 */
export function isTrustedOrigin(headers: RequestHeaders, rules: OriginRules): boolean {
  const site = headerOf(headers, 'sec-fetch-site');
  const origin = headerOf(headers, 'origin');
  if (rules.csrf.trustedOrigins.has(origin)) return true;
  if (site !== '') return site === 'same-origin' || site === 'none';
  if (origin !== '') return isRequestedHost(origin, headers);
  return !rules.csrf.strict || !hasSessionCookie(headers, rules.transport);
}

/** Whether a handshake may open a socket: see {@link isTrustedOrigin}. A refusal is an event, and is logged, because browsers tell a page no reason. */
export function admitsHandshake(headers: RequestHeaders, instance: OriginRules & Refusals): boolean {
  if (isTrustedOrigin(headers, instance)) return true;
  instance.emit({ type: 'rejected', reason: 'csrf' });
  const origin = headerOf(headers, 'origin');
  const page = URL.canParse(origin) ? new URL(origin).origin.slice(0, 100) : 'another site';
  instance.warnOnce(
    `A page of ${page} was refused a socket. If it may have one, name it in csrf.trustedOrigins.`,
  );
  return false;
}

/** Whether the request has a token of the instance that its browser added. */
export function hasSessionCookie(headers: RequestHeaders, transport: SessionTransport): boolean {
  const reading = transport.read(headers);
  if (reading.kind === 'none') return false;
  const by = reading.kind === 'token' ? reading.transport : transport;
  return isSentByBrowser(by);
}

/** Values of a repeated header are joined, so that two different ones equal no allowed value. */
function headerOf(headers: RequestHeaders, name: string): string {
  const value = headers[name] ?? '';
  return typeof value === 'string' ? value : value.join(', ');
}

/** HTTP/2 has the requested host in `:authority`, which takes precedence (RFC 9113 section 8.3.1). Ports may be left out if default. */
function isRequestedHost(origin: string, headers: RequestHeaders): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host, hostname, port } = new URL(origin);
  const requested = (headerOf(headers, ':authority') || headerOf(headers, 'host')).toLowerCase();
  if (host === '') return false;
  const defaultPort = port === '' ? DEFAULT_PORTS.get(protocol) : undefined;
  return requested === host || (defaultPort !== undefined && requested === `${hostname}:${defaultPort}`);
}
