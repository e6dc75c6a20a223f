/** The session cookie (RFC 6265bis). `HttpOnly` is always set. */
export interface CookieOptions {
  /**
   * `__Host-` makes browsers insist on `Secure`, `Path=/` and no `Domain`, so that no other host can plant the cookie.
   * @default '__Host-session', or `__Host-session-<name>` for a named instance
   */
  readonly name?: string;
  /**
   * Sent over HTTPS only (and to `localhost`, which browsers trust without it). Turning it off lets anybody on the wire take the
   * session over, and wants a name without prefix.
   * @default true
   */
  readonly secure?: boolean;
  /** Whether other sites' requests carry the cookie. `'none'` asks for a defence against CSRF of your own. @default 'lax' */
  readonly sameSite?: 'strict' | 'lax' | 'none';
  /** The part of the site the cookie is for. @default '/' */
  readonly path?: string;
  /** Shares the cookie with every subdomain, including the least trustworthy one. @default the exact host */
  readonly domain?: string;
  /** Keeps a jar for each top-level site that embeds yours (CHIPS). @default false */
  readonly partitioned?: boolean;
}

/** A cookie with nothing left to decide. */
export type ResolvedCookie = Readonly<Required<Omit<CookieOptions, 'domain'>>> & {
  readonly domain: string | undefined;
};

/** RFC 9110 token: what a cookie's name may consist of. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const DOMAIN = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;
const PATH = /^\/[\x20-\x3a\x3c-\x7e]*$/;
const KNOWN = ['name', 'secure', 'sameSite', 'path', 'domain', 'partitioned'];

/** Browsers drop a cookie whose name and value exceed this many bytes together. */
export const MAX_COOKIE_BYTES = 4096;
const TOKEN_BYTES = 66;

/** Defaults filled in, and every reason why a browser would refuse or misuse the result, in words. */
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
  };
  return {
    cookie,
    problems: [...unknownOptions(options), ...formProblems(cookie), ...prefixProblems(cookie)],
  };
}

function unknownOptions(options: object): string[] {
  return Object.entries(options)
    .filter(([key]) => !KNOWN.includes(key))
    .map(([key, value]) =>
      key.toLowerCase() === 'httponly'
        ? `cookie.${key}: ${String(value)} is not for you to choose: the session cookie is always HttpOnly; remove the option`
        : `cookie.${key} is not an option; known are ${KNOWN.join(', ')}`,
    );
}

function formProblems({ name, secure, sameSite, path, domain, partitioned }: ResolvedCookie): string[] {
  const problems: string[] = [];
  if (typeof name !== 'string' || !NAME.test(name))
    problems.push(`cookie.name ${quote(name)} has characters that a cookie's name cannot have`);
  else if (name.length + TOKEN_BYTES > MAX_COOKIE_BYTES)
    problems.push(`cookie.name is too long: name and value may take ${MAX_COOKIE_BYTES} bytes together`);
  if (typeof path !== 'string' || !PATH.test(path))
    problems.push(`cookie.path ${quote(path)} must begin with '/' and have no ';' or control characters`);
  if (domain !== undefined && !DOMAIN.test(domain))
    problems.push(`cookie.domain ${quote(domain)} is not a host name; leave it out for the exact host`);
  if (!['strict', 'lax', 'none'].includes(sameSite))
    problems.push(`cookie.sameSite ${quote(sameSite)} must be 'strict', 'lax' or 'none'`);
  for (const [key, value] of Object.entries({ secure, partitioned })) {
    if (typeof value !== 'boolean') problems.push(`cookie.${key} ${quote(value)} must be true or false`);
  }
  if (sameSite === 'none' && !secure)
    problems.push("cookie.sameSite 'none' needs cookie.secure: browsers refuse it otherwise");
  if (partitioned && !secure)
    problems.push('cookie.partitioned needs cookie.secure: browsers refuse it otherwise');
  return problems;
}

/** Browsers compare the prefixes without regard to case. */
function prefixProblems({ name, secure, path, domain }: ResolvedCookie): string[] {
  const lower = String(name).toLowerCase();
  const prefix = lower.startsWith('__host-') ? '__Host-' : lower.startsWith('__secure-') ? '__Secure-' : null;
  if (prefix === null) return [];
  const problems: string[] = [];
  const wayOut = `give cookie.name without the prefix ${prefix}, such as 'session'`;
  if (!secure) problems.push(`cookie.name ${quote(name)} needs cookie.secure; turn it on, or ${wayOut}`);
  if (prefix === '__Host-' && path !== '/')
    problems.push(
      `cookie.name ${quote(name)} needs cookie.path '/', not ${quote(path)}; leave it out, or ${wayOut}`,
    );
  if (prefix === '__Host-' && domain !== undefined)
    problems.push(`cookie.name ${quote(name)} allows no cookie.domain; leave it out, or ${wayOut}`);
  return problems;
}

function quote(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
