import assert from 'node:assert/strict';
import type { SessionStore } from '../../core/session-store';
import type { EnumerableStore, PrincipalIndexedStore } from '../../core/store-capabilities';
import { observeCalls } from './observe-calls';
import { assertRecord, everythingIn } from './records';
import { MAX_BYTES, sessionIdOf, untyped, sessionsOver, type Sessions } from './sessions-over';
import { call, type StoreSuite } from './store-suite';

const VALUES: Readonly<Record<string, unknown>> = {
  dates: [new Date(0), new Date(-1), new Date(8.64e15)],
  maps: new Map<unknown, unknown>([[{ key: 1 }, new Map([[1n, 'one']])]]),
  sets: new Set<unknown>([1, '1', new Set([true])]),
  bigints: [0n, -1n, 2n ** 256n],
  bytes: new Uint8Array(Array.from({ length: 256 }, (_, n) => n)),
  numbers: [0.1 + 0.2, -0, NaN, Infinity, Number.MAX_SAFE_INTEGER, 5e-324],
  nothing: [null, undefined],
  emoji: '👩‍👩‍👧 naïve Ωmega 日本語 \u{10FFFF}',
  accents: ['\u00e9', '\u0065\u0301'],
  'NUL and other control characters': '\0\u0001\u001f\u007f\r\n\t\u0085\u2028\ufeff',
  'lone surrogates': ['\ud800', '\udc00a', 'a\ud83d'],
  'what looks like a tag': [['$date', 0], ['$map'], '["$set"]'],
  'an attempt at SQL': `'; DROP TABLE sessions; -- " \\ %s $1 ? :name`,
};

const KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'then',
  'toString',
  'hasOwnProperty',
  'toJSON',
  '',
  '$',
  'a.b',
  '🦊',
];

/** Ways to damage a readable body. */
const DAMAGES: Readonly<Record<string, (body: string) => string>> = {
  empty: () => '',
  'cut in half': (body) => body.slice(0, body.length / 2),
  'cut by one character': (body) => body.slice(0, -1),
  'another program’s': () => '{"cookie":{},"passport":{"user":7}}',
  'of no format': (body) => body.replace(/^\d+/, 'x'),
};

/** Values come back unchanged, and a damaged record affects one session only. */
export function describeSessionValues(suite: StoreSuite): void {
  const { it } = suite;

  for (const [name, value] of Object.entries(VALUES)) {
    it(`D1: keeps exactly: ${name}`, async () => {
      const { issued, manager } = sessionsOver(suite.store);
      const token = await issued(null, (session) => untyped(session).set('value', { deep: [value] }));
      assert.deepEqual(untyped(await manager.open(token)).get('value'), { deep: [value] });
    });
  }

  it('D2: keeps keys that mean something to JavaScript', async () => {
    const { issued, manager } = sessionsOver(suite.store);
    const token = await issued(null, (session) => KEYS.forEach((key) => untyped(session).set(key, { key })));
    const session = await manager.open(token);
    assert.deepEqual([...session.keys()].sort(), [...KEYS].sort());
    for (const key of KEYS) assert.deepEqual(untyped(session).get(key), { key });
    assert.equal(({} as { key?: unknown }).key, undefined);
  });

  it('D3: keeps what fits, and refuses what does not by its key before the store is called', async () => {
    const calls: string[] = [];
    const { issued, manager } = sessionsOver(observeCalls(suite.store, (name) => calls.push(name)));
    for (const most of ['x'.repeat(MAX_BYTES - 300), '🦊'.repeat((MAX_BYTES - 300) / 4)]) {
      const token = await issued(null, (session) => untyped(session).set('large', most));
      const found = untyped(await manager.open(token)).get('large');
      assert.ok(found === most, 'the value came back changed');
    }
    calls.length = 0;
    const session = await manager.open(null);
    untyped(session).set('large', 'x'.repeat(MAX_BYTES));
    await assert.rejects(manager.commit(session), { code: 'SESSION_TOO_LARGE', key: "'large'" });
    assert.deepEqual(calls, []);
  });

  for (const [name, damage] of Object.entries(DAMAGES)) {
    it(`D4: drops a session whose body is ${name}, with one event, and no other`, async () => {
      const sessions = sessionsOver(suite.store);
      const [broken, other] = [await loggedIn(sessions), await loggedIn(sessions)];
      await rewrite(suite.store, broken, damage);
      await listAll(suite);
      sessions.events.length = 0;
      assert.equal((await sessions.manager.open(broken)).isNew, true);
      assert.deepEqual(sessions.events, [{ type: 'rejected', id: sessionIdOf(broken), reason: 'corrupt' }]);
      assert.equal(await suite.store.find(sessionIdOf(broken), call), null);
      assert.equal((await sessions.manager.open(other)).principal?.id, 'ada');
    });
  }

  it('D4: leaves a body of a newer release alone', async () => {
    const sessions = sessionsOver(suite.store);
    const token = await loggedIn(sessions);
    const record = await rewrite(suite.store, token, () => '3\n{"of":"tomorrow"}');
    sessions.events.length = 0;
    await sessions.request(token, (session) => untyped(session).set('theme', 'dark'));
    const refused = sessions.events.filter(({ type }) => type === 'rejected');
    assert.deepEqual(refused, [{ type: 'rejected', id: record.id, reason: 'newer-format' }]);
    assertRecord(await suite.store.find(record.id, call), record);
  });

  if (suite.has('enumeration')) {
    it('T2: holds no token and no secret that was ever issued', async () => {
      const store = suite.store as SessionStore & EnumerableStore;
      const sessions = sessionsOver(store);
      const tokens: string[] = [];
      for (const id of ['ada', 'bob', 'eve']) {
        const visitor = await sessions.issued(null, (session) => untyped(session).set('cart', ['pear']));
        const user = await sessions.issued(visitor, (session) => session.login({ id }));
        tokens.push(visitor, user, await sessions.issued(user, (session) => session.renewToken()));
      }
      const dump = JSON.stringify(await everythingIn(store));
      for (const token of tokens) {
        assert.ok(dump.includes(sessionIdOf(token)), 'a session is missing from what the store enumerates');
        assert.ok(!dump.includes(token.slice(sessionIdOf(token).length + 1)), 'the store holds a secret');
      }
    });
  }
}

function loggedIn({ issued }: Sessions): Promise<string> {
  return issued(null, (session) => session.login({ id: 'ada' }));
}

async function rewrite(store: SessionStore, token: string, change: (body: string) => string) {
  const record = (await store.find(sessionIdOf(token), call))!;
  const next = { ...record, version: record.version + 1, body: change(record.body) };
  assert.equal(await store.update(next, record.version, call), true);
  return next;
}

/** Lists all records, to check that a damaged one does not break listing. */
async function listAll(suite: StoreSuite): Promise<void> {
  const store = suite.store as SessionStore & Partial<EnumerableStore & PrincipalIndexedStore>;
  if (suite.has('enumeration')) {
    assert.equal((await everythingIn(store as EnumerableStore)).length, 2);
  }
  if (suite.has('principals')) {
    assert.equal((await store.findByPrincipal!('default:ada', call)).length, 2);
  }
}
