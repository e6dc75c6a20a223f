import fc from 'fast-check';
import type { Action, Plan } from './visit';
import { IDLE, type World } from './world';

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Action>({ kind: 'get' }) },
  { weight: 3, arbitrary: fc.constant<Action>({ kind: 'set' }) },
  { weight: 6, arbitrary: fc.constant<Action>({ kind: 'update' }) },
  { weight: 1, arbitrary: fc.constant<Action>({ kind: 'mutate' }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Action>(
      { kind: 'login', user: 'a', pending: false },
      { kind: 'login', user: 'b', pending: false },
      { kind: 'login', user: 'a', pending: true },
    ),
  },
  { weight: 2, arbitrary: fc.boolean().map<Action>((keepData) => ({ kind: 'logout', keepData })) },
  { weight: 2, arbitrary: fc.constant<Action>({ kind: 'elevate' }) },
  { weight: 1, arbitrary: fc.constant<Action>({ kind: 'act' }) },
  { weight: 1, arbitrary: fc.constant<Action>({ kind: 'stop acting' }) },
  { weight: 2, arbitrary: fc.constant<Action>({ kind: 'renew' }) },
  { weight: 2, arbitrary: fc.constant<Action>({ kind: 'rotate' }) },
  { weight: 2, arbitrary: fc.constant<Action>({ kind: 'take' }) },
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

/** What clients may do, in whatever order; with faults, the answers of the store are lost now and then. */
export function interleavings(faults: boolean): fc.Arbitrary<Iterable<fc.AsyncCommand<Model, World>>> {
  const begin = plan(faults).map((each) => new Begin(each));
  const advance = fc.integer({ min: 50, max: IDLE + 200 }).map((duration) => new Advance(duration));
  // Repeated to be drawn more often.
  return fc.commands([begin, begin, begin, begin, begin, advance], { maxCommands: 18 });
}
