import type { Session } from '../../lib/core/session';
import type { CommitOutcome, Delivery } from '../../lib/core/commit-outcome';
import type { LoginSettings } from '../../lib/core/login-settings';
import { MINUTE, core, type Core } from '../support/core';
import '../support/session-data';
import { describeStores, type StoreUnderTest } from '../support/stores';

const ada = { id: 'ada', roles: ['agent'] };
const bob = { id: 'bob' };
const GONE: Delivery = { reach: 'gone', capacity: Infinity };
const SECOND = { amr: ['otp'] };

describeStores('requests of one login that change its rights, on', ({ create }) => {
  let under: StoreUnderTest;
  let app: Core;
  let token: string;

  async function begin(work: (s: Session) => void, logins: Partial<LoginSettings> = {}): Promise<void> {
    app = core({ store: under.store, logins });
    token = await app.issued(null, work);
    app.told();
  }
  beforeEach(async () => (under = await create()));
  afterEach(() => under.close());

  const open = (): Promise<Session> => app.manager.open(token);
  const seen = (s: Session) => ({
    principal: s.principal?.id ?? null,
    pending: s.pending?.id ?? null,
    actor: s.actor?.id ?? null,
    level: s.level,
    amr: s.amr.toSorted(),
    cart: s.get('cart') ?? null,
  });
  const look = async (at: string) => seen(await app.manager.open(at));
  const tokenOf = (outcome: CommitOutcome): string =>
    outcome.kind === 'issue' ? outcome.token : outcome.kind;
  const outcomeOf = (commit: Promise<CommitOutcome>): Promise<string> =>
    commit.then(tokenOf, (error: { code: string }) => error.code);
  /** Both have opened the session before one of them commits. */
  async function race(...works: ((s: Session) => void)[]): Promise<string[]> {
    const sessions = await Promise.all(works.map(open));
    works.forEach((work, at) => work(sessions[at]!));
    const outcomes: string[] = [];
    for (const session of sessions) outcomes.push(await outcomeOf(app.manager.commit(session)));
    return outcomes;
  }

  const NOTHING = { principal: null, pending: null, actor: null, level: 0, amr: [], cart: null };
  const AS_ADA = { ...NOTHING, principal: 'ada', level: 1 };
  const AS_BOB = { ...AS_ADA, principal: 'bob', actor: 'ada' };

  it('L14: of two proofs that complete a login at once, one does, and one event tells', async () => {
    await begin((s) => s.login(ada, { pending: true }));
    const [first, second] = await race(
      (s) => s.elevate(SECOND),
      (s) => s.elevate(SECOND),
    );
    const told = app.told().filter((type) => type === 'loggedIn');
    expect({ second, told, seen: await look(first!), old: await look(token) }).toEqual({
      second: 'keep',
      told: ['loggedIn'],
      seen: { ...AS_ADA, level: 2, amr: ['otp'] },
      old: { ...NOTHING, pending: 'ada' },
    });
  });

  it('L1, L3: of two proofs at once the second has what it proved itself', async () => {
    await begin((s) => s.login(ada));
    const [, second] = await race(
      (s) => s.elevate({ amr: ['otp'], level: 2 }),
      (s) => s.elevate({ amr: ['hwk'], level: 3 }),
    );
    expect(await look(second!)).toEqual({ ...AS_ADA, level: 3, amr: ['hwk'] });
  });

  it('L1: a request that was under way gets no level and method of another proof by a weaker one', async () => {
    await begin((s) => s.login(ada));
    const slow = await open();
    await app.issued(token, (s) => s.elevate({ amr: ['hwk'], level: 3 }));
    slow.elevate({ amr: ['pwd'] });
    const outcome = await app.manager.commit(slow);
    expect(outcome.kind === 'issue' && (await look(outcome.token))).toEqual({
      ...AS_ADA,
      level: 1,
      amr: ['pwd'],
    });
  });

  it('R13: keeps what a request wrote that was under way when the login was completed, without its rights', async () => {
    await begin((s) => s.login(ada, { pending: true }));
    const slow = await open();
    const completed = await app.issued(token, (s) => s.elevate(SECOND));
    slow.set('cart', ['pear']);
    await app.manager.commit(slow);
    expect({ slow: seen(slow), stored: (await look(completed)).cart }).toEqual({
      slow: { ...NOTHING, pending: 'ada', cart: ['pear'] },
      stored: ['pear'],
    });
  });

  it('L8: all sessions of the principal end before the proof is written: it completes nothing', async () => {
    await begin((s) => s.login(ada, { pending: true }));
    const slow = await open();
    slow.elevate(SECOND);
    await app.manager.endAll(ada);
    app.told();
    const outcome = await outcomeOf(app.manager.commit(slow));
    expect({ outcome, told: app.told(), seen: await look(token) }).toEqual({
      outcome: 'keep',
      told: ['rejected'],
      seen: NOTHING,
    });
  });

  it('L8: a login and what follows it are not reported when they are refused after they were written', async () => {
    await begin((s) => s.set('cart', ['pear']));
    const session = await open();
    session.login(ada, { checkedAt: app.clock() });
    session.actAs(bob);
    app.store.after = async (operation) => {
      if (operation !== 'update') return;
      app.store.after = () => {};
      app.clock.advance(1);
      await app.manager.endAll(ada);
    };
    const refused = await outcomeOf(app.manager.commit(session));
    await app.manager.commit(session);
    expect({ refused, told: app.told().filter((type) => /loggedIn|acted/.test(type)) }).toEqual({
      refused: 'SESSION_LOGIN_OUTDATED',
      told: [],
    });
  });

  it('L9: a completion beyond the limit is refused, and leaves the pending login as it was', async () => {
    await begin((s) => s.login(ada, { pending: true }), { limit: { max: () => 1, policy: 'refuse' } });
    await app.issued(null, (s) => s.login(ada));
    app.told();
    const session = await open();
    session.set('cart', ['pear']);
    session.elevate(SECOND);
    session.set('visits', 1);
    const refused = await outcomeOf(app.manager.commit(session));
    await app.manager.commit(session);
    const stored = await open();
    expect({ refused, told: app.told(), ...seen(stored), visits: stored.has('visits') }).toEqual({
      ...NOTHING,
      refused: 'SESSION_LIMIT_REACHED',
      told: [],
      pending: 'ada',
      cart: ['pear'],
      visits: false,
    });
  });

  describe('a login that is locked', () => {
    beforeEach(async () => {
      await begin((s) => s.login(ada), { locksWhenIdle: true });
      app.clock.advance(30 * MINUTE);
    });

    it('R13: keeps what a request wrote that was under way when it was unlocked, without rights', async () => {
      const slow = await open();
      const unlocked = await app.issued(token, (s) => s.elevate());
      slow.set('cart', ['pear']);
      await app.manager.commit(slow);
      expect({ slow: seen(slow), locked: slow.locked?.id, stored: await look(unlocked) }).toEqual({
        slow: { ...NOTHING, cart: ['pear'] },
        locked: 'ada',
        stored: { ...AS_ADA, cart: ['pear'] },
      });
    });

    it('L1: is unlocked once by two proofs at once, and the token of before has no rights', async () => {
      const [first, second] = await race(
        (s) => s.elevate(),
        (s) => s.elevate(),
      );
      expect({ second, first: await look(first!), old: await look(token) }).toEqual({
        second: 'keep',
        first: AS_ADA,
        old: NOTHING,
      });
    });

    it('is not locked by a request that comes later than one that arrived in time', async () => {
      await begin((s) => s.login(ada), { locksWhenIdle: true });
      app.clock.advance(30 * MINUTE - 1);
      const inTime = await open();
      app.clock.advance(1);
      const late = await open();
      await app.manager.commit(inTime);
      await app.manager.commit(late);
      expect({ late: seen(late), after: await look(token) }).toEqual({ late: NOTHING, after: AS_ADA });
    });
  });

  describe('an impersonation', () => {
    beforeEach(() =>
      begin((s) => {
        s.login(ada);
        s.set('cart', ['hers']);
      }),
    );
    const actAs = (s: Session): void => s.actAs(bob);

    it('R5: is begun by one of two requests at once; the other one changes nothing', async () => {
      const [first, second] = await race(actAs, (s) => {
        s.actAs({ id: 'eve' });
        s.set('cart', ['for eve']);
      });
      expect({ second, told: app.told(), seen: await look(first!) }).toEqual({
        second: 'keep',
        told: ['renewed', 'actedAs', 'rejected'],
        seen: AS_BOB,
      });
    });

    it('R5: gets nothing of a request that was under way when it began or ended', async () => {
      const slow = await open();
      const acting = await app.issued(token, actAs);
      slow.set('cart', ['late']);
      await app.manager.commit(slow);
      const during = await look(acting);
      const slower = await app.manager.open(acting);
      const back = await app.issued(acting, (s) => s.stopActing());
      slower.set('cart', ['later']);
      await app.manager.commit(slower);
      expect({ during, after: await look(back), old: [await look(token), await look(acting)] }).toEqual({
        during: AS_BOB,
        after: { ...AS_ADA, cart: ['hers'] },
        old: [NOTHING, NOTHING],
      });
    });

    it('R12: is ended by a logout with the token of before it began', async () => {
      const slow = await open();
      const acting = await app.issued(token, actAs);
      slow.logout();
      await app.manager.commit(slow);
      const again = await app.issued(null, (s) => s.login(ada));
      const other = await app.issued(again, actAs);
      await app.request(again, (s) => s.logout({ keepData: true }));
      expect({ first: await look(acting), second: await look(other) }).toEqual({
        first: NOTHING,
        second: NOTHING,
      });
    });

    it('is not begun after a logout, an end of all, or more rights that came first', async () => {
      const outcomes: Record<string, object> = {};
      const ways: [string, () => Promise<string | null>][] = [
        ['logout', async () => (await app.request(token, (s) => s.logout()), null)],
        ['endAll', async () => (await app.manager.endAll(ada), null)],
        ['elevate', () => app.issued(token, (s) => s.elevate({ level: 2 }))],
      ];
      for (const [way, work] of ways) {
        token = await app.issued(null, (s) => s.login(ada));
        const slow = await open();
        const next = await work();
        app.told();
        slow.actAs(bob);
        const outcome = await outcomeOf(app.manager.commit(slow));
        outcomes[way] = { outcome, told: app.told(), seen: await look(next ?? token) };
      }
      const refused = { outcome: 'keep', told: ['rejected'], seen: NOTHING };
      expect(outcomes).toEqual({
        logout: refused,
        endAll: refused,
        elevate: { ...refused, seen: { ...AS_ADA, level: 2 } },
      });
    });

    it('R13: begins over what other requests write meanwhile, which it sets aside', async () => {
      const slow = await open();
      slow.actAs(bob);
      await app.request(token, (s) => void s.get('cart')!.push('pear'));
      const rotated = await app.issued(token, (s) => s.rotateToken());
      const acting = tokenOf(await app.manager.commit(slow));
      const during = await look(acting);
      const back = await app.issued(acting, (s) => s.stopActing());
      expect({ during, back: await look(back), rotated: await look(rotated) }).toEqual({
        during: AS_BOB,
        back: { ...AS_ADA, cart: ['hers', 'pear'] },
        rotated: NOTHING,
      });
    });

    it.each([
      ['begins', (s: Session) => s.actAs(bob), AS_BOB],
      ['ends', (s: Session) => s.stopActing(), { ...AS_ADA, cart: ['hers'] }],
      ['is about to follow a proof', (s: Session) => s.elevate(), { ...AS_ADA, cart: ['hers'] }],
    ])(
      'R14: it %s, and the answer of the store is lost: the client learns its token',
      async (how, work, after) => {
        if (how === 'ends') token = await app.issued(token, actAs);
        app.store.after = (operation) => {
          if (operation !== 'update') return;
          app.store.after = () => {};
          throw new Error('the connection was lost');
        };
        expect(await look(await app.issued(token, work))).toEqual(after);
      },
    );

    it('R14: it is taken back after the answers of the store were lost: nothing of it stays usable', async () => {
      const session = await open();
      session.actAs(bob);
      app.store.after = (operation) => {
        if (operation === 'update') throw new Error('the connection was lost');
      };
      app.store.before = (operation) => {
        if (operation === 'find') throw new Error('the connection was lost');
      };
      const first = await outcomeOf(app.manager.commit(session));
      app.store.after = app.store.before = () => {};
      session.rollback();
      session.set('cart', ['mine']);
      await app.manager.commit(session);
      const left: unknown[] = await app.manager.directory.list('default:ada', null);
      expect({ first, left }).toEqual({ first: 'SESSION_STORE_UNAVAILABLE', left: [] });
    });

    it('R17: it does not begin when the client has gone; only the data of the real principal is saved', async () => {
      const session = await open();
      session.set('visits', 1);
      session.actAs(bob);
      session.set('cart', ['his']);
      await app.manager.commit(session, GONE);
      const stored = await open();
      expect({ ...seen(stored), visits: stored.get('visits'), told: app.told() }).toEqual({
        ...AS_ADA,
        cart: ['hers'],
        visits: 1,
        told: ['rejected'],
      });
    });

    it('R17: nor does it end: what came after that is not given to the other principal', async () => {
      token = await app.issued(token, actAs);
      app.told();
      const session = await open();
      session.set('visits', 2);
      session.stopActing();
      session.set('cart', ['hers again']);
      await app.manager.commit(session, GONE);
      const stored = await open();
      expect({ ...seen(stored), visits: stored.get('visits'), told: app.told() }).toEqual({
        ...AS_BOB,
        visits: 2,
        told: ['rejected'],
      });
    });

    it('L12: is not merged, and merges nothing', async () => {
      const other = await app.issued(null, (s) => s.login(ada));
      const acting = await app.issued(token, actAs);
      await app.request(acting, (s) => s.set('cart', ['his']));
      const outcomes = [
        await outcomeOf(app.request(other, (s) => s.merge(acting))),
        await outcomeOf(app.request(acting, (s) => s.merge(other))),
      ];
      expect({ outcomes, acting: await look(acting), other: await look(other) }).toEqual({
        outcomes: ['SESSION_MERGE_REFUSED', 'SESSION_MERGE_REFUSED'],
        acting: { ...AS_BOB, cart: ['his'] },
        other: AS_ADA,
      });
    });

    it.each<[string, (s: Session) => void, string[]]>([
      ['a login', (s) => s.login({ id: 'carl' }), ['loggedIn']],
      ['a logout', (s) => s.logout(), ['loggedOut']],
      ['a rollback', (s) => s.rollback(), []],
    ])('is not reported when %s of the same request ends it', async (_way, work, told) => {
      await app.request(token, (s) => {
        s.actAs(bob);
        work(s);
      });
      expect(app.told().filter((type) => /logged|acted|Acting/.test(type))).toEqual(told);
    });
  });
});
