import type { SessionScope } from '../requests/session-scope';
import type { OutgoingHeaders } from './node-response';

/**
 * `Cache-Control`, and the headers that take precedence over it in shared caches (RFC 9213), including those of common CDNs, by their names
 * in lower case.
 */
const CACHE_CONTROLS = new Map(
  [
    'Cache-Control',
    'CDN-Cache-Control',
    'Surrogate-Control',
    'Cloudflare-CDN-Cache-Control',
    'Netlify-CDN-Cache-Control',
    'Vercel-CDN-Cache-Control',
    'X-LiteSpeed-Cache-Control',
    'Edge-Control',
  ].map((name) => [name.toLowerCase(), name]),
);

type Headers = Pick<OutgoingHeaders, 'names' | 'get' | 'set'>;

/** Writes the tokens to the response, and prevents shared caches from storing it (RFC 9111). */
export function writeSessionHeaders(scope: SessionScope, headers: Headers): void {
  let hasToken = false;
  for (const name of scope.vary) addVary(headers, name);
  for (const handle of scope.handles) {
    for (const name of handle.instance.transport.vary) addVary(headers, name);
    if (handle.tell(headers)) hasToken = true;
  }
  if (hasToken) return forbidStoring(headers);
  // Some caches ignore `Vary: Cookie`. What the application says itself stays.
  const isPersonal = scope.handles.some((handle) => handle.isPersonal);
  if (isPersonal && headers.get('Cache-Control').length === 0) headers.set('Cache-Control', ['private']);
}

function forbidStoring(headers: Headers): void {
  for (const lower of headers.names()) {
    const name = CACHE_CONTROLS.get(lower);
    if (name !== undefined && !excludesSharedCaches(headers.get(name))) headers.set(name, ['no-store']);
    // nginx obeys this number of seconds before Cache-Control.
    else if (lower === 'x-accel-expires') headers.set('X-Accel-Expires', ['0']);
  }
  if (headers.get('Cache-Control').length === 0) headers.set('Cache-Control', ['no-store']);
}

function addVary(headers: Headers, name: string): void {
  const vary = headers.get('Vary').join(', ');
  if (vary === '') return headers.set('Vary', [name]);
  const names = vary.split(',').map((each) => each.trim().toLowerCase());
  if (names.includes('*') || names.includes(name.toLowerCase())) return;
  headers.set('Vary', [`${vary}, ${name}`]);
}

/** `private="some-header"` covers only that header, so it does not count. Text in quotes is not a directive. */
function excludesSharedCaches(values: string[]): boolean {
  const unquoted = values.join(',').replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  return unquoted.split(',').some((directive) => /^(no-store|private)$/i.test(directive.trim()));
}
