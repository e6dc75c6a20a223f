import { MemorySessionStore, SessionError, type SessionStore } from 'nestjs-tessera';
import { TieredSessionStore } from 'nestjs-tessera/tiered';
import { SessionSimulation, randomFrom } from '../../lib/testing/store-suite/session-simulation';
import { often } from '../support/long';
import { seed } from '../support/seed';
import { WatchedStore } from '../support/watched-store';
import { call } from './tiered-processes';

const ROUNDS = often(30, 150);

/** How often a call to the fast tier goes wrong. */
const FAULTS = 0.08;

type Random = () => number;

/** A store whose calls, and whose answers, take some turns of the event loop. */
function slow(store: SessionStore, random: Random): WatchedStore {
  const slowed = new WatchedStore(store);
  const dawdle = async () => {
    for (let turns = Math.floor(random() * 4); turns > 0; turns--) await new Promise(setImmediate);
  };
  slowed.before = slowed.after = dawdle;
  return slowed;
}

/** One that also refuses, loses answers, forgets everything, and does late what was given up. */
function stormy(memory: MemorySessionStore, random: Random): SessionStore {
  const store = slow(memory, random);
  const { before, after } = store;
  store.before = async (operation, id) => {
    await before(operation, id);
    if (random() < FAULTS / 4) throw new Error('refused');
    // Longer than the timeout.
    if (random() < FAULTS / 4) await new Promise((resolve) => setTimeout(resolve, 8));
    if (random() < FAULTS / 4)
      for await (const record of memory.records(call)) await memory.delete(record.id);
  };
  store.after = async (operation, id) => {
    await after(operation, id);
    if (random() < FAULTS / 4) throw new Error('the answer was lost');
  };
  return store;
}

/** A look at the end that met a storm: nothing was promised. */
function nothing(error: unknown): string[] {
  if (error instanceof SessionError && error.code === 'SESSION_STORE_UNAVAILABLE') return [];
  throw error;
}

describe(`two processes that write behind, and do what seed ${seed} says`, () => {
  const play = async (
    fastOf: (memory: MemorySessionStore, random: Random) => SessionStore,
    patience: { lease: number; fastTimeout: number },
  ) => {
    const random = randomFrom(seed);
    const objections: string[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const [memory, durable] = [new MemorySessionStore(), new MemorySessionStore()];
      const flushEvery = 1 + Math.floor(random() * 5);
      const stores = [0, 1].map(
        () =>
          new TieredSessionStore({
            fast: fastOf(memory, random),
            durable: slow(durable, random),
            writeBehind: true,
            queueLimit: 2,
            flushEvery,
            ...patience,
          }),
      );
      objections.push(...(await new SessionSimulation(stores, random).run(10).catch(nothing)));
      for (const store of stores) await store.close();
    }
    return objections;
  };

  it('R10: show nobody foreign, mixed, lost or ended data', async () => {
    expect(await play(slow, { lease: 1000, fastTimeout: 1000 })).toEqual([]);
  }, 120_000);

  it('R10: lose nothing but the latest changes while the fast tier fails', async () => {
    const objections = await play(stormy, { lease: 4, fastTimeout: 5 });
    // With an extension that is lost a session ends as early as without it.
    const LOST = /has lost the acknowledged changes|the last token of .* opens nothing/;
    expect(objections.filter((text) => !LOST.test(text))).toEqual([]);
  }, 120_000);
});
