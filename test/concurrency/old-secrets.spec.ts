import type { Session } from 'nestjs-tessera';
import type { SessionManager } from '../../lib/core/session-manager';
import { core, MINUTE, type Core } from '../support/core';
import '../support/session-data';
import { describeStores, type StoreUnderTest } from '../support/stores';

const ada = { id: 'ada', roles: ['member'] };
const secondFactor = (session: Session): void => session.elevate({ roles: ['admin'] });

/** What replaces a token, and what a request may do that comes later with the one of before. */
const replacements: [string, (session: Session) => void][] = [
  ['rotateToken', (session) => session.rotateToken()],
  ['renewToken', (session) => session.renewToken()],
  ['elevate', secondFactor],
  ['login', (session) => session.login(ada)],
];

describeStores('an old secret on', ({ create }) => {
  let under: StoreUnderTest;
  let world: Core;
  let manager: SessionManager;
  let token: string;

  beforeEach(async () => {
    under = await create();
    world = core({ store: under.store });
    ({ manager } = world);
    token = await world.issued(null, (session) => {
      session.login(ada);
      session.set('visits', 1);
    });
  });
  afterEach(() => under.close());

  const principalOf = async (value: string) => (await manager.open(value)).principal?.id ?? null;
  const rolesOf = async (value: string) => (await manager.open(value)).principal?.roles ?? null;
  const visitsOf = async (value: string) => (await manager.open(value)).get('visits') ?? null;

  describe.each(replacements)('after %s', (name, replace) => {
    it('R12: a logout that comes with it ends the session, for a minute', async () => {
      const next = await world.issued(token, replace);
      world.clock.advance(MINUTE - 1);
      if (name === 'rotateToken') await manager.open(next);
      expect(await world.request(token, (session) => session.logout())).toEqual({ kind: 'forget' });
      expect({ old: await principalOf(token), next: await principalOf(next) }).toEqual({
        old: null,
        next: null,
      });
      expect(world.told()).toEqual(expect.arrayContaining(['loggedOut', 'destroyed']));
    });

    it.each([true, false])('R12: so does one under way, with keepData: %s', async (keepData) => {
      const leaving = await manager.open(token);
      const next = await world.issued(token, replace);
      leaving.logout({ keepData });
      await manager.commit(leaving);
      expect(await principalOf(next)).toBeNull();
    });

    it('R13: a write under way is kept, or is dropped with an event when it overlaps a login', async () => {
      const writing = await manager.open(token);
      const next = await world.issued(token, replace);
      world.told();
      writing.set('visits', 2);
      expect(await manager.commit(writing)).toEqual({ kind: 'keep' });
      const isKept = name !== 'login';
      expect({ visits: await visitsOf(next), told: world.told() }).toEqual({
        visits: isKept ? 2 : 1,
        told: isKept ? [] : ['rejected'],
      });
    });

    it('R13: a request under way never shows rights that came after it', async () => {
      const writing = await manager.open(token);
      await world.issued(token, replace);
      writing.set('visits', 2);
      await manager.commit(writing);
      expect(writing.principal?.roles).toEqual(['member']);
    });

    it('begins no session in the place of the newer cookie', async () => {
      await world.issued(token, replace);
      expect(await world.request(token, (session) => session.set('theme', 'dark'))).toEqual({ kind: 'keep' });
    });
  });

  it('L1: reads, writes and ends the session after a rotation, with the same rights', async () => {
    const next = await world.issued(token, (session) => session.rotateToken());
    expect(await world.request(token, (session) => session.set('visits', 2))).toEqual({ kind: 'keep' });
    expect({ old: await visitsOf(token), next: await visitsOf(next) }).toEqual({ old: 2, next: 2 });
  });

  it('L1, W34: goes on for ten seconds after elevate with the rights it had, and never with the new ones', async () => {
    const next = await world.issued(token, secondFactor);
    expect({ old: await rolesOf(token), next: await rolesOf(next) }).toEqual({
      old: ['member'],
      next: ['admin'],
    });
    await world.request(token, (session) => session.set('visits', 2));
    expect({ roles: await rolesOf(next), visits: await visitsOf(next) }).toEqual({
      roles: ['admin'],
      visits: 2,
    });
    world.clock.advance('10s');
    expect(await principalOf(token)).toBeNull();
  });

  it.each(['renewToken', 'rotateToken'] as const)(
    'L1: of before an elevation gets no token that has the new rights by %s',
    async (how) => {
      await world.issued(token, secondFactor);
      expect(await world.request(token, (session) => session[how]())).toEqual({ kind: 'keep' });
    },
  );

  it('L1: of before an elevation ends the session by a logout that keeps the data', async () => {
    const next = await world.issued(token, secondFactor);
    const outcome = await world.request(token, (session) => session.logout({ keepData: true }));
    expect({ outcome, next: await visitsOf(next) }).toEqual({ outcome: { kind: 'forget' }, next: null });
  });

  it('L1: of before roles were taken does not bring them back by another elevation', async () => {
    const admin = await world.issued(token, secondFactor);
    await world.issued(admin, (session) => session.elevate({ roles: [] }));
    const again = await world.issued(admin, (session) => session.elevate());
    expect(await rolesOf(again)).toEqual([]);
  });

  it('L1: of before an elevation does not get its level and methods by a weaker proof', async () => {
    const strong = await world.issued(token, (session) => session.elevate({ level: 3, amr: ['hwk'] }));
    const { level, amr } = await manager.open(strong);
    expect({ level, amr }).toEqual({ level: 3, amr: ['hwk'] });
    const again = await world.issued(token, (session) => session.elevate({ amr: ['pwd'] }));
    const weak = await manager.open(again);
    expect({ level: weak.level, amr: weak.amr }).toEqual({ level: 1, amr: ['pwd'] });
  });

  it('L1, L14: of a pending login gets no more than its own second factor proves', async () => {
    const pending = await world.issued(null, (session) =>
      session.login(ada, { pending: true, amr: ['pwd'] }),
    );
    await world.issued(pending, (session) => session.elevate({ level: 3, amr: ['hwk'] }));
    const again = await world.issued(pending, (session) => session.elevate({ amr: ['otp'] }));
    const { level, amr } = await manager.open(again);
    expect({ level, amr }).toEqual({ level: 2, amr: ['pwd', 'otp'] });
  });

  it('L1: of before a rotation has no rights either that came after it', async () => {
    const rotated = await world.issued(token, (session) => session.rotateToken());
    const elevated = await world.issued(rotated, secondFactor);
    expect({
      first: await rolesOf(token),
      second: await rolesOf(rotated),
      third: await rolesOf(elevated),
    }).toEqual({
      first: ['member'],
      second: ['member'],
      third: ['admin'],
    });
    world.clock.advance('10s');
    expect({ first: await rolesOf(token), second: await rolesOf(rotated) }).toEqual({
      first: null,
      second: null,
    });
  });

  it.each(replacements.slice(1))(
    'L1: is nobody a minute after %s, and cannot end the session',
    async (_name, replace) => {
      const next = await world.issued(token, replace);
      world.clock.advance(MINUTE);
      await world.request(token, (session) => session.logout());
      expect(await principalOf(next)).toBe('ada');
    },
  );

  it('L1: is nobody at once after a logout that keeps the data, and cannot end the session', async () => {
    const visitor = await world.issued(token, (session) => session.logout({ keepData: true }));
    await world.request(token, (session) => session.destroy());
    expect({ old: await visitsOf(token), visitor: await visitsOf(visitor) }).toEqual({
      old: null,
      visitor: 1,
    });
  });

  describe.each(replacements)('when the answer of the store to %s is lost', (name, replace) => {
    const losing = (when: 'before' | 'after'): void => {
      world.store[when] = (operation) => {
        if (operation !== 'update') return;
        world.store[when] = () => {};
        throw new Error('the connection was lost');
      };
    };

    it.each(['before', 'after'] as const)(
      'R14: %s it was written, the client learns the token that works',
      async (when) => {
        losing(when);
        const next = await world.issued(token, (session) => {
          replace(session);
          session.set('visits', 2);
        });
        expect({ principal: await principalOf(next), visits: await visitsOf(next) }).toEqual({
          principal: 'ada',
          visits: 2,
        });
        if (name === 'login' || name === 'renewToken') expect(await principalOf(token)).toBeNull();
      },
    );
  });

  it('R14: a first login whose answer is lost leaves no second session', async () => {
    world.store.after = (operation) => {
      if (operation !== 'insert') return;
      world.store.after = () => {};
      throw new Error('the connection was lost');
    };
    world.told();
    const first = await world.issued(null, (session) => session.login(ada));
    expect(await principalOf(first)).toBe('ada');
    expect(world.told()).toEqual(['storeFailed', 'created', 'loggedIn']);
  });

  it('R14: a store that tells nothing leaves the client with a 503, and its next request finds out', async () => {
    let isDown = false;
    world.store.after = (operation) => {
      isDown ||= operation === 'update';
      if (isDown) throw new Error('the connection was lost');
    };
    const session = await manager.open(token);
    session.login(ada);
    await expect(manager.commit(session)).rejects.toMatchObject({ code: 'SESSION_STORE_UNAVAILABLE' });
    world.store.after = () => {};
    const outcome = await manager.commit(session);
    if (outcome.kind !== 'issue') throw new Error(outcome.kind);
    expect({ now: await principalOf(outcome.token), before: await principalOf(token) }).toEqual({
      now: 'ada',
      before: null,
    });
  });

  it('R16: a rotation whose answer is lost is not taken for seen by a second commit of its request', async () => {
    const session = await manager.open(token);
    session.rotateToken();
    await manager.commit(session);
    await manager.commit(session);
    world.clock.advance('11s');
    expect(await principalOf(token)).toBe('ada');
  });

  it('R15: take gives a value to exactly one of fifty', async () => {
    const holder = await world.issued(null, (session) => session.set('theme', 'dark'));
    const beside = await under.beside();
    // Forty-nine conflicts on files take longer than the default of this suite on a busy machine.
    const managers = [under, beside].map(({ store }) => core({ store, storeTimeout: 30_000 }).manager);
    const took = await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        const each = managers[n % 2]!;
        const session = await each.open(holder);
        return each.take(session, 'theme', () => each.commit(session));
      }),
    );
    await beside.close();
    expect(took.filter((value) => value !== undefined)).toEqual(['dark']);
    expect((await manager.open(holder)).has('theme')).toBe(false);
  });

  it('R15: take gives a value to one of two logins at once', async () => {
    const visitor = await world.issued(null, (session) => session.set('theme', 'dark'));
    const sessions = await Promise.all([manager.open(visitor), manager.open(visitor)]);
    const took = [];
    for (const session of sessions) {
      session.login(ada);
      took.push(await manager.take(session, 'theme', () => manager.commit(session)));
    }
    expect(took.filter((value) => value !== undefined)).toEqual(['dark']);
  });

  it.each(['before', 'after'] as const)(
    'R15: take loses and doubles nothing when the answer is lost %s it was written',
    async (when) => {
      world.store[when] = (operation) => {
        if (operation !== 'update') return;
        world.store[when] = () => {};
        throw new Error('the connection was lost');
      };
      const take = async () => {
        const session = await manager.open(token);
        return manager.take(session, 'visits', () => manager.commit(session));
      };
      expect({ first: await take(), second: await take() }).toEqual({ first: 1, second: undefined });
    },
  );

  it('R18, W30: a session alive when its request arrived is alive at its commit', async () => {
    world.clock.advance(30 * MINUTE - 1);
    const session = await manager.open(token);
    world.clock.advance(4 * MINUTE);
    session.set('visits', 2);
    expect(await manager.commit(session)).toEqual({ kind: 'keep' });
    expect(await visitsOf(token)).toBe(2);
  });

  it('R18, W30: a request that takes longer than the session lasts gets an error', async () => {
    const session = await manager.open(token);
    world.clock.advance(31 * MINUTE);
    session.set('visits', 2);
    await manager.open(token);
    await expect(manager.commit(session)).rejects.toMatchObject({ code: 'SESSION_EXPIRED' });
  });
});
