/** Any origin will do; a path that stays on it stays on ours. */
const HERE = 'http://site.invalid';

/**
 * The path of a request on this site, or `null` when a redirect to it would lead anywhere else (an open redirect).
 * The URL parser decides, as it will in the browser: `//evil.example`, `/\evil.example` and `/<tab>/evil.example` all name another host.
 */
export function localPath(value: unknown): string | null {
  if (typeof value !== 'string' || !value.startsWith('/') || !URL.canParse(value, HERE)) return null;
  const { origin, pathname, search } = new URL(value, HERE);
  // `/.//evil.example` is local until its dot is resolved.
  return origin === HERE && !pathname.startsWith('//') ? pathname + search : null;
}
