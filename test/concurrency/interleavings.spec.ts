import fc from 'fast-check';
import { stores } from '../support/stores';
import type { Action, Plan } from './world/visit';
import { IDLE, World } from './world/world';

// A pause between two attempts would leave the order to the machine's timers; here the scheduler alone decides it.
jest.mock('node:timers/promises', () => ({ setTimeout: () => Promise.resolve() }));

const RUNS = Number(process.env.INTERLEAVINGS ?? 1_000);
const SEED = Number(process.env.SEED ?? (Math.random() * 2 ** 31) | 0);

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Action>({ kind: 'get' }) },
  { weight: 3, arbitrary: fc.constant<Action>({ kind: 'set' }) },
  { weight: 6, arbitrary: fc.constant<Action>({ kind: 'update' }) },
  { weight: 1, arbitrary: fc.constant<Action>({ kind: 'mutate' }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Action>({ kind: 'login', user: 'a' }, { kind: 'login', user: 'b' }),
  },
  { weight: 2, arbitrary: fc.boolean().map<Action>((keepData) => ({ kind: 'logout', keepData })) },
  { weight: 1, arbitrary: fc.constant<Action>({ kind: 'elevate' }) },
  { weight: 2, arbitrary: fc.constant<Action>({ kind: 'renew' }) },
  { weight: 1, arbitrary: fc.constant<Action>({ kind: 'destroy' }) },
  { weight: 2, arbitrary: fc.constant<Action>({ kind: 'merge' }) },
);

const plan = (faults: boolean): fc.Arbitrary<Plan> =>
  fc.record<Plan>({
    // The first client is a busy one: most races are among the requests of one session.
    client: fc.constantFrom(0, 0, 0, 1, 2),
    process: fc.nat({ max: 1 }),
    jar: fc.constantFrom('main', 'main', 'main', 'side'),
    actions: fc.array(action, { minLength: 1, maxLength: 3 }),
    between: fc.constantFrom('nothing', 'nothing', 'commit', 'commit unawaited'),
    loseAnswer: faults ? fc.nat({ max: 3 }).map((n) => n === 0) : fc.constant(false),
  });

/** Nothing to predict: what everybody was promised is the model, and it grows with the answers. */
type Model = Record<string, never>;

/** A side session serves to be merged; there it only counts and renews. */
function simplify(given: Plan): Plan {
  if (given.jar === 'main') return given;
  const kept = given.actions.filter(({ kind }) => ['get', 'update', 'renew'].includes(kind));
  return { ...given, actions: kept.length > 0 ? kept : [{ kind: 'update' }] };
}

class Begin implements fc.AsyncCommand<Model, World> {
  constructor(private readonly plan: Plan) {}
  check = (): boolean => true;
  // Not awaited: the next command may begin while this request is under way.
  run = async (_model: Model, world: World): Promise<void> => world.begin(simplify(this.plan));
  toString = (): string => JSON.stringify(simplify(this.plan));
}

class Advance implements fc.AsyncCommand<Model, World> {
  constructor(private readonly duration: number) {}
  check = (): boolean => true;
  run = async (_model: Model, world: World): Promise<void> => void world.clock.advance(this.duration);
  toString = (): string => `advance ${this.duration}`;
}

function interleavings(faults: boolean): fc.Arbitrary<Iterable<fc.AsyncCommand<Model, World>>> {
  const begin = plan(faults).map((each) => new Begin(each));
  const advance = fc.integer({ min: 50, max: IDLE + 200 }).map((duration) => new Advance(duration));
  // Repeated to be drawn more often.
  return fc.commands([begin, begin, begin, begin, begin, advance], { maxCommands: 18 });
}

describe.each(stores)('on $name', ({ name, create }) => {
  const numRuns = name === 'memory' ? RUNS : Math.ceil(RUNS * 0.15);

  const explore = (faults: boolean) =>
    fc.assert(
      fc.asyncProperty(interleavings(faults), fc.scheduler(), async (commands, scheduler) => {
        const { store, close } = await create();
        const world = new World(store, scheduler);
        try {
          await fc.scheduledModelRun(scheduler, () => ({ model: {}, real: world }), commands);
          await scheduler.waitFor(world.answered());
          await scheduler.waitFor(world.inspect());
        } finally {
          await close();
        }
        expect(world.objections).toEqual([]);
      }),
      { numRuns, seed: SEED },
    );

  beforeAll(() => process.stdout.write(`Interleavings on ${name}: ${numRuns} runs, SEED=${SEED}\n`));

  it('R10: no interleaving of three clients shows foreign, mixed or ended data, loses a promise, or lets a dead token open', async () => {
    await explore(false);
  }, 120_000);

  it('R10: nor does one in which answers of the store are lost and requests commit once more', async () => {
    await explore(true);
  }, 120_000);
});
