import assert from 'node:assert/strict';
import { type SessionStore } from '../../core/session-store';
import {
  isPrepared,
  isClosable,
  type PrincipalIndexedStore,
  type SweepableStore,
  type WatchableStore,
} from '../../core/store-capabilities';
import { increment } from './concurrency.group';
import { describeInterleavings } from './interleavings.group';
import { titleOf, unmetTitleOf } from './limits.group';
import { notRun } from './not-run';
import { MINUTE, START, aRecord, assertRecord, assertRecords, insertAll, insertOne, nextOf } from './records';
import { SLOW_TEST_TIMEOUT, call, type StoreSuite } from './store-suite';
import { describeWatching } from './watching.group';

/** Opens another store over the same data. */
export type OpenPeer<S> = (store: S) => S | Promise<S>;

/** A suite with two stores over the same data. */
export interface PeerSuite extends StoreSuite {
  readonly peer: SessionStore;
}

/** How often a race of two processes is repeated, because a single one may not collide. */
const ROUNDS = 20;

/** Tests the store together with a peer: another store over the same data with its own connection. */
export function describeBetweenProcesses<S extends SessionStore>(
  suite: StoreSuite<S>,
  openPeer: OpenPeer<S> | undefined,
): void {
  const { beforeEach, afterEach, describe } = suite;
  const title = 'between processes';
  const describeOrSkip = openPeer === undefined ? describe.skip : describe;

  describeOrSkip(openPeer === undefined ? notRun(title, 'the harness opens no peer') : title, () => {
    let peer: S | undefined;
    const both = Object.create(suite, { peer: { get: () => peer } }) as PeerSuite;

    beforeEach(async () => {
      peer = await openPeer!(suite.store);
      if (isPrepared(peer)) await peer.prepare();
    });

    afterEach(async () => {
      if (peer !== undefined && isClosable(peer)) await peer.close();
      peer = undefined;
    });

    describeSharing(both);
    if (both.has('watching'))
      describe('watching', () => describeWatching(both, () => both.peer as SessionStore & WatchableStore));
    if (suite.promises('conditional-writes')) describeRivals(both);
    else {
      describe(titleOf('conditional-writes'), () => describeCollisions(both));
      describe.skip(unmetTitleOf('conditional-writes'), () => describeRivals(both));
    }
  });
}

/** Holds for stores without conditional writes, too. */
function describeSharing(suite: PeerSuite): void {
  const { it } = suite;

  it('finds at once what the other wrote, extended and deleted', async () => {
    const record = await insertOne(suite.store);
    assertRecord(await suite.peer.find(record.id, call), record);
    const next = nextOf(record, { body: '{"n":2}', principal: 'default:ada' });
    assert.equal(await suite.peer.update(next, 1, call), true);
    assertRecord(await suite.store.find(record.id, call), next);
    const expiresAt = START + 90 * MINUTE;
    assert.equal(await suite.store.extend(record.id, 2, expiresAt, call), true);
    assertRecord(await suite.peer.find(record.id, call), { ...next, expiresAt });
    await suite.peer.delete(record.id, call);
    assert.equal(await suite.store.find(record.id, call), null);
  });

  if (suite.has('sweeping')) {
    it('E6: does no harm when two processes sweep at once', async () => {
      const stores = [suite.store, suite.peer] as unknown as SweepableStore[];
      const later = START + 5 * MINUTE;
      const dead = Array.from({ length: 60 }, (_, n) => aRecord({ expiresAt: later - n }));
      const alive = Array.from({ length: 20 }, () => aRecord({ expiresAt: later + MINUTE }));
      await insertAll(suite.store, [...dead, ...alive]);
      let removed = 0;
      for (let round = 0; round < 20 && removed < dead.length; round++) {
        const batches = await Promise.all(stores.map((store) => store.sweep(later, 7, call)));
        removed += batches.reduce((sum, batch) => sum + batch);
      }
      assert.equal(removed, dead.length);
      for (const record of alive) assertRecord(await suite.store.find(record.id, call), record);
    });
  }
}

