import assert from 'node:assert/strict';
import type { SessionRecord } from '../../core/session-record';
import type { SessionStore } from '../../core/session-store';
import type { EnumerableStore } from '../../core/store-capabilities';
import { aRecord, assertRecords, everythingIn, insertAll, insertOne } from './records';
import { call, type StoreSuite } from './store-suite';

/** Tests a store that can enumerate its records. */
export function describeEnumeration(suite: StoreSuite<SessionStore & EnumerableStore>): void {
  const { it } = suite;

  it('ends at once when there is nothing', async () => {
    assertRecords(await everythingIn(suite.store), []);
  });

  it('yields what was inserted', async () => {
    const record = await insertOne(suite.store, { principal: 'default:ada' });
    assertRecords(await everythingIn(suite.store), [record]);
  });

  it('yields each of many once, whatever comes and goes meanwhile', async () => {
    const records = Array.from({ length: suite.volume }, () => aRecord());
    await insertAll(suite.store, records);
    const [steady, leaving] = [records.filter((_, n) => n % 4 !== 0), records.filter((_, n) => n % 4 === 0)];
    const seen: SessionRecord[] = [];
    for await (const record of suite.store.records(call)) {
      seen.push(record);
      if (seen.length % 10 !== 0) continue;
      await suite.store.delete(leaving[seen.length / 10]?.id ?? record.id, call);
      await suite.store.insert(aRecord(), call);
    }
    const ids = new Set(seen.map(({ id }) => id));
    assert.equal(ids.size, seen.length, 'a record was yielded twice');
    assert.equal(
      steady.filter(({ id }) => !ids.has(id)).length,
      0,
      'a record that existed throughout was not yielded',
    );
  });

  it('can be left early, and begun again', async () => {
    const records = Array.from({ length: 10 }, () => aRecord());
    await insertAll(suite.store, records);
    for await (const record of suite.store.records(call)) {
      assert.ok(record.id);
      break;
    }
    assertRecords(await everythingIn(suite.store), records);
  });

  it('stops within a page when the call is given up', async () => {
    await insertAll(
      suite.store,
      Array.from({ length: suite.volume }, () => aRecord()),
    );
    const controller = new AbortController();
    let seen = 0;
    const iteration = async () => {
      for await (const record of suite.store.records({ signal: controller.signal })) {
        if (record) seen++;
        controller.abort();
      }
    };
    await iteration().catch(() => undefined);
    assert.ok(
      seen < suite.volume,
      `all ${seen} records were yielded, although the call was aborted at the first`,
    );
  });
}
