import { inspect } from 'node:util';

/** Option `csrf`: what `CsrfGuard` allows. The option alone checks nothing; the guard does. */
export interface CsrfOptions {
  /**
   * Other origins whose pages may send requests that change something, such as `https://admin.example.com`. Each must be
   * `scheme://host[:port]` without path or trailing slash, and is compared as a whole: no wildcards. Origins that CORS allows are not
   * trusted by that.
   * @default []
   */
  readonly trustedOrigins?: readonly string[];
  /**
   * Whether a request that changes something is refused when it has the session cookie but neither `Sec-Fetch-Site` nor `Origin`.
   * Browsers have sent one of them since 2020; a script that uses a cookie must then send `Origin`.
   * @default false
   */
  readonly strict?: boolean;
  /**
   * Whether a request that changes something needs, besides, a token of its session, from `session.csrfToken()`: in the header
   * `X-CSRF-Token` or the field `_csrf` of a parsed body. Requests without a session, and those whose session token is not in a cookie,
   * need none. The guard then loads the session.
   * @default false
   */
  readonly token?: boolean;
}

/** The options with all defaults filled in. */
export interface ResolvedCsrf {
  /** In the form in which browsers send them. */
  readonly trustedOrigins: ReadonlySet<string>;
  readonly strict: boolean;
  readonly token: boolean;
}

/** `scheme://host[:port]`. */
const ORIGIN_FORM = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\\@*\s]+$/i;

const CSRF_OPTIONS: Record<keyof CsrfOptions, true> = {
  trustedOrigins: true,
  strict: true,
  token: true,
};

/** Fills in the defaults. Returns a message for each invalid option. */
export function resolveCsrf(options: CsrfOptions): { csrf: ResolvedCsrf; problems: string[] } {
  const { trustedOrigins = [], strict = false, token = false } = options;
  const problems = Object.keys(options)
    .filter((key) => !Object.hasOwn(CSRF_OPTIONS, key))
    .map((key) => `csrf.${key} is not an option; known are ${Object.keys(CSRF_OPTIONS).join(', ')}`);
  for (const [key, value] of Object.entries({ strict, token })) {
    if (typeof value !== 'boolean') problems.push(`csrf.${key} must be true or false, got ${show(value)}`);
  }
  const origins = new Set<string>();
  if (!Array.isArray(trustedOrigins)) {
    problems.push(
      `csrf.trustedOrigins must be an array such as ['https://admin.example.com'], got ${show(trustedOrigins)}`,
    );
  } else {
    for (const [index, given] of (trustedOrigins as readonly unknown[]).entries()) {
      const origin = toOrigin(given);
      if (origin !== null) origins.add(origin);
      else problems.push(originProblem(index, given));
    }
  }
  return { csrf: { trustedOrigins: origins, strict, token }, problems };
}

/** Returns an origin as browsers send it (RFC 6454 section 6.2): in lower case, without a default port; `null` for other text. */
function toOrigin(given: unknown): string | null {
  if (typeof given !== 'string' || !ORIGIN_FORM.test(given) || !URL.canParse(given)) return null;
  const { protocol, host } = new URL(given);
  return `${protocol}//${host}`;
}

function originProblem(index: number, given: unknown): string {
  const option = `csrf.trustedOrigins[${index}]`;
  if (given === 'null')
    return `${option} cannot be 'null': sandboxed pages of every site have that origin; serve the page from a host, and name that`;
  return `${option} must be an origin such as 'https://admin.example.com' or 'https://admin.example.com:8443', without path, trailing slash or wildcard, got ${show(given)}`;
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : inspect(value, { depth: 0 });
}
