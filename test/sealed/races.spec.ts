import { hash } from 'node:crypto';
import { isSweepable, type PrincipalIndexedStore, type Session } from 'nestjs-tessera';
import { draftOf } from '../../lib/core/session';
import { manualClock } from '../../lib/testing/manual-clock';
import { DAY, HOUR, MINUTE } from '../support/core';
import '../support/session-data';
import { describeLocalStores, type StoreUnderTest } from '../support/stores';
import { door } from '../support/watched-store';
import { sealedCore, type Sealed } from './sealed';

const ada = { id: 7, roles: ['member'] };
const KEEP = { kind: 'keep' };
const FORGET = { kind: 'forget' };
const call = { signal: new AbortController().signal };

describeLocalStores('sealed sessions with a list on', ({ create }) => {
  let under: StoreUnderTest;
  let app: Sealed;
  let other: Sealed;
  beforeEach(async () => {
    under = await create();
    app = sealedCore({ list: under.store });
    other = app.twin();
  });
  afterEach(() => under.close());

  const isDead = (value: string): Promise<boolean> => app.look(value, (s) => s.isNew);
  const begun = async (work: (session: Session) => void = (s) => s.login(ada)): Promise<string> => {
    const value = await app.issued(null, work);
    app.told();
    return value;
  };
  /** A request of this process that is still at work while others come and go. */
  const slow = async (
    value: string,
    work: (session: Session) => void,
  ): Promise<() => ReturnType<Sealed['request']>> => {
    const session = await app.manager.open(value);
    work(session);
    return async () => app.manager.settled(session) ?? app.manager.commit(session);
  };

  it('R8: of many renewals at once one lives, and no other is told anything', async () => {
    for (let round = 0; round < 5; round++) {
      let value = await begun();
      // Also when the list knows the session already.
      if (round % 2 === 1) value = await app.issued(value, (s) => s.renewToken());
      const decisions = await Promise.all(
        Array.from({ length: 10 }, (_, i) => (i % 2 ? app : other).request(value, (s) => s.elevate())),
      );
      const issued = decisions.filter((each) => each.kind === 'issue');
      const kept = decisions.filter((each) => each.kind === 'keep');
      expect({ issued: issued.length, kept: kept.length }).toEqual({ issued: 1, kept: 9 });
      expect({ issued: await isDead(issued[0]!.token), old: await isDead(value) }).toEqual({
        issued: false,
        old: true,
      });
    }
    expect([...app.told(), ...other.told()].filter((each) => each.startsWith('storeFailed'))).toEqual([]);
  });

  it('R8: who comes late with the old cookie is not told to forget the new one', async () => {
    const value = await begun();
    const renewed = await app.issued(value, (s) => s.renewToken());
    app.told();
    expect(await other.request(value, (s) => s.set('visits', 1))).toEqual(KEEP);
    expect(other.told()).toEqual(['rejected: stale-token']);
    app.clock.advance(MINUTE);
    expect(await other.request(value, (s) => s.get('visits'))).toEqual(KEEP);
    // By now it is no slow request any more.
    expect((await other.request(value, (s) => s.set('visits', 1))).kind).toBe('issue');
    expect(await isDead(renewed)).toBe(false);
  });

  it.each([
    ['R3', 'writer', (s: Session): unknown => s.set('visits', 1)],
    ['R4', 'reader whose session is due', (s: Session): unknown => s.get('visits')],
    ['R3', 'renewal', (s: Session): unknown => s.renewToken()],
    ['R3', 'elevation', (s: Session): unknown => s.elevate()],
  ])('%s: a slow %s that overlaps a logout brings no live cookie back', async (_id, _who, work) => {
    const value = await begun();
    app.clock.advance(10 * MINUTE);
    const finish = await slow(value, (s) => void work(s));
    expect(await other.request(value, (s) => s.logout())).toEqual(FORGET);
    expect(await finish()).toEqual(KEEP);
    expect(await isDead(value)).toBe(true);
  });

  it.each([
    ['writer', (s: Session): unknown => s.set('visits', 1)],
    ['reader whose session is due', (s: Session): unknown => s.get('visits')],
  ])(
    'R5: a slow %s that overlaps a login does not put its cookie in the place of the new one',
    async (_who, work) => {
      const value = await begun((s) => s.set('theme', 'dark'));
      app.clock.advance(10 * MINUTE);
      const finish = await slow(value, (s) => void work(s));
      const user = await other.issued(value, (s) => s.login(ada));
      expect(await finish()).toEqual(KEEP);
      expect(await app.look(user, (s) => ({ written: s.has('visits'), who: s.principal?.id }))).toEqual({
        written: false,
        who: '7',
      });
    },
  );

  it('R5: a login that overlaps another one gets a session of its own', async () => {
    const value = await begun((s) => s.set('theme', 'dark'));
    const finish = await slow(value, (s) => s.login({ id: 8 }));
    const first = await other.issued(value, (s) => s.login(ada));
    const second = (await finish()) as { token: string };
    expect(await app.look(first, (s) => s.principal?.id)).toBe('7');
    expect(await app.look(second.token, (s) => s.principal?.id)).toBe('8');
    expect(await app.look(first, (s) => s.id)).not.toBe(await app.look(second.token, (s) => s.id));
  });

  it('a logout that keeps the data is not lost to a renewal: the session ends', async () => {
    const value = await begun();
    const finish = await slow(value, (s) => s.logout({ keepData: true }));
    const renewed = await other.issued(value, (s) => s.elevate());
    expect(await finish()).toEqual(FORGET);
    expect({ old: await isDead(value), renewed: await isDead(renewed) }).toEqual({
      old: true,
      renewed: true,
    });
  });

  it('of two logouts that keep the data one does, and the other ends nothing', async () => {
    const value = await begun();
    const finish = await slow(value, (s) => s.logout({ keepData: true }));
    const visitor = await other.issued(value, (s) => s.logout({ keepData: true }));
    expect(await finish()).toEqual(KEEP);
    expect({ old: await isDead(value), visitor: await isDead(visitor) }).toEqual({
      old: true,
      visitor: false,
    });
  });

  it('a login that is taken back while the list is asked leaves nothing', async () => {
    const session = await app.manager.open(null);
    session.login(ada);
    app.list.after = () => {
      app.list.after = () => {};
      session.logout();
    };
    expect(await app.manager.commit(session)).toEqual(KEEP);
    expect({ isNew: session.isNew, principal: session.principal, told: app.told() }).toEqual({
      isNew: true,
      principal: null,
      told: [],
    });
  });

  it.each([
    ['find', 'write', (s: Session): unknown => s.set('visits', 1)],
    ['find', 'renewal', (s: Session): unknown => s.renewToken()],
    ['insert', 'renewal', (s: Session): unknown => s.renewToken()],
  ])('a session that ends during the %s of its own %s has ended', async (step, _what, work) => {
    const value = await begun();
    const session = await app.manager.open(value);
    work(session);
    app.list.after = (operation) => {
      if (operation !== step) return;
      app.list.after = () => {};
      session.destroy();
    };
    expect(await app.manager.commit(session)).toEqual(FORGET);
    expect(await isDead(value)).toBe(true);
    expect(app.told()).toEqual(['destroyed: destroy', 'rejected: revoked']);
  });

  it('E1: what expires while a request is at work is not brought back', async () => {
    const value = await begun();
    const finish = await slow(value, (s) => s.set('visits', 1));
    app.clock.advance(30 * MINUTE);
    expect(await finish()).toEqual(KEEP);
    expect(app.told()).toEqual(['rejected: superseded']);
  });

  it('R7: many logouts at once are one', async () => {
    const value = await begun();
    const decisions = await Promise.all(
      Array.from({ length: 8 }, (_, i) => (i % 2 ? app : other).request(value, (s) => s.logout())),
    );
    expect(decisions).toEqual(Array.from({ length: 8 }, () => FORGET));
    expect(await isDead(value)).toBe(true);
  });

  it('R9: a renewal that lands after the session was destroyed changes nothing', async () => {
    const value = await begun();
    const gate = door();
    const arrived = door();
    app.list.before = async (operation) => {
      if (operation !== 'insert') return;
      arrived.open();
      await gate.opened;
    };
    const renewing = app.request(value, (s) => s.renewToken());
    await arrived.opened;
    expect(await other.request(value, (s) => s.destroy())).toEqual(FORGET);
    gate.open();
    expect(await renewing).toEqual(KEEP);
    expect(await isDead(value)).toBe(true);
    expect(app.told()).toContain('rejected: superseded');
  });

  it.each<[string, (session: Session) => void]>([
    ['a logout', (session) => session.logout({ keepData: true })],
    ['a renewal ten minutes ago', (session) => session.renewToken()],
  ])('R12: a value of before %s cannot end the session after a further login', async (_what, work) => {
    const value = await begun();
    const second = await app.issued(value, work);
    app.clock.advance('10m');
    const third = await app.issued(second, (session) => session.login(ada));
    await app.request(value, (session) => session.logout());
    expect(await isDead(third)).toBe(false);
  });

  describe('when the answer of the list is lost', () => {
    const losing = (when: 'before' | 'after'): void => {
      app.list[when] = (operation) => {
        if (operation !== 'insert' && operation !== 'update') return;
        app.list[when] = () => {};
        throw new Error('connection lost');
      };
    };

    it.each(['first', 'second'])(
      'R14: after its %s renewal was written, the client learns the new value',
      async (which) => {
        const begin = await begun();
        const start = which === 'first' ? begin : await app.issued(begin, (s) => s.elevate());
        losing('after');
        const token = await app.issued(start, (s) => s.elevate({ roles: ['admin'] }));
        expect(await app.look(token, (s) => s.principal?.roles)).toEqual(['admin']);
        expect(await isDead(start)).toBe(true);
      },
    );

    it.each([
      ['before', 'first'],
      ['before', 'second'],
    ] as const)('%s it was written: the same request may try its %s renewal again', async (when, which) => {
      const begin = await begun();
      const start = which === 'first' ? begin : await app.issued(begin, (s) => s.elevate());
      const session = await app.manager.open(start);
      session.elevate({ roles: ['admin'] });
      losing(when);
      await expect(app.manager.commit(session)).rejects.toMatchObject({
        code: 'SESSION_STORE_UNAVAILABLE',
      });
      const decision = await app.manager.commit(session);
      expect(decision.kind).toBe('issue');
      const { token } = decision as { token: string };
      expect(await app.look(token, (s) => s.principal?.roles)).toEqual(['admin']);
      expect(await isDead(start)).toBe(true);
    });

    it('a logout is still there for the next attempt', async () => {
      const value = await begun();
      const session = await app.manager.open(value);
      session.logout();
      losing('before');
      await expect(app.manager.commit(session)).rejects.toMatchObject({ code: 'SESSION_STORE_UNAVAILABLE' });
      expect(await isDead(value)).toBe(false);
      expect(await app.manager.commit(session)).toEqual(FORGET);
      expect(await isDead(value)).toBe(true);
    });
  });

  describe('revoke', () => {
    it('ends a session on every process at once, however often it was written or renewed', async () => {
      const first = await begun();
      const second = await app.issued(first, (s) => s.set('visits', 1));
      const third = await app.issued(second, (s) => s.elevate());
      const id = await app.look(third, (s) => s.id);
      app.told();
      await other.sealed.revoke(id);
      expect(other.events).toEqual([{ type: 'destroyed', id, reason: 'revoked' }]);
      expect(await Promise.all([first, second, third].map(isDead))).toEqual([true, true, true]);
      await other.sealed.revoke(id);
      expect(await app.request(third)).toEqual({ kind: 'keep' });
      expect(app.told()).toContain('rejected: revoked');
    });

    it.each<[string, (value: string) => string]>([
      ['a cookie', (value) => value],
      ['nothing', () => ''],
      ['a path', () => '../etc/passwd'],
      ['what is too long', () => 'x'.repeat(23)],
    ])('L11: takes public ids only, not %s', async (_what, idOf) => {
      const value = await begun();
      await expect(app.sealed.revoke(idOf(value))).rejects.toMatchObject({ code: 'SESSION_TOKEN_INVALID' });
      expect(await isDead(value)).toBe(false);
    });
  });

  it('E4: notes an end for as long as the instance that seals for longest', async () => {
    const long = app.twin({ lifetime: 90 * DAY, idleTimeout: null });
    const value = await long.issued(null, (s) => s.login(ada));
    const id = await long.look(value, (s) => s.id);
    await app.sealed.revoke(id);
    await long.sealed.revoke(id);
    app.clock.advance(60 * DAY);
    if (isSweepable(under.store)) await under.store.sweep(app.clock(), 100, call);
    expect(await long.look(value, (s) => s.isNew)).toBe(true);
  });

  it('E4: shortens no note that an instance made which seals for longer', async () => {
    const long = app.twin({ lifetime: 90 * DAY, idleTimeout: null });
    const value = await long.issued(null, (s) => s.login(ada));
    const renewed = await long.issued(value, (s) => s.elevate());
    await app.sealed.revoke(await long.look(renewed, (s) => s.id));
    app.clock.advance(60 * DAY);
    if (isSweepable(under.store)) await under.store.sweep(app.clock(), 100, call);
    expect(await long.look(renewed, (s) => s.isNew)).toBe(true);
  });

  it('E2: opens nothing for longer than this instance seals, whatever another one has put inside', async () => {
    const long = app.twin({ lifetime: 90 * DAY, idleTimeout: null });
    const value = await long.issued(null, (s) => s.login(ada));
    app.clock.advance(30 * DAY - 1);
    expect(await isDead(value)).toBe(false);
    app.clock.advance(1);
    expect({ here: await isDead(value), there: await long.look(value, (s) => s.isNew) }).toEqual({
      here: true,
      there: false,
    });
  });

  it('L8: leaves what is noted of a principal alone when its id is taken for a session’s', async () => {
    const text = JSON.stringify(['nestjs-tessera/sealed', 'principal', 'default', 'default:7']);
    const id = hash('sha256', text, 'buffer').subarray(0, 16).toString('base64url');
    const value = await begun();
    await app.sealed.revoke(id);
    expect(await isDead(value)).toBe(false);
    await app.sealed.revokeAll({ id: 7 });
    await app.sealed.revoke(id);
    expect(await isDead(value)).toBe(true);
    expect(await isDead(await begun())).toBe(false);
  });

  describe('revokeAll', () => {
    it('ends every session of one principal, and nobody else’s', async () => {
      const mine = [await begun(), await begun((s) => s.login(ada, { rememberMe: true }))];
      mine.push(await app.issued(mine[0]!, (s) => s.elevate()));
      const others = [
        await begun((s) => s.login({ id: 8 })),
        await begun((s) => s.login({ id: 7, realm: 'staff' })),
        await begun((s) => s.set('visits', 1)),
      ];
      await other.sealed.revokeAll({ id: 7 });
      expect(other.events).toEqual([{ type: 'destroyed', principal: 'default:7', reason: 'revoked' }]);
      const dead = {
        mine: await Promise.all(mine.map(isDead)),
        others: await Promise.all(others.map(isDead)),
      };
      expect(dead).toEqual({ mine: [true, true, true], others: [false, false, false] });
      expect(await app.request(mine[1]!)).toEqual({ kind: 'keep' });
    });

    it('L7: leaves the other instance’s alone', async () => {
      const admin = app.twin({ name: 'admin' });
      const value = await admin.issued(null, (s) => s.login(ada));
      await app.sealed.revokeAll({ id: 7 });
      expect(await admin.look(value, (s) => s.isNew)).toBe(false);
    });

    it('lets in who logs in afterwards, in the same millisecond even, and ends that too when asked again', async () => {
      let value = await begun();
      for (let round = 0; round < 3; round++) {
        await app.sealed.revokeAll({ id: 7 });
        expect(await isDead(value)).toBe(true);
        // Anew, or over what a visitor has begun.
        const visitor = round % 2 === 0 ? null : await begun((s) => s.set('theme', 'dark'));
        value = await app.issued(visitor, (s) => s.login(ada));
        expect(await isDead(value)).toBe(false);
        value = await app.issued(value, (s) => s.set('visits', round));
        expect(await isDead(value)).toBe(false);
      }
    });

    it('is kept in mind by who logs in again with a session that was revoked', async () => {
      const value = await begun((s) => {
        s.login(ada);
        s.set('theme', 'dark');
      });
      const finish = await slow(value, (s) => s.login(ada));
      await other.sealed.revokeAll({ id: 7 });
      const { token } = (await finish()) as { token: string };
      expect(await app.look(token, (s) => ({ who: s.principal?.id, hasTheme: s.has('theme') }))).toEqual({
        who: '7',
        hasTheme: false,
      });
      expect(await isDead(value)).toBe(true);
    });

    it('ends what slow requests of a revoked session would write', async () => {
      const value = await begun();
      const finish = await slow(value, (s) => s.elevate());
      await other.sealed.revokeAll({ id: 7 });
      expect(await finish()).toEqual(KEEP);
    });

    it.each([-30_000, 30_000])('reaches logins of a process whose clock is off by %i ms', async (skew) => {
      const clock = manualClock();
      clock.set(app.clock() + skew);
      const skewed = app.twin({ clock });
      const value = await skewed.issued(null, (s) => s.login(ada));
      await app.sealed.revokeAll({ id: 7 });
      const deadOn = async (each: string) => ({
        here: await isDead(each),
        there: await skewed.look(each, (s) => s.isNew),
      });
      expect(await deadOn(value)).toEqual({ here: true, there: true });
      const next = await skewed.issued(null, (s) => s.login(ada));
      expect(await deadOn(next)).toEqual({ here: false, there: false });
    });

    it('L8: racing a login, it ends that login or comes before it', async () => {
      // The login has asked the list, and nothing keeps it from going on.
      const asked = door();
      const gate = door();
      app.list.after = async (operation) => {
        if (operation !== 'find') return;
        app.list.after = () => {};
        asked.open();
        await gate.opened;
      };
      const loggingIn = app.issued(null, (s) => s.login(ada));
      await asked.opened;
      await other.sealed.revokeAll({ id: 7 });
      gate.open();
      expect(await isDead(await loggingIn)).toBe(true);
      expect(await isDead(await app.issued(null, (s) => s.login(ada)))).toBe(false);
    });

    it('L8: racing a hundred logins, it leaves none that had asked before it was noted', async () => {
      const asked: number[] = [];
      let step = 0;
      app.list.after = (operation) => void (operation === 'find' && asked.push(++step));
      let noted = 0;
      other.list.before = (operation) => void (operation !== 'find' && (noted = ++step));
      const logins = Array.from({ length: 100 }, async (_, i) => {
        await new Promise((resolve) => setTimeout(resolve, i % 10));
        return app.issued(null, (s) => s.login(ada));
      });
      await new Promise((resolve) => setTimeout(resolve, 5));
      await other.sealed.revokeAll({ id: 7 });
      const values = await Promise.all(logins);
      app.list.after = () => {};
      const alive = (await Promise.all(values.map(isDead))).filter((dead) => !dead).length;
      // Who was told after the revocation was told of it; who was told before it is dead, whenever they got their cookie.
      const toldAfter = asked.filter((at) => at > noted).length;
      expect(alive).toBeLessThanOrEqual(toldAfter);
      expect(await isDead(await app.issued(null, (s) => s.login(ada)))).toBe(false);
    });

    it('W18: refuses a login that checked its credentials before, and lets a later one in', async () => {
      const checkedAt = app.clock();
      app.clock.advance(5);
      await other.manager.endAll({ id: 7 });
      const login = (at: number) => app.issued(null, (s) => s.login(ada, { checkedAt: at }));
      await expect(login(checkedAt)).rejects.toMatchObject({ code: 'SESSION_LOGIN_OUTDATED' });
      app.clock.advance(2000);
      expect(await isDead(await login(app.clock()))).toBe(false);
    });

    it('W18: ends all sessions of a principal but the one that stays', async () => {
      const [kept, lost] = [await begun(), await begun()];
      const session = await app.manager.open(kept);
      await app.manager.endAll({ id: 7 }, { except: session });
      const outcome = await app.manager.commit(session);
      if (outcome.kind !== 'issue') throw new Error(outcome.kind);
      expect({ kept: await isDead(outcome.token), lost: await isDead(lost) }).toEqual({
        kept: false,
        lost: true,
      });
    });

    it('when many do it at once, all are done', async () => {
      const value = await begun();
      await Promise.all(
        Array.from({ length: 4 }, (_, i) => (i % 2 ? app : other).sealed.revokeAll({ id: 7 })),
      );
      expect(await isDead(value)).toBe(true);
    });
  });

  describe('the list', () => {
    const sweep = async (): Promise<void> => {
      if (isSweepable(under.store)) await under.store.sweep(app.clock(), 100, call);
    };

    it('E6: remembers for as long as anything it speaks of could be opened, and no longer than it must', async () => {
      const remembered = await begun((s) => s.login(ada, { rememberMe: true }));
      const loggedOut = await app.issued(remembered, (s) => s.set('visits', 1));
      const id = (await app.look(loggedOut, (s) => s.id)) as never;
      const fork = await app.issued(null, (s) => s.login({ id: 8 }, { rememberMe: true }));
      await app.request(loggedOut, (s) => s.logout());
      await app.sealed.revokeAll({ id: 8 });
      app.clock.advance(30 * DAY - 1);
      await sweep();
      const deadOnes = async () => ({
        remembered: await isDead(remembered),
        loggedOut: await isDead(loggedOut),
        fork: await isDead(fork),
      });
      expect(await deadOnes()).toEqual({ remembered: true, loggedOut: true, fork: true });
      expect(app.told()).not.toContain('expired: lifetime');
      app.clock.advance(2 * HOUR);
      await sweep();
      expect(await under.store.find(id, call)).toBeNull();
      expect(await deadOnes()).toEqual({ remembered: true, loggedOut: true, fork: true });
    });

    it('T2: holds no cookie, no data, and nothing that an index finds by principal', async () => {
      const value = await begun((s) => {
        s.login(ada);
        s.set('theme', 'dark');
      });
      const renewed = await app.issued(value, (s) => s.elevate());
      const ended = await begun();
      await app.request(ended, (s) => s.logout());
      const others = await begun((s) => s.login({ id: 8 }));
      await app.sealed.revokeAll({ id: 8 });
      const removed = await (under.store as unknown as PrincipalIndexedStore).deleteByPrincipal(
        'default:7',
        call,
      );
      expect(removed).toBe(0);
      expect({
        renewed: await isDead(renewed),
        old: await isDead(value),
        ended: await isDead(ended),
        others: await isDead(others),
      }).toEqual({ renewed: false, old: true, ended: true, others: true });
    });

    it('may lie beside sessions that are stored: each leaves the other alone', async () => {
      const value = await begun();
      const renewed = await app.issued(value, (s) => s.renewToken());
      const { id, secretHash } = draftOf(await app.manager.open(renewed)).token!;
      const stored = sealedCore().manager;
      expect((await stored.open(`${id}.${secretHash}`)).isNew).toBe(true);
      expect(await isDead(renewed)).toBe(false);
    });

    it('F1: is asked or the request fails: nothing is believed, and nobody made anonymous, without it', async () => {
      const value = await begun();
      app.list.before = () => {
        throw new Error('down');
      };
      await expect(app.manager.open(value)).rejects.toMatchObject({ code: 'SESSION_STORE_UNAVAILABLE' });
      expect(app.told()).toContain('storeFailed: error');
      app.list.before = () => new Promise(() => {});
      const impatient = sealedCore({ list: app.list, clock: app.clock, storeTimeout: 50 });
      await expect(impatient.manager.open(value)).rejects.toMatchObject({
        code: 'SESSION_STORE_UNAVAILABLE',
      });
      expect(impatient.told()).toContain('storeFailed: timeout');
      // Who has no cookie needs no list.
      expect((await app.request(null, (s) => s.set('visits', 1))).kind).toBe('issue');
      app.list.before = () => {};
      expect(await isDead(value)).toBe(false);
    });

    it('ends what it cannot read any more', async () => {
      const value = await begun();
      const renewed = await app.issued(value, (s) => s.elevate());
      const { id } = await app.manager.open(renewed);
      const entry = (await under.store.find(id, call))!;
      await under.store.update({ ...entry, version: entry.version + 1, body: 'x' }, entry.version, call);
      expect(await isDead(renewed)).toBe(true);
    });
  });
});
