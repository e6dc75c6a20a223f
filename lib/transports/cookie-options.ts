/** The session cookie (RFC 6265bis). `HttpOnly` is always set. */
export interface CookieOptions {
  /**
   * With the prefix `__Host-` browsers require `Secure`, `Path=/` and no `Domain`, so that another host cannot set the cookie.
   * @default '__Host-session', or `__Host-session-<name>` for a named instance
   */
  readonly name?: string;
  /**
   * Sends the cookie over HTTPS only, and to `localhost`. With `false` an attacker on the network can read the token and use the
   * session; the name must then have no prefix.
   * @default true
   */
  readonly secure?: boolean;
  /** Whether requests from other sites include the cookie. `'none'` requires your own protection against CSRF. @default 'lax' */
  readonly sameSite?: 'strict' | 'lax' | 'none';
  /** The path prefix for which browsers send the cookie. @default '/' */
  readonly path?: string;
  /** Sends the cookie to this domain and all its subdomains, each of which can then read it. @default the exact host only */
  readonly domain?: string;
  /** Stores a separate cookie for each top-level site that embeds yours (CHIPS). Needs `sameSite: 'none'`. @default false */
  readonly partitioned?: boolean;
  /**
   * Keeps the cookie of each session across a restart of the browser, until the session's deadline (`Max-Age`). Otherwise only
   * remembered sessions have such a cookie.
   * @default false
   */
  readonly persistent?: boolean;
  /**
   * The `domain` and `path` of the cookie in earlier releases. A browser keeps the old cookie beside the new one and sends both. Each new
   * token removes the old cookies, and of two cookies the one that alone opens a session is used.
   * @default []
   */
  readonly replaces?: readonly ReplacedCookie[];
}

/** A cookie of the same name with another domain or path. */
export interface ReplacedCookie {
  /** @default the exact host only */
  readonly domain?: string;
  /** @default '/' */
  readonly path?: string;
}

/** The options with all defaults filled in. */
export type ResolvedCookie = Readonly<Required<Omit<CookieOptions, 'domain'>>> & {
  readonly domain: string | undefined;
};

/** A token of RFC 9110 section 5.6.2: valid names of cookies and headers. */
export const HTTP_TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const DOMAIN_FORM = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;
const PATH_FORM = /^\/[\x20-\x3a\x3c-\x7e]*$/;
const COOKIE_OPTIONS = [
  ...['name', 'secure', 'sameSite', 'path', 'domain', 'partitioned', 'persistent', 'replaces'],
];

/** Maximum length of name and value together, in bytes. Browsers drop longer cookies. */
export const MAX_COOKIE_BYTES = 4096;
const TOKEN_BYTES = 66;

/** Fills in the defaults. Returns a message for each reason why browsers would refuse the cookie or handle it unsafely. */
export function resolveCookie(
  options: CookieOptions,
  instance: string,
): { cookie: ResolvedCookie; problems: string[] } {
  const cookie: ResolvedCookie = {
    name: options.name ?? (instance === 'default' ? '__Host-session' : `__Host-session-${instance}`),
    secure: options.secure ?? true,
    sameSite: options.sameSite ?? 'lax',
    path: options.path ?? '/',
    domain: options.domain,
    partitioned: options.partitioned ?? false,
    persistent: options.persistent ?? false,
    replaces: options.replaces ?? [],
  };
  return {
    cookie,
    problems: [
      ...unknownOptions(options),
      ...formProblems(cookie),
      ...prefixProblems(cookie),
      ...replacedProblems(cookie),
    ],
  };
}

function unknownOptions(options: object): string[] {
  return Object.entries(options)
    .filter(([key]) => !COOKIE_OPTIONS.includes(key))
    .map(([key, value]) =>
      key.toLowerCase() === 'httponly'
        ? `cookie.${key} cannot be set, got ${String(value)}: the session cookie is always HttpOnly; remove the option`
        : `cookie.${key} is not an option; known are ${COOKIE_OPTIONS.join(', ')}`,
    );
}

