import { USE_HTTPS, isPlainHttp } from './plain-http';
import type {
  Connection,
  RequestHeaders,
  ResponseHeaders,
  SessionTransport,
  TokenAnswer,
  TokenReading,
} from './session-transport';

/** Maximum length of a token in a header, in bytes: Node accepts 16 KiB for all headers of a request, other servers 8 KiB for one. */
const MAX_HEADER_BYTES = 8000;

const NO_TOKEN: TokenReading = { kind: 'none' };
const AMBIGUOUS: TokenReading = { kind: 'ambiguous' };

/** How a {@link HeaderTransport} uses the headers. */
interface HeaderUse {
  /** The request header that has the token. */
  readonly request: string;
  /** The response header in which a new token is sent. */
  readonly response: string;
  readonly secure: boolean;
  /** Returns the tokens in a value of the request header. */
  readonly tokensIn: (value: string) => string[];
}

/** Carries the token in headers, for clients that keep no cookies. */
export class HeaderTransport implements SessionTransport {
  readonly channel: string;
  readonly sealedFor: string;
  readonly answersIn: string;
  readonly vary: readonly string[];
  readonly #requestHeader: string;

  constructor(private readonly use: HeaderUse) {
    this.channel = `header ${use.request}`;
    this.answersIn = `header ${use.response}`;
    // Must not change: stored sealed sessions open only with this text.
    this.sealedFor = `header ${use.request}`;
    this.vary = [use.request];
    this.#requestHeader = use.request.toLowerCase();
  }

  read(headers: RequestHeaders): TokenReading {
    const value = headers[this.#requestHeader];
    if (value === undefined) return NO_TOKEN;
    const found = new Set([value].flat().flatMap((each) => this.use.tokensIn(each)));
    if (found.size > 1) return AMBIGUOUS;
    for (const token of found) return { kind: 'token', value: token, transport: this };
    return NO_TOKEN;
  }

  capacity(): number {
    return MAX_HEADER_BYTES;
  }

  /** A client that has sent its token over plain HTTP loses nothing by another. */
  obstacle(connection: Connection, presented: boolean): string | null {
    if (presented || !this.use.secure || !isPlainHttp(connection)) return null;
    return `the request came over plain HTTP, where others can read the token in ${this.use.response}. ${USE_HTTPS} In a network of your own: secure: false`;
  }

  write(headers: ResponseHeaders, answer: TokenAnswer): void {
    headers.set(this.use.response, [answer.kind === 'issue' ? answer.token : '']);
    if (headers.get('Access-Control-Allow-Origin').length > 0) this.#expose(headers);
  }

  /** Scripts of another origin can read only the headers that are named in `Access-Control-Expose-Headers`. */
  #expose(headers: ResponseHeaders): void {
    const exposed = headers.get('Access-Control-Expose-Headers');
    const names = exposed
      .join(',')
      .split(',')
      .map((name) => name.trim().toLowerCase());
    // An asterisk is a name like any other in answers to requests with credentials.
    if (!names.includes(this.use.response.toLowerCase()))
      headers.set('Access-Control-Expose-Headers', [[...exposed, this.use.response].join(', ')]);
  }
}
