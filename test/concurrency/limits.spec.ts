import { MemorySessionStore, type Principal, type Session } from 'nestjs-tessera';
import type { LimitPolicy } from '../../lib/core/login-settings';
import { manualClock } from '../../lib/testing/manual-clock';
import { HOUR, MINUTE, core, type Core, type CoreOptions } from '../support/core';
import '../support/session-data';
import { ending } from './endings';

type Max = number | ((principal: Principal) => number | Promise<number>);

const ada = { id: 'ada' };
const logIn = (session: Session): void => session.login(ada);

let app: Core;

const limit = (max: Max, policy: LimitPolicy): CoreOptions['logins'] => ({
  limit: { max: typeof max === 'function' ? max : () => max, policy },
});

const begin = (max: Max, policy: LimitPolicy = 'evict-oldest', options: CoreOptions = {}): void =>
  void (app = core({ logins: limit(max, policy), ...options }));

/** Another process on the same store. */
const elsewhere = (max: Max = 9, policy: LimitPolicy = 'evict-oldest', clock = app.clock): Core =>
  core({ store: app.store.inner, clock, logins: limit(max, policy) });

const principalOf = async (token: string): Promise<string | null> =>
  (await app.manager.open(token)).principal?.id ?? null;

/** Commits the login of a new client, a second after what was before. */
async function loginOf({ manager, clock }: Core, work = logIn): Promise<string> {
  clock.advance(1000);
  const session = await manager.open(null);
  work(session);
  return ending(manager.commit(session));
}

/** Runs something once: when the store is called for a list of sessions, or has answered it. */
function once(when: 'before' | 'after', operation: string, run: () => Promise<unknown>): void {
  app.store[when] = async (called) => {
    if (called !== operation) return;
    app.store[when] = () => {};
    await run();
  };
}

const afterList = (run: () => Promise<unknown>): void => once('after', 'findByPrincipal', run);
const beforeList = (run: () => Promise<unknown>): void => once('before', 'findByPrincipal', run);

describe('a session that a login is about to end because of the limit', () => {
  it.each([
    { what: 'is written to', work: (session: Session) => session.set('visits', 1) },
    { what: 'renews its token', work: (session: Session) => session.renewToken() },
    { what: 'is used', work: () => app.clock.advance(10 * MINUTE) },
  ])('L9: ends all the same when it $what between the list and its end', async ({ work }) => {
    begin(1);
    const tokens = [await app.issued(null, logIn)];
    afterList(async () => {
      const outcome = await elsewhere().request(tokens[0]!, work);
      if (outcome.kind === 'issue') tokens.push(outcome.token);
    });
    const login = await loginOf(app);
    const left = await Promise.all(tokens.map(principalOf));
    expect({ login, left: left.filter(Boolean) }).toEqual({ login: 'issue', left: [] });
  });

  it('L9: is none of them any more when its client has logged out by then', async () => {
    begin(1);
    const token = await app.issued(null, logIn);
    let visitor: string | null = null;
    afterList(async () => {
      visitor = await elsewhere().issued(token, (session) => {
        session.set('cart', ['pear']);
        session.logout({ keepData: true });
      });
    });
    const login = await loginOf(app);
    const after = await app.manager.open(visitor);
    const isEvicted = app.events.some(({ type }) => type === 'evicted');
    expect({ login, cart: after.get('cart'), isEvicted }).toEqual({
      login: 'issue',
      cart: ['pear'],
      isEvicted: false,
    });
  });

  it('L9: is told of by one event, also when two processes end it', async () => {
    begin(1);
    const there = elsewhere(1);
    await app.issued(null, logIn);
    afterList(() => loginOf(there));
    await loginOf(app);
    const evictions = [app, there].flatMap(({ events }) => events.filter(({ type }) => type === 'evicted'));
    expect(evictions.map(({ reason }) => reason)).toEqual(['limit', 'limit']);
    expect(new Set(evictions.map(({ id }) => id)).size).toBe(2);
  });

  it('L9: ends although it keeps being written to', async () => {
    begin(1);
    const token = await app.issued(null, logIn);
    const there = elsewhere();
    let writes = 0;
    app.store.before = async (operation) => {
      if (operation === 'update' && writes++ < 5)
        await there.request(token, (session) => session.set('visits', writes));
    };
    const login = await loginOf(app);
    expect({ login, old: await principalOf(token) }).toEqual({ login: 'issue', old: null });
  });
});

