import assert from 'node:assert/strict';
import type { SessionRecord } from '../../core/session-record';
import { MINUTE, START, aRecord, assertRecord, insertOne, nextOf } from './records';
import { call, type StoreSuite } from './store-suite';

/** An expired record is never kept forever, whether the store or a sweeper removes it. */
export function describeExpiry(suite: StoreSuite): void {
  const { describe, it } = suite;

  const deadSince = async ({ id }: SessionRecord, expiresAt: number): Promise<void> => {
    const found = await suite.store.find(id, call);
    assert.ok(
      found === null || found.expiresAt === expiresAt,
      `the record was found with expiresAt ${found?.expiresAt}`,
    );
  };

  describe('expiry', () => {
    const instants = { 'a minute ago': START - MINUTE, 'at the epoch': 0, 'before the epoch': -MINUTE };
    for (const [when, expiresAt] of Object.entries(instants)) {
      it(`E5: an expiry ${when} is dead or gone, after each call`, async () => {
        await deadSince(await insertOne(suite.store, { expiresAt }), expiresAt);

        const updated = await insertOne(suite.store);
        assert.equal(await suite.store.update(nextOf(updated, { expiresAt }), 1, call), true);
        await deadSince(updated, expiresAt);

        const extended = await insertOne(suite.store);
        assert.equal(await suite.store.extend(extended.id, 1, expiresAt, call), true);
        await deadSince(extended, expiresAt);
      });
    }

    it('drops nothing before its expiry', async () => {
      const record = await insertOne(suite.store, { expiresAt: START + 10 * MINUTE });
      await suite.store.insert(aRecord({ expiresAt: START - MINUTE }), call);
      assertRecord(await suite.store.find(record.id, call), record);
    });
  });
}