/** Races of two processes, which need conditional writes. */
function describeRivals(suite: PeerSuite): void {
  const { it } = suite;
  const stores = (): SessionStore[] => [suite.store, suite.peer];

  it('lets exactly one of two processes insert an id', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const record = aRecord();
      const rivals = [0, 1].map((n) => ({ ...record, body: `{"n":${n}}` }));
      const done = await Promise.allSettled(stores().map((store, n) => store.insert(rivals[n]!, call)));
      assert.deepEqual(done.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
      const winner = rivals[done.findIndex(({ status }) => status === 'fulfilled')];
      assertRecord(await suite.peer.find(record.id, call), winner);
    }
  });

  it('R1: lets exactly one of two processes update a version, whole', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const { id } = await insertOne(suite.store);
      const rivals = [0, 1].map((n) => aRecord({ id, version: 2, body: `{"n":${n}}`, principal: `a:${n}` }));
      const won = await Promise.all(stores().map((store, n) => store.update(rivals[n]!, 1, call)));
      assert.deepEqual([...won].sort(), [false, true]);
      const winner = rivals[won.indexOf(true)];
      for (const store of stores()) assertRecord(await store.find(id, call), winner);
    }
  });

  it(
    'R2: loses none of 100 increments that two processes make in parallel',
    async () => {
      const { id } = await insertOne(suite.store, { body: '0' });
      await Promise.all(Array.from({ length: 100 }, (_, n) => increment(stores()[n % 2]!, id)));
      const record = await suite.peer.find(id, call);
      assert.deepEqual([record?.body, record?.version], ['100', 101]);
    },
    SLOW_TEST_TIMEOUT,
  );

  it('R3: leaves nothing behind when a delete overlaps updates and extensions of another process', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const record = await insertOne(suite.store, { principal: 'default:ada' });
      await Promise.all([
        suite.peer.update(nextOf(record), 1, call),
        suite.peer.extend(record.id, 1, START + 90 * MINUTE, call),
        suite.store.delete(record.id, call),
        suite.peer.extend(record.id, 2, START + 90 * MINUTE, call),
        suite.peer.update(nextOf(record, { version: 3 }), 2, call),
      ]);
      for (const store of stores()) assert.equal(await store.find(record.id, call), null);
    }
  });

  it('R9 and R11: lets no late write bring back what another process has deleted', async () => {
    const record = await insertOne(suite.store, { principal: 'default:ada' });
    assertRecord(await suite.peer.find(record.id, call), record);
    await suite.store.delete(record.id, call);
    assert.equal(await suite.peer.update(nextOf(record), 1, call), false);
    assert.equal(await suite.peer.extend(record.id, 1, START + 90 * MINUTE, call), false);
    for (const store of stores()) assert.equal(await store.find(record.id, call), null);
  });

  if (suite.has('principals')) {
    it('R9: lets no late write bring back what another process has removed by principal', async () => {
      const [store, peer] = stores() as (SessionStore & PrincipalIndexedStore)[];
      const record = await insertOne(store!, { principal: 'a:1' });
      assert.equal(await peer!.deleteByPrincipal('a:1', call), 1);
      assert.equal(await store!.update(nextOf(record), 1, call), false);
      assertRecords(await peer!.findByPrincipal('a:1', call), []);
    });
  }

  describeInterleavings(suite, stores);
}

/** Shows that the stated limit can be observed. */
function describeCollisions(suite: PeerSuite): void {
  suite.it('shows when two processes update one version', async () => {
    for (let round = 0; round < 10 * ROUNDS; round++) {
      const record = await insertOne(suite.store);
      const rivals = [0, 1].map((n) => nextOf(record, { body: `{"n":${n}}` }));
      const stores = [suite.store, suite.peer];
      const won = await Promise.all(stores.map((store, n) => store.update(rivals[n]!, 1, call)));
      if (won.every(Boolean)) return;
    }
    assert.fail(
      "exactly one of two updates won each time: remove 'conditional-writes' from limits and unmet",
    );
  });
}