describe('a session that changes faster than it can be ended', () => {
  it('L9: is removed all the same, and the login goes on', async () => {
    begin(1);
    const token = await app.issued(null, logIn);
    const there = elsewhere();
    app.store.before = async (operation) => {
      if (operation === 'update')
        await there.request(token, (session) => session.update('visits', (n = 0) => n + 1));
    };
    const login = await loginOf(app);
    const count = await app.manager.directory.countOf('default:ada');
    expect({ login, old: await principalOf(token), count }).toEqual({
      login: 'issue',
      old: null,
      count: 1,
    });
  });
});

describe('a session that expires', () => {
  it('L9: cannot come back after a login did not count it', async () => {
    begin(1, 'evict-oldest', { idleTimeout: null, lifetime: HOUR });
    const token = await app.issued(null, logIn);
    const slow = await app.manager.open(token);
    slow.deadline = app.clock() + 2 * HOUR;
    app.clock.advance(HOUR);
    const login = await loginOf(app);
    const late = await ending(app.manager.commit(slow));
    expect({ login, late, old: await principalOf(token) }).toEqual({
      login: 'issue',
      late: 'SESSION_EXPIRED',
      old: null,
    });
  });

  it('L9, L10: tells its client why it ended, also when a login has ended it', async () => {
    begin(1, 'refuse', { idleTimeout: MINUTE });
    const token = await app.issued(null, logIn);
    app.clock.advance(MINUTE);
    const login = await loginOf(app);
    const { endedBecause } = await app.manager.open(token);
    const expired = app.events.filter(({ type }) => type === 'expired').map(({ reason }) => reason);
    expect({ login, endedBecause, expired }).toEqual({
      login: 'issue',
      endedBecause: 'idle-timeout',
      expired: ['idle-timeout'],
    });
  });

  it('L9: is not usable any more once a process whose clock is ahead did not count it', async () => {
    begin(1, 'evict-oldest', { idleTimeout: MINUTE });
    const token = await app.issued(null, logIn);
    const ahead = elsewhere(1, 'evict-oldest', manualClock(app.clock() + MINUTE));
    const login = await loginOf(ahead);
    expect({ login, old: await principalOf(token) }).toEqual({ login: 'issue', old: null });
  });
});

describe('a login that is checked against the limit', () => {
  it('L9: ends for another reason than the limit when its session is logged out meanwhile', async () => {
    begin(1);
    const visitor = await app.issued(null, (session) => session.set('visits', 1));
    app.clock.advance(1000);
    beforeList(() => elsewhere().request(visitor, (session) => session.logout()));
    const session = await app.manager.open(visitor);
    logIn(session);
    const outcome = await app.manager.commit(session);
    const token = outcome.kind === 'issue' ? outcome.token : '';
    expect({ kind: outcome.kind, principal: await principalOf(token) }).toEqual({
      kind: 'issue',
      principal: null,
    });
  });

  it('L9: is refused when a later login has ended it before its client was told', async () => {
    begin(1);
    beforeList(() => loginOf(elsewhere(1)));
    expect(await loginOf(app)).toBe('SESSION_LIMIT_REACHED');
  });

  it('L9: is not refused with evict-idle because another session is used meanwhile', async () => {
    begin(1, 'evict-idle');
    const token = await app.issued(null, logIn);
    app.clock.advance(HOUR / 4);
    beforeList(() => {
      app.clock.advance(1);
      return elsewhere().request(token, (session) => session.set('visits', 1));
    });
    const login = await loginOf(app);
    expect({ login, old: await principalOf(token) }).toEqual({ login: 'issue', old: null });
  });

  it('L9: ends no session with refuse that was told while it began earlier', async () => {
    begin(1, 'refuse');
    const session = await app.manager.open(null);
    logIn(session);
    app.clock.advance(1);
    let told = '';
    once('before', 'insert', async () => void (told = await elsewhere(1, 'refuse').issued(null, logIn)));
    const late = await ending(app.manager.commit(session));
    expect({ late, told: await principalOf(told) }).toEqual({ late: 'SESSION_LIMIT_REACHED', told: 'ada' });
  });

  it('L8, L9: is refused for its credentials and ends no other session when all were ended before', async () => {
    begin(1);
    const checkedAt = app.clock();
    app.clock.advance(5);
    await app.manager.endAll(ada);
    const other = await app.issued(null, logIn);
    const login = await loginOf(app, (session) => session.login(ada, { checkedAt }));
    expect({ login, other: await principalOf(other) }).toEqual({
      login: 'SESSION_LOGIN_OUTDATED',
      other: 'ada',
    });
  });

  it('L8, L9: leaves nothing usable when all are ended between its two checks', async () => {
    begin(1);
    const checkedAt = app.clock();
    beforeList(() => elsewhere().manager.endAll(ada));
    const session = await app.manager.open(null);
    session.login(ada, { checkedAt });
    const outcome = await app.manager.commit(session).catch(() => null);
    const token = outcome?.kind === 'issue' ? outcome.token : '';
    const count = await app.manager.directory.countOf('default:ada');
    expect({ principal: await principalOf(token), count }).toEqual({ principal: null, count: 0 });
  });
});

