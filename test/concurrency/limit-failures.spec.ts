import type { Principal, Session } from 'nestjs-tessera';
import type { CommitOutcome } from '../../lib/core/commit-outcome';
import type { LimitPolicy } from '../../lib/core/login-settings';
import { core, type Core } from '../support/core';
import '../support/session-data';
import { down, ending } from './endings';

const POLICIES: readonly LimitPolicy[] = ['evict-oldest', 'evict-idle', 'refuse'];
const ada = { id: 'ada' };
const logIn = (session: Session): void => session.login(ada);
const UNAVAILABLE = 'SESSION_STORE_UNAVAILABLE';

let app: Core;

/** What each process of an application is like. A store that hangs is given up soon. */
const process = (policy: LimitPolicy, max: number, store?: Core['store']): Core =>
  core({
    ...(store && { store: store.inner }),
    storeTimeout: 40,
    logins: { limit: { max: () => max, policy } },
  });

const usable = async (tokens: readonly string[]): Promise<number> => {
  const sessions = await Promise.all(tokens.map((token) => app.manager.open(token)));
  return sessions.filter(({ principal }) => principal !== null).length;
};

async function loginOf({ manager, clock }: Core): Promise<string> {
  clock.advance(1000);
  const session = await manager.open(null);
  logIn(session);
  return ending(manager.commit(session));
}

/** The store does this, and is gone before it answers. */
function loseAnswersFrom(operation: string): void {
  let isDown = false;
  app.store.before = () => (isDown ? down() : undefined);
  app.store.after = (called) => {
    isDown ||= called === operation;
    if (isDown) down();
  };
}

const findAgain = (): void => void (app.store.before = app.store.after = () => {});

const hang = (): Promise<void> => new Promise(() => {});

/** The store fails at calls of this kind: from the nth on, before they arrive or after. */
interface Fault {
  readonly what: string;
  readonly when: 'before' | 'after';
  readonly operations: readonly string[];
  readonly how: () => void | Promise<void>;
}

const FAULTS: readonly Fault[] = [
  { what: 'the insert is lost', when: 'before', operations: ['insert'], how: down },
  { what: 'the answer to the insert is lost', when: 'after', operations: ['insert'], how: down },
  {
    what: 'the insert and all after it hang',
    when: 'after',
    operations: ['insert', 'find', 'delete'],
    how: hang,
  },
  { what: 'the list fails', when: 'before', operations: ['findByPrincipal'], how: down },
  { what: 'the list hangs', when: 'before', operations: ['findByPrincipal'], how: hang },
  { what: 'the end of another session fails', when: 'before', operations: ['update'], how: down },
  { what: 'its answer is lost', when: 'after', operations: ['update'], how: down },
  {
    what: 'the list and the end of the login fail',
    when: 'before',
    operations: ['findByPrincipal', 'delete'],
    how: down,
  },
  {
    what: 'the answer to the insert and all calls after it fail',
    when: 'after',
    operations: ['insert', 'find', 'findByPrincipal', 'delete', 'update'],
    how: down,
  },
];

describe.each(POLICIES)('a store that fails during a login with the policy %s', (policy) => {
  // With refuse the second place is free; otherwise a session must end.
  const before = policy === 'refuse' ? 1 : 2;

  it.each(FAULTS)(
    'L9, R14: leaves no token beyond the limit, and no place taken by a login that failed, when $what',
    async ({ when, operations, how }) => {
      app = process(policy, 2);
      const tokens: string[] = [];
      for (let n = 0; n < before; n++) {
        app.clock.advance(1000);
        tokens.push(await app.issued(null, logIn));
      }
      app.store[when] = (operation) => (operations.includes(operation) ? how() : undefined);
      const session = await app.manager.open(null);
      logIn(session);
      const outcome = await app.manager.commit(session).catch(() => null);
      app.store.before = app.store.after = () => {};
      if (outcome?.kind === 'issue') tokens.push(outcome.token);
      const during = await usable(tokens);
      app.clock.advance(1000);
      const again = await app.manager.open(null);
      logIn(again);
      const second = await app.manager.commit(again).catch(() => null);
      if (second?.kind === 'issue') tokens.push(second.token);
      const mayBeFull = policy === 'refuse' && outcome?.kind === 'issue';
      const stored = await app.manager.directory.countOf('default:ada');
      expect({ isWithin: during <= 2, isIn: second?.kind === 'issue' || mayBeFull, stored }).toEqual({
        isWithin: true,
        isIn: true,
        stored: await usable(tokens),
      });
    },
  );

  it('L9, R14: gives a place back that an insert took after it was given up', async () => {
    app = process(policy, 1);
    let arrive!: () => Promise<void>;
    const insert = app.store.insert.bind(app.store);
    app.store.insert = (...given) => {
      app.store.insert = insert;
      arrive = () => insert(...given);
      return hang();
    };
    const first = await loginOf(app);
    await arrive();
    const token = await app.issued(null, logIn);
    const stored = await app.manager.directory.countOf('default:ada');
    expect({ first, usable: await usable([token]), stored }).toEqual({
      first: UNAVAILABLE,
      usable: 1,
      stored: 1,
    });
  });

  it.each<{ what: string; before: (s: Session) => void; lost: (s: Session) => void }>([
    { what: 'login', before: (s) => s.set('visits', 1), lost: logIn },
    { what: 'second factor', before: (s) => s.login(ada, { pending: true }), lost: (s) => s.elevate() },
  ])(
    'L9, R14: has no place taken by a $what into a stored session whose answer was lost',
    async ({ before, lost }) => {
      app = process(policy, 1);
      const token = await app.issued(null, before);
      loseAnswersFrom('update');
      const first = await ending(app.request(token, lost));
      findAgain();
      const second = await loginOf(app);
      const stored = await app.manager.directory.countOf('default:ada');
      expect({ first, second, stored }).toEqual({ first: UNAVAILABLE, second: 'issue', stored: 1 });
    },
  );

  it.each<{ what: string; again: (session: Session, token: string) => Promise<CommitOutcome> }>([
    { what: 'commit', again: (session) => app.manager.commit(session) },
    { what: 'request', again: (_, token) => app.request(token, (s) => s.elevate()) },
  ])('L9, R14: keeps the session of a login that the next $what repeats', async ({ again }) => {
    app = process(policy, 1);
    const token = await app.issued(null, (s) => s.login(ada, { pending: true }));
    const session = await app.manager.open(token);
    session.elevate();
    loseAnswersFrom('update');
    const first = await ending(app.manager.commit(session));
    findAgain();
    const outcome = await again(session, token);
    const repeated = outcome.kind === 'issue' ? outcome.token : '';
    const isKept = (await usable([repeated])) === 1;
    // The token that was told is not ended as one that no client has.
    const next = await loginOf(app);
    expect({ first, isKept, next }).toEqual({
      first: UNAVAILABLE,
      isKept: true,
      next: policy === 'refuse' ? 'SESSION_LIMIT_REACHED' : 'issue',
    });
  });
});

