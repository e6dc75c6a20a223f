/** Any origin will do; a path that stays on it stays on ours. */
const HERE = 'http://site.invalid';

/**
 * The path a visitor asked to be sent back to, or `null` when it leads anywhere but to this site (an open redirect).
 * The URL parser decides, as it will in the browser: `//evil.example`, `/\evil.example` and `/<tab>/evil.example` all name another host.
 */
export function localPath(value: unknown): string | null {
  if (typeof value !== 'string' || !value.startsWith('/') || !URL.canParse(value, HERE)) return null;
  const { origin, pathname, search } = new URL(value, HERE);
  // `/.//evil.example` is local until its dot is resolved.
  return origin === HERE && !pathname.startsWith('//') ? pathname + search : null;
}

/** `?returnTo=…` for a link to the login, or nothing. */
export function returnQuery(value: unknown): string {
  const path = localPath(value);
  return path === null ? '' : `?returnTo=${encodeURIComponent(path)}`;
}