describe.each<LimitPolicy>(['evict-oldest', 'evict-idle'])('clocks that differ, with %s', (policy) => {
  it('L9, E5: let a user log in after the clock has stepped back', async () => {
    begin(1, policy);
    const token = await app.issued(null, logIn);
    app.clock.set(app.clock() - HOUR);
    const logins = [await loginOf(app), await loginOf(app)];
    const count = await app.manager.directory.countOf('default:ada');
    expect({ logins, count, old: await principalOf(token) }).toEqual({
      logins: ['issue', 'issue'],
      count: 1,
      old: null,
    });
  });

  it('L9: let a user log in at a process whose clock is behind, and go on in that request', async () => {
    begin(1, policy);
    const token = await app.issued(null, logIn);
    const behind = elsewhere(1, policy, manualClock(app.clock() - 30_000));
    behind.clock.advance(20_000);
    const session = await behind.manager.open(await behind.issued(null, (s) => s.set('visits', 1)));
    session.login(ada);
    const login = await behind.manager.commit(session);
    behind.store.take();
    session.set('cart', ['pear']);
    await behind.manager.commit(session);
    const calls = behind.store.take();
    const after = await behind.manager.open(login.kind === 'issue' ? login.token : null);
    const content = [after.principal?.id, after.get('visits'), after.get('cart')];
    expect({ content, calls, old: await principalOf(token) }).toEqual({
      content: ['ada', 1, ['pear']],
      calls: ['update'],
      old: null,
    });
  });
});

describe('a memory store that is full', () => {
  it('L9: keeps the limit, and room for other principals', async () => {
    begin(2, 'evict-oldest', { store: new MemorySessionStore({ maxSessions: 4 }) });
    const bob = await app.issued(null, (session) => session.login({ id: 'bob' }));
    const tokens: string[] = [];
    for (let n = 0; n < 6; n++) tokens.push(await app.issued(null, logIn));
    const usable = (await Promise.all(tokens.map(principalOf))).filter(Boolean);
    expect({ usable, bob: await principalOf(bob) }).toEqual({ usable: ['ada', 'ada'], bob: 'bob' });
  });
});

describe('logins of one principal in one process', () => {
  it('L9: take turns, so that each finds few sessions', async () => {
    begin(2);
    let records = 0;
    const find = app.store.findByPrincipal!;
    Object.assign(app.store, {
      findByPrincipal: async (...given: Parameters<typeof find>) => {
        const found = await find(...given);
        records += found.length;
        return found;
      },
    });
    const tokens = await Promise.all(Array.from({ length: 20 }, () => app.issued(null, logIn)));
    const usable = (await Promise.all(tokens.map(principalOf))).filter(Boolean);
    expect(usable).toHaveLength(2);
    expect(records).toBeLessThanOrEqual(20 * 3);
  });

  it('L9: count as one after the other in the same millisecond too', async () => {
    begin(1);
    const tokens: string[] = [];
    for (let n = 0; n < 5; n++) tokens.push(await app.issued(null, logIn));
    expect(await Promise.all(tokens.map(principalOf))).toEqual([null, null, null, null, 'ada']);
  });

  it('L9: do not wait for one that hangs for longer than the store may take, and keep the limit then', async () => {
    begin(1, 'evict-oldest', { storeTimeout: 30 });
    once('before', 'insert', () => new Promise(() => {}));
    const session = await app.manager.open(null);
    logIn(session);
    const hanging = ending(app.manager.commit(session));
    const others = await Promise.all([loginOf(app), loginOf(app), loginOf(app)]);
    const count = await app.manager.directory.countOf('default:ada');
    expect({ hanging: await hanging, others: others.includes('issue'), count }).toEqual({
      hanging: 'SESSION_STORE_UNAVAILABLE',
      others: true,
      count: 1,
    });
  });
});
