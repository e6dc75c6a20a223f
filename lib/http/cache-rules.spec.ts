import type { SessionScope } from '../requests/session-scope';
import { writeSessionHeaders } from './cache-rules';

const personal = { tells: false, isPersonal: true };
const issuing = { tells: true, isPersonal: false };

/** The `Cache-Control` of an answer for which these sessions were used, in this order. */
function controlOf(...sessions: { tells: boolean; isPersonal: boolean }[]): string[] {
  const fields = new Map<string, string[]>();
  const headers = {
    names: () => [...fields.keys()].map((name) => name.toLowerCase()),
    get: (name: string) => fields.get(name) ?? [],
    set: (name: string, values: string[]) => void fields.set(name, values),
  };
  const handles = sessions.map(({ tells, isPersonal }) => ({
    isPersonal,
    instance: { transport: { vary: ['Cookie'] } },
    tell: () => tells,
  }));
  writeSessionHeaders({ vary: [], handles } as unknown as SessionScope, headers);
  return headers.get('Cache-Control');
}

it.each([
  { order: 'first', sessions: [issuing, personal] },
  { order: 'last', sessions: [personal, issuing] },
])('C11: an answer with a token is not stored, whether its session was used $order', ({ sessions }) => {
  expect(controlOf(...sessions)).toEqual(['no-store']);
});
