import { parseSetCookie } from 'cookie';
import { systemClock } from '../core/clock';
import type { SessionId, SessionToken } from '../core/session-token';
import type { SessionInstance } from '../requests/session-instance';
import type { SessionTransport, TokenAnswer } from '../transports/session-transport';
import { cookieLines, writtenHeaders } from './written-headers';

/** A cookie as `context.addCookies` and `storageState` of Playwright take it, and `page.setCookie` of Puppeteer. */
export interface BrowserCookie {
  /** The option `cookie.name`, with its prefix such as `__Host-`. */
  readonly name: string;
  /** The token. */
  readonly value: string;
  /** Begins with a dot when subdomains have the cookie too. */
  readonly domain: string;
  /** The paths that get the cookie: this one and those below it. */
  readonly path: string;
  /** Epoch seconds, or `-1` for as long as the browser runs. */
  readonly expires: number;
  /** Whether scripts cannot read it. */
  readonly httpOnly: boolean;
  /** Whether it is sent over HTTPS only, and to `localhost`. */
  readonly secure: boolean;
  /** Whether requests of other sites have it. */
  readonly sameSite: 'Strict' | 'Lax' | 'None';
}

const SAME_SITE = { strict: 'Strict', lax: 'Lax', none: 'None' } as const;

/** A constructor such as `WebSocket` of the package `ws`. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the only form of a constructor that a class may extend
type SocketClass = new (...all: any[]) => object;

/** The part of its options that is used. */
interface SocketOptions {
  readonly headers?: object;
}

/** A client that has a session: see `actingAs`. */
export class TestClient {
  /** The token of the session, as `SessionManager.open` takes it. */
  readonly token: SessionToken;
  /**
   * The headers of its requests: the token as the instance's transport reads it. With the option `csrf` also what `CsrfGuard` asks for:
   * `X-CSRF-Token` with `token`, `Sec-Fetch-Site: same-origin` with `strict`.
   */
  readonly headers: Readonly<Record<string, string>>;
  readonly #lines: readonly string[];

  /** @internal `actingAs` creates it. */
  constructor(
    /** The public id of the session. */
    readonly id: SessionId,
    answer: Extract<TokenAnswer, { kind: 'issue' }>,
    { transport, clock, csrf }: SessionInstance,
    csrfToken: string | null,
  ) {
    this.token = answer.token;
    this.#lines = cookieLines(writtenHeaders(transport, answer, clock()), answer.token);
    const sent = requestHeaders(transport, answer.token, this.#lines);
    this.headers = Object.freeze({
      ...sent,
      ...('cookie' in sent && csrf.strict && { 'sec-fetch-site': 'same-origin' }),
      ...('cookie' in sent && csrfToken !== null && { 'x-csrf-token': csrfToken }),
    });
  }

  /**
   * Returns its cookies for a browser: `await context.addCookies(ada.cookies(url))` of Playwright. Empty when the token travels in a header; then
   * `browser.newContext({ extraHTTPHeaders: ada.headers })`.
   * @param url an address of the application. Its host has the cookie, unless the option `cookie.domain` names another
   */
  cookies(url: string): BrowserCookie[] {
    return this.#lines.map((line) => {
      const {
        name,
        value = '',
        domain,
        path = '/',
        maxAge,
        ...rest
      } = parseSetCookie(line, { decode: String });
      const { httpOnly = false, secure = false, sameSite = 'lax' } = rest;
      return {
        ...{ name, value, path, httpOnly, secure },
        domain: domain === undefined ? new URL(url).hostname : `.${domain}`,
        expires: maxAge === undefined ? -1 : Math.floor(systemClock() / 1000) + maxAge,
        sameSite: SAME_SITE[sameSite as keyof typeof SAME_SITE],
      };
    });
  }

  /**
   * Returns a class of WebSockets whose handshakes have its headers, for clients that take a class: `createClient({ url, webSocketImpl:
   * ada.webSocket(WebSocket) })` of graphql-ws.
   * @param Socket `WebSocket` of the package `ws`. That of Node and of browsers cannot send headers
   */
  webSocket<C extends SocketClass>(Socket: C): C {
    const { headers } = this;
    return class extends Socket {
      // eslint-disable-next-line @typescript-eslint/no-explicit-any -- see SocketClass
      constructor(...[url, ...rest]: any[]) {
        // The protocols may be left out.
        const hasProtocols = rest[0] === undefined || typeof rest[0] === 'string' || Array.isArray(rest[0]);
        const [protocols, options] = (hasProtocols ? rest : [undefined, rest[0]]) as [
          unknown,
          SocketOptions?,
        ];
        super(url, protocols, { ...options, headers: { ...options?.headers, ...headers } });
      }
    };
  }
}

/** Returns the headers in which the transport finds the token. Each transport says only which ones it reads. */
function requestHeaders(
  transport: SessionTransport,
  token: string,
  lines: readonly string[],
): Record<string, string> {
  const cookie = lines.map((line) => line.split(';', 1)[0]!).join('; ');
  const others = transport.vary.map((name) => name.toLowerCase());
  const candidates = [
    { cookie },
    ...others.flatMap((name) => [{ [name]: token }, { [name]: `Bearer ${token}` }]),
  ];
  const found = candidates.find((headers) => {
    const reading = transport.read(headers);
    return reading.kind === 'token' && reading.value === token;
  });
  if (found !== undefined) return found;
  throw new TypeError(
    `actingAs() cannot send the token of this session: the transport reads it from the ${transport.channel} in a form of its own. Build the headers from SessionManager.commit().`,
  );
}
