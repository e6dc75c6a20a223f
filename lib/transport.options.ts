import { SessionError } from './core/session.errors';
import { show, transportProblems } from './option-problems';
import { CompositeTransport } from './transports/composite-transport';
import { HTTP_TOKEN, resolveCookie, type CookieOptions } from './transports/cookie-options';
import { CookieTransport } from './transports/cookie-transport';
import { HeaderTransport } from './transports/header-transport';
import type { SessionTransport } from './transports/session-transport';

const TOKEN_HEADER = 'X-Session-Token';
/** RFC 6750 section 2.1, with its scheme in any case (RFC 9110 section 11.1). */
const BEARER = /^bearer +(\S.*)$/i;

/** Options of {@link header}. */
export interface HeaderOptions {
  /** The header of requests and responses. @default 'X-Session-Token' */
  readonly name?: string;
  /**
   * Issues tokens over HTTPS only, and to `localhost`. With `false` an attacker on the network can read the token and use the session.
   * @default true
   */
  readonly secure?: boolean;
}

/** Options of {@link bearer}. */
export interface BearerOptions {
  /** The response header in which a new token is sent. @default 'X-Session-Token' */
  readonly answerIn?: string;
  /** See {@link HeaderOptions.secure}. @default true */
  readonly secure?: boolean;
}

/**
 * Carries the token in a cookie. The default; for {@link composite}. A named instance needs a `name`.
 * @throws SessionError `SESSION_OPTIONS_INVALID`
 */
export function cookie(options: CookieOptions = {}): SessionTransport {
  const { cookie, problems } = resolveCookie(options, 'default');
  refuse('cookie()', problems);
  return new CookieTransport(cookie);
}

/**
 * Carries the token in a header, `X-Session-Token`, for clients that keep no cookies. The client keeps what that header of a response says, sends it with
 * each request, and forgets it when the header is there and empty.
 * @throws SessionError `SESSION_OPTIONS_INVALID`
 */
export function header({ name = TOKEN_HEADER, secure = true }: HeaderOptions = {}): SessionTransport {
  refuse('header()', problemsOf('name', name, secure));
  const tokensIn = (value: string): string[] =>
    value
      .split(',')
      .map((each) => each.trim())
      .filter(Boolean);
  return new HeaderTransport({ request: name, response: name, secure, tokensIn });
}

/**
 * Reads the token from `Authorization: Bearer` (RFC 6750), and sends a new one in the header `X-Session-Token`. Other schemes are left to others.
 * The client keeps what `X-Session-Token` of a response says, and forgets its token when that header is there and empty.
 * @throws SessionError `SESSION_OPTIONS_INVALID`
 */
export function bearer({ answerIn = TOKEN_HEADER, secure = true }: BearerOptions = {}): SessionTransport {
  refuse('bearer()', problemsOf('answerIn', answerIn, secure));
  const tokensIn = (value: string): string[] => {
    const token = BEARER.exec(value)?.[1];
    return token === undefined ? [] : [token.trimEnd()];
  };
  return new HeaderTransport({ request: 'Authorization', response: answerIn, secure, tokensIn });
}

/**
 * Carries the token in one of several ways, for browsers and apps in one application: `composite(cookie(), bearer())`. The answer goes the way the
 * request came; a request without a token is answered in the first way. A request with two different tokens is refused both.
 * @throws SessionError `SESSION_OPTIONS_INVALID`
 */
export function composite(...transports: readonly SessionTransport[]): SessionTransport {
  refuse('composite()', transports.flatMap(transportProblems));
  const parts = transports.flatMap((each) => each.parts ?? [each]);
  const channels = parts.map(({ channel }) => channel.toLowerCase());
  const repeated = parts.filter((_, at) => channels.indexOf(channels[at]!) < at);
  refuse('composite()', [
    ...(parts.length < 2 ? ['it needs two transports or more'] : []),
    ...repeated.map(({ channel }) => `it has the ${channel} twice`),
  ]);
  return new CompositeTransport(parts);
}

function problemsOf(option: string, header: unknown, secure: unknown): string[] {
  const problems: string[] = [];
  if (typeof header !== 'string' || !HTTP_TOKEN.test(header))
    problems.push(`${option} must be the name of a header, got ${show(header)}`);
  if (typeof secure !== 'boolean') problems.push(`secure must be true or false, got ${show(secure)}`);
  return problems;
}

function refuse(what: string, problems: readonly string[]): void {
  if (problems.length === 0) return;
  const list = problems.map((problem) => `  - ${problem}`).join('\n');
  throw new SessionError('SESSION_OPTIONS_INVALID', `The options of ${what} are invalid:\n${list}`);
}
