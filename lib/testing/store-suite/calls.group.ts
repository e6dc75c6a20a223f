import assert from 'node:assert/strict';
import { newSessionId } from '../../core/session-token';
import { isBatchReadable } from '../../core/store-capabilities';
import { MINUTE, START, aRecord, assertHeads, assertRecord, insertAll, insertOne, nextOf } from './records';
import { call, type StoreSuite } from './store-suite';

/** The five calls, one at a time. */
export function describeCalls(suite: StoreSuite): void {
  const { describe, it } = suite;

  describe('insert and find', () => {
    it('finds nothing under an id that was never inserted', async () => {
      assert.equal(await suite.store.find(newSessionId(), call), null);
    });

    it('finds exactly what was inserted', async () => {
      for (const principal of [null, 'default:ada']) {
        const record = await insertOne(suite.store, { principal });
        assertRecord(await suite.store.find(record.id, call), record);
      }
    });

    it('rejects an id that exists already, and leaves what was there', async () => {
      const record = await insertOne(suite.store);
      const other = aRecord({ id: record.id, principal: 'default:eve', body: '{"other":1}' });
      await assert.rejects(suite.store.insert(other, call), { code: 'SESSION_DUPLICATE_ID' });
      assertRecord(await suite.store.find(record.id, call), record);
    });
  });

  it('reads the heads of many records at once, if it has findHeads', async () => {
    const { store } = suite;
    if (!isBatchReadable(store)) return;
    const records = Array.from({ length: 100 }, (_, n) => aRecord({ principal: n % 2 ? null : 'a:1' }));
    await insertAll(store, [...records, aRecord()]);
    const [gone, ...rest] = records;
    await store.delete(gone!.id, call);
    const found = await store.findHeads(
      records.map(({ id }) => id),
      call,
    );
    assertHeads(found, rest);
    assertHeads(await store.findHeads([newSessionId(), rest[0]!.id, gone!.id], call), [rest[0]!]);
    assertHeads(await store.findHeads([], call), []);
  });

  describe('update', () => {
    it('replaces the whole record', async () => {
      const record = await insertOne(suite.store);
      const next = aRecord({
        id: record.id,
        version: 2,
        principal: 'default:ada',
        expiresAt: START + 50 * MINUTE,
        body: '{"n":2}',
      });
      assert.equal(await suite.store.update(next, 1, call), true);
      assertRecord(await suite.store.find(record.id, call), next);
    });

    it('leaves every other record alone', async () => {
      const [record, other] = [await insertOne(suite.store), await insertOne(suite.store)];
      await suite.store.update(nextOf(record, { body: '{"n":2}' }), 1, call);
      assertRecord(await suite.store.find(other.id, call), other);
    });

    it('says false and writes nothing when the record has another version', async () => {
      const record = await insertOne(suite.store, { version: 5 });
      for (const expected of [4, 6, 0]) {
        const next = nextOf(record, { version: expected + 1, body: '{"stale":1}' });
        assert.equal(await suite.store.update(next, expected, call), false);
      }
      assertRecord(await suite.store.find(record.id, call), record);
    });

    it('R9: says false and creates nothing when the record is gone', async () => {
      const record = await insertOne(suite.store);
      await suite.store.delete(record.id, call);
      assert.equal(await suite.store.update(nextOf(record), 1, call), false);
      assert.equal(await suite.store.find(record.id, call), null);
    });
  });

  describe('extend', () => {
    it('R6: moves the expiry, later or earlier, and nothing else', async () => {
      const record = await insertOne(suite.store, { principal: 'default:ada' });
      for (const expiresAt of [START + 90 * MINUTE, START + 30 * MINUTE]) {
        assert.equal(await suite.store.extend(record.id, 1, expiresAt, call), true);
        assertRecord(await suite.store.find(record.id, call), { ...record, expiresAt });
      }
    });

    it('says true when the expiry is that already', async () => {
      const record = await insertOne(suite.store);
      assert.equal(await suite.store.extend(record.id, 1, record.expiresAt, call), true);
    });

    it('R6: says false and writes nothing when the record has another version', async () => {
      const record = await insertOne(suite.store);
      const next = nextOf(record, { body: '{"n":2}' });
      await suite.store.update(next, 1, call);
      assert.equal(await suite.store.extend(record.id, 1, START + 90 * MINUTE, call), false);
      assertRecord(await suite.store.find(record.id, call), next);
    });

    it('R9: says false and creates nothing when the record is gone', async () => {
      const record = await insertOne(suite.store);
      await suite.store.delete(record.id, call);
      assert.equal(await suite.store.extend(record.id, 1, START + 90 * MINUTE, call), false);
      assert.equal(await suite.store.find(record.id, call), null);
    });
  });

  describe('delete', () => {
    it('removes that record and no other', async () => {
      const [record, other] = [await insertOne(suite.store), await insertOne(suite.store)];
      await suite.store.delete(record.id, call);
      assert.equal(await suite.store.find(record.id, call), null);
      assertRecord(await suite.store.find(other.id, call), other);
    });

    it('R7: changes nothing the second time, or when there never was one', async () => {
      const record = await insertOne(suite.store);
      await suite.store.delete(record.id, call);
      await suite.store.delete(record.id, call);
      await suite.store.delete(newSessionId(), call);
    });
  });
}
