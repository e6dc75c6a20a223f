import fc from 'fast-check';
import { often } from '../support/long';
import { seed } from '../support/seed';
import { describeStores } from '../support/stores';
import { interleavings } from './world/interleavings';
import { World } from './world/world';

// A pause between two attempts would leave the order to the machine's timers; here the scheduler alone decides it.
jest.mock('node:timers/promises', () => ({ setTimeout: () => Promise.resolve() }));

const RUNS = often(50, 1_000);

describeStores('on', ({ name, create }) => {
  const numRuns = name === 'memory' ? RUNS : Math.ceil(RUNS * 0.1);

  const explore = (faults: boolean, locks = false) =>
    fc.assert(
      fc.asyncProperty(interleavings(faults), fc.scheduler(), async (commands, scheduler) => {
        const { store, close } = await create();
        const world = new World(store, scheduler, undefined, locks);
        try {
          await fc.scheduledModelRun(scheduler, () => ({ model: {}, real: world }), commands);
          await scheduler.waitFor(world.answered());
          await scheduler.waitFor(world.inspect());
        } finally {
          await close();
        }
        expect(world.objections).toEqual([]);
      }),
      { numRuns, seed },
    );

  it('R10: no interleaving of three clients shows foreign, mixed or ended data, loses a promise, or lets a dead token open', async () => {
    await explore(false);
  }, 120_000);

  it('R10: nor does one in which answers of the store are lost and requests commit once more', async () => {
    await explore(true);
  }, 120_000);

  it('R10: nor does one in which the idle timeout locks logins', async () => {
    await explore(true, true);
  }, 120_000);
});
