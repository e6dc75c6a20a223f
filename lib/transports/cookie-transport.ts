import { parseCookie, stringifySetCookie } from 'cookie';
import { MAX_COOKIE_BYTES, type ResolvedCookie } from './cookie-options';
import { USE_HTTPS, isPlainHttp } from './plain-http';
import type {
  Connection,
  RequestHeaders,
  ResponseHeaders,
  SessionTransport,
  TokenAnswer,
  TokenReading,
} from './session-transport';

/** Maximum lifetime of a cookie in browsers (RFC 6265bis section 5.5): 400 days, in seconds. */
const MAX_AGE_LIMIT = 400 * 24 * 60 * 60;

const NO_TOKEN: TokenReading = { kind: 'none' };
const AMBIGUOUS: TokenReading = { kind: 'ambiguous' };
/** Maximum number of cookies of one name that are looked up. */
const MAX_VALUES = 4;
/** Tokens are sent without encoding, so a value that would have to be decoded is none. */
const UNCHANGED = { decode: String };

/** Carries the token in a cookie. */
export class CookieTransport implements SessionTransport {
  readonly vary = ['Cookie'];
  readonly channel: string;
  readonly sealedFor: string;
  readonly persistent: boolean;
  /** Composed at the first answer: this object is created before invalid options are refused. */
  #lines: CookieLines | undefined;

  constructor(private readonly cookie: ResolvedCookie) {
    this.persistent = cookie.persistent;
    this.channel = `cookie ${cookie.name}`;
    // Must not change: stored sealed sessions open only with this text.
    this.sealedFor = `cookie ${cookie.name}`;
  }

  /** Two cookies of this name are `ambiguous`: one has another domain or path, and nothing tells which. */
  read({ cookie: header }: RequestHeaders): TokenReading {
    const { name } = this.cookie;
    if (typeof header !== 'string' || !header.includes(name)) return NO_TOKEN;
    const found: string[] = [];
    for (const pair of header.split(';')) {
      if (!pair.includes(name)) continue;
      const value = parseCookie(pair, UNCHANGED)[name];
      if (value === undefined) continue;
      found.push(value);
    }
    if (found.length > 1) return this.#ambiguous(found);
    return found.length === 0 ? NO_TOKEN : { kind: 'token', value: found[0]!, transport: this };
  }

  capacity(): number {
    return MAX_COOKIE_BYTES - this.cookie.name.length;
  }

  /** A browser that has sent the cookie can store it, even if the connection looks unencrypted from here. */
  obstacle(connection: Connection, presented: boolean): string | null {
    if (presented || !this.cookie.secure || !isPlainHttp(connection)) return null;
    return `the cookie ${this.cookie.name} is Secure but the request came over plain HTTP. ${USE_HTTPS} In development only: cookie: { secure: false, name: 'session' }`;
  }

  write(headers: ResponseHeaders, answer: TokenAnswer, now: number): void {
    // Browsers ignore white space around a name.
    const others = headers
      .get('Set-Cookie')
      .filter((line) => line.split(/[=;]/, 1)[0]!.trim() !== this.cookie.name);
    this.#lines ??= linesOf(this.cookie);
    headers.set('Set-Cookie', [...others, ...this.#lines.replaced, this.#line(answer, now, this.#lines)]);
  }

  #ambiguous(values: string[]): TokenReading {
    return this.cookie.replaces.length === 0 || values.length > MAX_VALUES
      ? AMBIGUOUS
      : { kind: 'ambiguous', values, transport: this };
  }

  #line(answer: TokenAnswer, now: number, { beforeToken, afterMaxAge, forgetting }: CookieLines): string {
    if (answer.kind === 'forget') return forgetting;
    const { token, keepUntil } = answer;
    if (keepUntil === null) return beforeToken + token + afterMaxAge;
    const seconds = Math.max(0, Math.floor((keepUntil - now) / 1000));
    return `${beforeToken}${token}; Max-Age=${Math.min(MAX_AGE_LIMIT, seconds)}${afterMaxAge}`;
  }
}

/** The constant parts of the `Set-Cookie` lines of one cookie. */
interface CookieLines {
  readonly beforeToken: string;
  readonly afterMaxAge: string;
  readonly forgetting: string;
  /** Those that remove the cookies of earlier releases. */
  readonly replaced: readonly string[];
}

function linesOf(cookie: ResolvedCookie): CookieLines {
  const empty = { ...cookie, value: '', httpOnly: true };
  const beforeToken = `${cookie.name}=`;
  const removed = { ...empty, maxAge: 0, expires: new Date(0) };
  return {
    beforeToken,
    afterMaxAge: stringifySetCookie(empty).slice(beforeToken.length),
    // Repeats all attributes by which browsers identify a cookie; otherwise a partitioned cookie would stay.
    forgetting: stringifySetCookie(removed),
    replaced: cookie.replaces.flatMap(({ domain, path = '/' }) => {
      const old = { ...removed, domain, path };
      // A browser keeps a partitioned cookie apart from one that is not.
      return (cookie.partitioned ? [old, { ...old, partitioned: false }] : [old]).map((each) =>
        stringifySetCookie(each),
      );
    }),
  };
}
