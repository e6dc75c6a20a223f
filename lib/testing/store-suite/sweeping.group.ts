import assert from 'node:assert/strict';
import type { SessionStore } from '../../core/session-store';
import type { SweepableStore } from '../../core/store-capabilities';
import { MINUTE, START, aRecord, assertRecord, assertRecords, insertAll, insertOne, nextOf } from './records';
import { call, type StoreSuite } from './store-suite';

const LATER = START + 5 * MINUTE;

/** Tests a store with `sweep`. The instant is an argument of `sweep`, so no test waits. */
export function describeSweeping(suite: StoreSuite<SessionStore & SweepableStore>): void {
  const { it } = suite;

  it('E6: removes what expires at or before the instant, and nothing that expires after it', async () => {
    const [before, at, after] = await Promise.all(
      [-1, 0, 1].map((offset) => insertOne(suite.store, { expiresAt: LATER + offset })),
    );
    assert.equal(await suite.store.sweep(LATER, 10, call), 2);
    assert.equal(await suite.store.find(before!.id, call), null);
    assert.equal(await suite.store.find(at!.id, call), null);
    assertRecord(await suite.store.find(after!.id, call), after);
    assert.equal(await suite.store.sweep(LATER, 10, call), 0);
  });

  it('E5: reclaims an expiry of zero, below zero, and long ago', async () => {
    await insertAll(
      suite.store,
      [0, -1, -MINUTE, 1, START - MINUTE].map((expiresAt) => aRecord({ expiresAt })),
    );
    assert.equal(await suite.store.sweep(START, 10, call), 5);
  });

  it('E6: removes no more than its limit, and fewer only when no more are left', async () => {
    await insertAll(
      suite.store,
      Array.from({ length: 25 }, (_, n) => aRecord({ expiresAt: LATER - n })),
    );
    const removed = [];
    for (let round = 0; round < 4; round++) removed.push(await suite.store.sweep(LATER, 10, call));
    assert.deepEqual(removed, [10, 10, 5, 0]);
  });

  it('follows an expiry wherever extend and update move it', async () => {
    const moved = { extendedOut: LATER + 1, extendedIn: LATER, updatedOut: LATER + 1, updatedIn: LATER };
    const survivors = [];
    for (const [how, expiresAt] of Object.entries(moved)) {
      const record = await insertOne(suite.store, { expiresAt: how.endsWith('Out') ? LATER : LATER + 1 });
      if (how.startsWith('extended')) await suite.store.extend(record.id, 1, expiresAt, call);
      else await suite.store.update(nextOf(record, { expiresAt }), 1, call);
      if (how.endsWith('Out')) survivors.push(record);
    }
    assert.equal(await suite.store.sweep(LATER, 10, call), 2);
    for (const { id } of survivors) assert.notEqual(await suite.store.find(id, call), null);
  });

  it('E6: never removes a session that was extended meanwhile', async () => {
    const records = Array.from({ length: 50 }, () => aRecord({ expiresAt: LATER }));
    await insertAll(suite.store, records);
    const extensions = records.map(({ id }) => suite.store.extend(id, 1, LATER + MINUTE, call));
    const sweeps = [suite.store.sweep(LATER, 20, call), suite.store.sweep(LATER, 20, call)];
    const [extended, swept] = await Promise.all([Promise.all(extensions), Promise.all(sweeps)]);
    const alive = await Promise.all(records.map(({ id }) => suite.store.find(id, call)));
    const left = alive.filter((record) => record !== null);
    const expected = records
      .filter((_, n) => extended[n])
      .map((record) => ({ ...record, expiresAt: LATER + MINUTE }));
    assertRecords(
      left.filter(({ expiresAt }) => expiresAt > LATER),
      expected,
    );
    assert.equal(left.length + swept[0]! + swept[1]!, records.length);
  });

  it('E6: does no harm when two sweep at once', async () => {
    const dead = Array.from({ length: 60 }, (_, n) => aRecord({ expiresAt: LATER - n }));
    const alive = Array.from({ length: 20 }, () => aRecord({ expiresAt: LATER + MINUTE }));
    await insertAll(suite.store, [...dead, ...alive]);
    const drain = async () => {
      let total = 0;
      for (let last = 7; last === 7 && total <= 60; total += last)
        last = await suite.store.sweep(LATER, 7, call);
      return total;
    };
    const totals = await Promise.all([drain(), drain()]);
    const rest = await drain();
    assert.equal(totals[0] + totals[1] + rest, dead.length);
    for (const record of alive) assertRecord(await suite.store.find(record.id, call), record);
  });
}