function formProblems(cookie: ResolvedCookie): string[] {
  const { name, secure, sameSite, path, domain, partitioned, persistent } = cookie;
  const problems: string[] = [];
  if (typeof name !== 'string' || !HTTP_TOKEN.test(name))
    problems.push(
      `cookie.name must be letters, digits and characters of !#$%&'*+-.^_|~ or a backtick, got ${quote(name)}`,
    );
  else if (name.length + TOKEN_BYTES > MAX_COOKIE_BYTES)
    problems.push(
      `cookie.name is too long: name and value together must not exceed ${MAX_COOKIE_BYTES} bytes`,
    );
  if (typeof path !== 'string' || !PATH_FORM.test(path))
    problems.push(
      `cookie.path must begin with '/' and have no ';' or control characters, got ${quote(path)}`,
    );
  if (typeof domain === 'string' && domain.startsWith('.') && DOMAIN_FORM.test(domain.slice(1)))
    problems.push(
      `cookie.domain must not begin with a dot, got ${quote(domain)}: drop the dot; subdomains are always included`,
    );
  else if (domain !== undefined && !DOMAIN_FORM.test(domain))
    problems.push(`cookie.domain must be a host name, got ${quote(domain)}; leave it out for the exact host`);
  if (!['strict', 'lax', 'none'].includes(sameSite))
    problems.push(`cookie.sameSite must be 'strict', 'lax' or 'none', got ${quote(sameSite)}`);
  for (const [key, value] of Object.entries({ secure, partitioned, persistent })) {
    if (typeof value !== 'boolean') problems.push(`cookie.${key} must be true or false, got ${quote(value)}`);
  }
  if (sameSite === 'none' && !secure)
    problems.push("cookie.sameSite 'none' needs cookie.secure: browsers refuse the cookie otherwise");
  if (partitioned && !secure)
    problems.push('cookie.partitioned needs cookie.secure: browsers refuse the cookie otherwise');
  if (partitioned === true && sameSite !== 'none')
    problems.push(
      `cookie.partitioned needs cookie.sameSite 'none', got ${quote(sameSite)}: browsers do not send the cookie to an embedded page otherwise`,
    );
  return problems;
}

/** Browsers compare the prefixes case-insensitively. */
function prefixProblems({ name, secure, path, domain, replaces }: ResolvedCookie): string[] {
  const lower = String(name).toLowerCase();
  const prefix = lower.startsWith('__host-') ? '__Host-' : lower.startsWith('__secure-') ? '__Secure-' : null;
  if (prefix === null) return [];
  const problems: string[] = [];
  const wayOut = `choose a cookie.name without the prefix ${prefix}, such as 'session'`;
  if (!secure) problems.push(`cookie.name ${quote(name)} needs cookie.secure; set it to true, or ${wayOut}`);
  if (prefix === '__Host-' && path !== '/')
    problems.push(
      `cookie.name ${quote(name)} needs cookie.path '/', got ${quote(path)}; leave the path out, or ${wayOut}`,
    );
  if (prefix === '__Host-' && domain !== undefined)
    problems.push(`cookie.name ${quote(name)} allows no cookie.domain; leave the domain out, or ${wayOut}`);
  if (prefix === '__Host-' && replaces.length > 0)
    problems.push(
      `cookie.replaces: a cookie named ${quote(name)} has had no other domain or path; leave it out`,
    );
  return problems;
}

function replacedProblems({ replaces, path, domain }: ResolvedCookie): string[] {
  if (!Array.isArray(replaces) || !replaces.every((each) => typeof each === 'object' && each !== null))
    return [`cookie.replaces must be an array such as [{ domain: 'example.com' }], got ${quote(replaces)}`];
  return (replaces as readonly ReplacedCookie[]).flatMap(({ domain: from, path: at = '/' }) => {
    if (from !== undefined && !DOMAIN_FORM.test(from))
      return [`cookie.replaces: domain must be a host name without a dot in front, got ${quote(from)}`];
    if (typeof at !== 'string' || !PATH_FORM.test(at))
      return [`cookie.replaces: path must begin with '/', got ${quote(at)}`];
    return from === domain && at === path
      ? ['cookie.replaces has the domain and path of the cookie itself, which would be removed']
      : [];
  });
}

function quote(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
