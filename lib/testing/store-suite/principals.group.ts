import assert from 'node:assert/strict';
import type { SessionStore } from '../../core/session-store';
import type { PrincipalIndexedStore } from '../../core/store-capabilities';
import { aRecord, assertRecord, assertRecords, insertAll, insertOne, nextOf } from './records';
import { call, type StoreSuite } from './store-suite';

/** Each must be found under exactly its own text. Databases differ in which texts they consider equal. */
const PRINCIPALS = [
  'a:1', 'a:11', 'a:01', 'a:1 ', ' a:1', 'A:1', 'a:1:2', 'a::1', 'aa:1', 'b:1', 'a:é', 'a:e', 'a:e\u0301', 'a:ß', 'a:ss',
  'a:%', 'a:_', 'a:*', 'a:?', 'a:\\', "a:'", 'a:"', 'a:\n', 'a:\u2028', 'a:null', 'a:__proto__', 'a:🦊', 'a:🐺', `a:${'x'.repeat(253)}`,
  `a:${'x'.repeat(252)}`,
]; // prettier-ignore

/** Tests a store that finds sessions by principal. */
export function describePrincipals(suite: StoreSuite<SessionStore & PrincipalIndexedStore>): void {
  const { it } = suite;

  it('L7: finds a principal under exactly its own realm and id', async () => {
    const records = PRINCIPALS.map((principal) => aRecord({ principal }));
    await insertAll(suite.store, [...records, aRecord()]);
    for (const record of records)
      assertRecords(await suite.store.findByPrincipal(record.principal!, call), [record]);
    for (const unknown of ['', 'a', 'a:', ':1', '1', '%', '_', 'a:1%', 'null', 'undefined', 'default']) {
      assertRecords(await suite.store.findByPrincipal(unknown, call), [], unknown);
    }
  });

  it('finds all sessions of one principal', async () => {
    const records = Array.from({ length: 150 }, () => aRecord({ principal: 'a:1' }));
    await insertAll(suite.store, [...records, aRecord({ principal: 'a:2' })]);
    const found = await suite.store.findByPrincipal('a:1', call);
    assertRecords(found, records);
  });

  it('follows a session from one principal to another and to none', async () => {
    const visitor = await insertOne(suite.store);
    const ada = nextOf(visitor, { principal: 'a:ada' });
    const bob = nextOf(ada, { principal: 'a:bob' });
    const loggedOut = nextOf(bob, { principal: null });
    for (const record of [ada, bob, loggedOut]) {
      assert.equal(await suite.store.update(record, record.version - 1, call), true);
      for (const principal of ['a:ada', 'a:bob']) {
        const expected = record.principal === principal ? [record] : [];
        assertRecords(await suite.store.findByPrincipal(principal, call), expected);
      }
    }
  });

  it('does not find what was deleted, by whatever call', async () => {
    const records = Array.from({ length: 3 }, () => aRecord({ principal: 'a:1' }));
    await insertAll(suite.store, records);
    await suite.store.delete(records[1]!.id, call);
    assertRecords(await suite.store.findByPrincipal('a:1', call), [records[0]!, records[2]!]);
    assert.equal(await suite.store.update(nextOf(records[1]!), 1, call), false);
    assert.equal((await suite.store.findByPrincipal('a:1', call)).length, 2);
  });

  it('removes all sessions of one principal, says how many, and spares the others', async () => {
    const others = [
      aRecord(),
      aRecord({ principal: 'a:11' }),
      aRecord({ principal: 'A:1' }),
      aRecord({ principal: 'a:%' }),
    ];
    await insertAll(suite.store, [
      ...others,
      ...Array.from({ length: 12 }, () => aRecord({ principal: 'a:1' })),
    ]);
    assert.equal(await suite.store.deleteByPrincipal('a:1', call), 12);
    assert.equal(await suite.store.deleteByPrincipal('a:1', call), 0);
    assertRecords(await suite.store.findByPrincipal('a:1', call), []);
    for (const record of others) assertRecord(await suite.store.find(record.id, call), record);
  });

  it('R9: lets no late write bring back what was removed by principal', async () => {
    const record = await insertOne(suite.store, { principal: 'a:1' });
    await suite.store.deleteByPrincipal('a:1', call);
    assert.equal(await suite.store.update(nextOf(record), 1, call), false);
    assertRecords(await suite.store.findByPrincipal('a:1', call), []);
  });
}
