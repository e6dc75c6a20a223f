/**
 * What a subject is asked. A connection that comes with a cookie has a session of its own, of about 200 bytes, so that no two requests work
 * on one at once; a subject that keeps none gets the same requests, cookies included.
 *
 * Whoever comes with a cookie where `isLoggedIn` is set has logged in. `issues` says whether answers set a cookie: never, always, or when they write, for subjects that say so of themselves.
 */
export const ROUTES = [
  { name: 'untouched', path: '/untouched', hasCookie: true, issues: 'never', body: '{"hello":"world"}' },
  { name: 'anonymous', path: '/anonymous', hasCookie: false, issues: 'never', body: '{"theme":null}' },
  { name: 'read', path: '/read', hasCookie: true, issues: 'never', body: '{"theme":"dark"}' },
  {
    name: 'guarded',
    path: '/guarded',
    hasCookie: true,
    isLoggedIn: true,
    issues: 'never',
    body: '{"user":"ada"}',
  },
  { name: 'write', path: '/write', hasCookie: true, issues: 'on write', body: /^\{"visits":[1-9]\d*\}$/ },
  { name: 'login', path: '/login', hasCookie: true, issues: 'always', body: '{"user":"ada"}' },
  { name: 'first write', path: '/first-write', hasCookie: false, issues: 'always', body: '{"visits":1}' },
];

/** What a full run measures; the first write can be asked for. */
export const USUAL = ['untouched', 'anonymous', 'read', 'write', 'login'];

export function routesFor({ routes = USUAL }) {
  const unknown = routes.filter((name) => ROUTES.every((route) => route.name !== name));
  if (unknown.length > 0)
    throw new Error(
      `There is no route ${unknown.join(', ')}; known are ${ROUTES.map(({ name }) => name).join(', ')}.`,
    );
  return ROUTES.filter(({ name }) => routes.includes(name));
}
