import assert from 'node:assert/strict';
import type { SessionStore } from '../../core/session-store';
import type { SessionId } from '../../core/session-token';
import { MINUTE, START, aRecord, assertRecord, insertOne, nextOf } from './records';
import { SLOW_TEST_TIMEOUT, call, type StoreSuite } from './store-suite';

/** The five calls, in parallel. */
export function describeConcurrency(suite: StoreSuite): void {
  const { describe, it } = suite;

  describe('at the same time', () => {
    it('lets exactly one of many inserts of one id succeed', async () => {
      const first = aRecord();
      const bodies = Array.from({ length: 20 }, (_, n) => `{"n":${n}}`);
      const outcomes = await Promise.allSettled(
        bodies.map((body) => suite.store.insert({ ...first, body }, call)),
      );
      const winners = bodies.filter((_, n) => outcomes[n]!.status === 'fulfilled');
      assert.equal(winners.length, 1);
      assert.equal((await suite.store.find(first.id, call))?.body, winners[0]);
    });

    it('R1: lets exactly one of many updates of one version win, whole', async () => {
      const record = await insertOne(suite.store);
      const rivals = Array.from({ length: 50 }, (_, n) =>
        aRecord({ id: record.id, version: 2, body: `{"n":${n}}` }),
      );
      const won = await Promise.all(rivals.map((rival) => suite.store.update(rival, 1, call)));
      const winners = rivals.filter((_, n) => won[n]);
      assert.equal(winners.length, 1);
      assertRecord(await suite.store.find(record.id, call), winners[0]);
    });

    it(
      'R2: loses none of 100 parallel increments',
      async () => {
        const { id } = await insertOne(suite.store, { body: '0' });
        await Promise.all(Array.from({ length: 100 }, () => increment(suite.store, id)));
        const record = await suite.store.find(id, call);
        assert.deepEqual([record?.body, record?.version], ['100', 101]);
      },
      SLOW_TEST_TIMEOUT,
    );

    it('R6: never erases an update by an extension that overlaps it', async () => {
      for (let round = 0; round < 20; round++) {
        const record = await insertOne(suite.store);
        const next = nextOf(record, { body: '{"kept":1}' });
        const extend = () => suite.store.extend(record.id, 1, START + 90 * MINUTE, call);
        const [, updated] = await Promise.all([extend(), suite.store.update(next, 1, call), extend()]);
        assert.equal(updated, true);
        assertRecord(await suite.store.find(record.id, call), next);
      }
    });

    it('R11: leaves nothing behind when a delete falls between find and update', async () => {
      const { id } = await insertOne(suite.store, { principal: 'default:ada' });
      const found = (await suite.store.find(id, call))!;
      await suite.store.delete(id, call);
      assert.equal(await suite.store.update(nextOf(found), found.version, call), false);
      assert.equal(await suite.store.extend(id, found.version, START + 90 * MINUTE, call), false);
      assert.equal(await suite.store.find(id, call), null);
    });

    it('R3: leaves nothing behind when a delete overlaps updates and extensions', async () => {
      for (let round = 0; round < 20; round++) {
        const record = await insertOne(suite.store, { principal: 'default:ada' });
        await Promise.all([
          suite.store.update(nextOf(record), 1, call),
          suite.store.extend(record.id, 1, START + 90 * MINUTE, call),
          suite.store.delete(record.id, call),
          suite.store.extend(record.id, 2, START + 90 * MINUTE, call),
          suite.store.update(nextOf(record, { version: 3 }), 2, call),
        ]);
        assert.equal(await suite.store.find(record.id, call), null);
      }
    });
  });
}

/** Increments like the manager: on a conflict it reads again and replays. Each conflict means that another writer won, so their number is bounded. */
export async function increment(store: SessionStore, id: SessionId): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const record = (await store.find(id, call))!;
    const next = nextOf(record, { body: String(Number(record.body) + 1) });
    if (await store.update(next, record.version, call)) return;
  }
  assert.fail('update resolved false 200 times in a row, although only 99 other increments were running');
}