describe('a limit that is a function', () => {
  const limited = (
    max: (principal: Principal) => number | Promise<number>,
    policy: LimitPolicy = 'evict-oldest',
  ) => void (app = core({ logins: { limit: { max, policy } } }));

  it.each(POLICIES)('L9: is called once for a login, with its principal (%s)', async (policy) => {
    const asked: string[] = [];
    limited(
      (principal) => asked.push(`${principal.realm}:${principal.id}:${principal.roles.join()}`),
      policy,
    );
    await app.issued(null, (session) => session.login({ id: 7, realm: 'staff', roles: ['editor'] }));
    expect(asked).toEqual(['staff:7:editor']);
  });

  it('L9: is called again for a later login of the same request', async () => {
    limited(({ roles }) => (roles.includes('admin') ? 1 : 5));
    const other = await app.issued(null, logIn);
    app.clock.advance(1);
    const session = await app.manager.open(null);
    logIn(session);
    await app.manager.commit(session);
    session.login({ ...ada, roles: ['admin'] });
    await app.manager.commit(session);
    expect(await usable([other])).toBe(0);
  });

  it('L9: is asked for the real principal when it acts as another one at once', async () => {
    const asked: string[] = [];
    limited((principal) => (asked.push(principal.id), 1));
    const token = await app.issued(null, (session) => (session.login({ id: 'root' }), session.actAs(ada)));
    app.clock.advance(1);
    await app.issued(null, (session) => session.login({ id: 'root' }));
    expect({ asked, usable: await usable([token]) }).toEqual({ asked: ['root', 'root'], usable: 0 });
  });

  it.each([
    { what: 'throws', max: (): number => down(), error: { message: 'down' } },
    { what: 'rejects', max: async () => down(), error: { message: 'down' } },
    { what: 'returns 0', max: () => 0, error: { code: 'SESSION_OPTIONS_INVALID' } },
    { what: 'returns no number', max: () => undefined as never, error: { code: 'SESSION_OPTIONS_INVALID' } },
  ])('L9: refuses the login and writes nothing when it $what', async ({ max, error }) => {
    let isBroken = false;
    limited((principal) => (isBroken ? max() : Number(principal.id === 'ada')));
    const token = await app.issued(null, (session) => (session.set('visits', 1), logIn(session)));
    isBroken = true;
    app.store.take();
    const session = await app.manager.open(token);
    logIn(session);
    await expect(app.manager.commit(session)).rejects.toMatchObject(error);
    const calls = app.store.take();
    const second = await ending(app.manager.commit(session));
    expect({ calls, second, usable: await usable([token]) }).toEqual({
      calls: ['find'],
      second: 'keep',
      usable: 1,
    });
  });

  it('L9: reads no sessions when it returns Infinity', async () => {
    limited(() => Infinity);
    app.store.take();
    await app.issued(null, logIn);
    expect(app.store.take()).toEqual(['insert']);
  });

  it('L9: ends more than one session at the next login when it has become less', async () => {
    let max = 3;
    limited(() => max);
    const tokens: string[] = [];
    for (let n = 0; n < 3; n++) tokens.push(await app.issued(null, logIn));
    max = 1;
    tokens.push(await app.issued(null, logIn));
    expect(await usable(tokens)).toBe(1);
  });

  it('L9: with refuse, refuses logins until fewer are left when it has become less', async () => {
    let max = 2;
    limited(() => max, 'refuse');
    const tokens = [await app.issued(null, logIn), await app.issued(null, logIn)];
    max = 1;
    const full = await loginOf(app);
    await app.request(tokens[0]!, (session) => session.logout());
    const stillFull = await loginOf(app);
    await app.request(tokens[1]!, (session) => session.logout());
    expect({ full, stillFull, free: await loginOf(app) }).toEqual({
      full: 'SESSION_LIMIT_REACHED',
      stillFull: 'SESSION_LIMIT_REACHED',
      free: 'issue',
    });
  });
});
