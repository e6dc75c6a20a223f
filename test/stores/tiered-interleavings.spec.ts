import fc from 'fast-check';
import { MemorySessionStore } from 'nestjs-tessera';
import { TieredSessionStore } from 'nestjs-tessera/tiered';
import { interleavings } from '../concurrency/world/interleavings';
import { World } from '../concurrency/world/world';
import { often } from '../support/long';
import { seed } from '../support/seed';
import { describeLocalStores } from '../support/stores';
import { StormyStore, besideTheWitness, type Weather } from './tiered-storm';

// A pause between two attempts would leave the order to the machine's timers; here the scheduler alone decides it.
jest.mock('node:timers/promises', () => ({ setTimeout: () => Promise.resolve() }));

const RUNS = often(50, 250);

/** Sessions of the world last for five seconds; copies so long that they are outlived by them and by some pauses between requests. */
const MAX_AGE = 400;

const FAIR = fc.constant<readonly Weather[]>([]);
const STORM = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.constant<Weather>('fair') },
    {
      weight: 2,
      arbitrary: fc.constantFrom<Weather>('refused', 'answer lost', 'late', 'all forgotten'),
    },
  ),
  { minLength: 10, maxLength: 60 },
);

describeLocalStores('two processes with a fast tier over', ({ name, create }) => {
  const numRuns = name === 'memory' ? RUNS : Math.ceil(RUNS * 0.15);

  const explore = (faults: boolean, weathers: fc.Arbitrary<readonly Weather[]>) =>
    fc.assert(
      fc.asyncProperty(
        interleavings(faults),
        fc.scheduler(),
        weathers,
        async (commands, scheduler, weather) => {
          const { store, close } = await create();
          const memory = new MemorySessionStore();
          const world = new World(store, scheduler, (witness, clock) => {
            const fast = new StormyStore(memory, scheduler, weather);
            const durable = besideTheWitness(witness, store);
            const times = { maxAge: MAX_AGE, lease: 3, clockSkew: 0, fastTimeout: 20 };
            return new TieredSessionStore({ fast, durable, clock, ...times });
          });
          try {
            await fc.scheduledModelRun(scheduler, () => ({ model: {}, real: world }), commands);
            await scheduler.waitFor(world.answered());
            await scheduler.waitFor(world.inspect());
          } finally {
            await close();
          }
          expect(world.objections).toEqual([]);
        },
      ),
      { numRuns, seed },
    );

  it('R10: no interleaving shows foreign, mixed or ended data, loses a promise, or lets a dead token open', async () => {
    await explore(false, FAIR);
  }, 120_000);

  it('R10: nor does one in which the fast tier refuses, forgets, loses answers, and does late what was given up', async () => {
    await explore(false, STORM);
  }, 120_000);

  it('R10: nor one in which the durable tier loses answers too', async () => {
    await explore(true, STORM);
  }, 120_000);
});
