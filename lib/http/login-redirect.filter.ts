import { Catch, UnauthorizedException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { rememberIntended } from '../core/intended';
import { isLocalPath, pathOf } from '../core/local-path';
import { draftOf } from '../core/session';
import { SessionError } from '../core/session.errors';
import { peekScope } from '../requests/session-scope';
import { DEFAULT_SESSION } from '../requests/session.tokens';

/** Options of {@link LoginRedirectFilter}. */
export interface LoginRedirectOptions {
  /** The instance whose session remembers the page. @default 'default' */
  readonly name?: string;
  /** Pages for other refusals, by the code of the 401: `{ LOGIN_PENDING: '/second-factor' }`. @default none: they stay 401 */
  readonly pages?: Readonly<Record<string, string>>;
  /** Answers what is not redirected. @default JSON, as Nest answers it */
  readonly otherwise?: ExceptionFilter;
}

/** The used part of the requests and responses of both platforms. */
interface PageRequest {
  readonly method: string;
  readonly originalUrl: string;
  readonly headers: { readonly accept?: string | undefined };
}
interface PageResponse {
  readonly headersSent?: boolean;
  readonly sent?: boolean;
  status(code: number): this;
  header(name: string, value: string): this;
  send(body?: unknown): unknown;
}

/** Refusals of `AuthGuard` after which a login is due. A locked session waits for a password, too. */
const LOGIN_CODES = ['LOGIN_REQUIRED', 'SESSION_LOCKED'];

const SEE_OTHER = 303;

/** A media range of an Accept header that names HTML and is not refused by `q=0`. */
const HTML = /^\s*(?:text\/html|application\/xhtml\+xml)\s*(?:;(?!.*\bq\s*=\s*0(?:\.0*)?\s*(?:;|$)).*)?$/i;

/**
 * Sends a visitor to the login page whom `AuthGuard` refuses a page, and remembers that page for `sessions.intended()`. Concerns GET requests
 * that accept HTML by name; every other 401 stays one.
 *
 * ```ts
 * app.useGlobalFilters(new LoginRedirectFilter('/login'));
 * ```
 */
@Catch(UnauthorizedException)
export class LoginRedirectFilter implements ExceptionFilter<UnauthorizedException> {
  readonly #pages: ReadonlyMap<string, string>;
  readonly #name: string;
  readonly #otherwise: ExceptionFilter | undefined;

  /**
   * @param loginPage a path of this site, or the URL of a page of another one
   * @throws SessionError `SESSION_OPTIONS_INVALID`
   */
  constructor(
    loginPage: string,
    { name = DEFAULT_SESSION, pages = {}, otherwise }: LoginRedirectOptions = {},
  ) {
    const logins = LOGIN_CODES.map((code) => [code, loginPage] as const);
    this.#pages = new Map([...logins, ...Object.entries(pages)]);
    this.#pages.forEach(assertPage);
    this.#name = name;
    this.#otherwise = otherwise;
  }

  /** Synchronous, because Nest does not wait for filters. The gate commits the session before the answer begins. */
  catch(exception: UnauthorizedException, host: ArgumentsHost): unknown {
    const page = this.#pageFor(exception, host);
    if (page === null) return this.#refuse(exception, host);
    const session = peekScope(host)?.peek(this.#name) ?? null;
    if (session !== null) rememberIntended(draftOf(session), requestOf(host).originalUrl);
    return responseOf(host).status(SEE_OTHER).header('location', page).send();
  }

  /** Returns the page to which the visitor is sent, or `null`. A refused login page would be sent to itself. */
  #pageFor(exception: UnauthorizedException, host: ArgumentsHost): string | null {
    if (host.getType<string>() !== 'http') return null;
    const { method, originalUrl, headers } = requestOf(host);
    const { headersSent, sent } = responseOf(host);
    if (method !== 'GET' || headersSent === true || sent === true) return null;
    const { code } = Object(exception.getResponse()) as { readonly code?: string };
    const page = code === undefined ? undefined : this.#pages.get(code);
    if (page === undefined || pathOf(page) === pathOf(originalUrl)) return null;
    peekScope(host)?.dependOn(['Accept']);
    return acceptsHtml(headers.accept) ? page : null;
  }

  #refuse(exception: UnauthorizedException, host: ArgumentsHost): unknown {
    if (this.#otherwise !== undefined) return this.#otherwise.catch(exception, host);
    // Other kinds of requests have their own answers to an exception.
    if (host.getType<string>() !== 'http') throw exception;
    const statusCode = exception.getStatus();
    const given = exception.getResponse();
    const body = typeof given === 'object' ? given : { statusCode, message: given };
    const response = responseOf(host);
    if (response.headersSent !== true && response.sent !== true) response.status(statusCode).send(body);
    return undefined;
  }
}

function requestOf(host: ArgumentsHost): PageRequest {
  return host.switchToHttp().getRequest<PageRequest>();
}

function responseOf(host: ArgumentsHost): PageResponse {
  return host.switchToHttp().getResponse<PageResponse>();
}

/** What names any type, as programs do that fetch data, gets no page. */
function acceptsHtml(accept = ''): boolean {
  return accept.split(',').some((range) => HTML.test(range));
}

function assertPage(page: unknown): void {
  // Other characters cannot be in a header.
  const isUrl = typeof page === 'string' && /^https?:\/\/[\x21-\x7e]+$/.test(page) && URL.canParse(page);
  if (isUrl || isLocalPath(page)) return;
  throw new SessionError(
    'SESSION_OPTIONS_INVALID',
    `LoginRedirectFilter needs a page such as '/login' or 'https://login.example.com/', got ${JSON.stringify(page)}.`,
  );
}
