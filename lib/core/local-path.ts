/** Maximum length of a path that is remembered, in characters. */
const LONGEST_PATH = 2048;

/** Printable ASCII without a backslash, which browsers read as a slash. They send everything else percent-encoded. */
const PRINTABLE = /^\/[\x21-\x5b\x5d-\x7e]*$/;

/**
 * Whether a text is a path of this site, with or without a query: safe as the target of a redirect. A path that has `//` is none, because at
 * its beginning, or after its dots are resolved, it names another host.
 */
export function isLocalPath(text: unknown): text is string {
  if (typeof text !== 'string' || text.length > LONGEST_PATH || !PRINTABLE.test(text)) return false;
  return !pathOf(text).includes('//');
}

/** Returns a path without its query. */
export function pathOf(url: string): string {
  return url.split(/[?#]/, 1)[0]!;
}
