import type { Session } from 'nestjs-tessera';
import { DAY, HOUR, MINUTE } from '../support/core';
import '../support/session-data';
import { KEY, OLD_KEY, sealedCore, type Sealed } from './sealed';

const ada = { id: 7, roles: ['member'] };
const KEEP = { kind: 'keep' };
const FORGET = { kind: 'forget' };

describe.each([
  ['encrypted', false],
  ['signed', true],
])('a session whose cookie is %s', (_how, readableByClient) => {
  let app: Sealed;
  beforeEach(() => (app = sealedCore({ readableByClient })));

  /** A session at its client, with the calls and events of its making forgotten. */
  const begun = async (work: (session: Session) => void = (s) => s.set('visits', 1)): Promise<string> => {
    const value = await app.issued(null, work);
    app.list.take();
    app.told();
    return value;
  };
  const isDead = (value: string): Promise<boolean> => app.look(value, (s) => s.isNew);

  it('costs nothing for a visitor who leaves nothing', async () => {
    expect(await app.request(null, (s) => s.get('cart'))).toEqual(KEEP);
    expect({ calls: app.list.take(), told: app.told() }).toEqual({ calls: [], told: [] });
  });

  it('begins with the first write, without asking the list', async () => {
    const decision = await app.request(null, (s) => s.set('visits', 1));
    expect(decision).toEqual({
      kind: 'issue',
      token: expect.stringMatching(/^[\w-]+\.[\w-]*\.[\w-]+/),
      keepUntil: null,
    });
    expect({ calls: app.list.take(), told: app.told() }).toEqual({ calls: [], told: ['created'] });
  });

  it('comes back with everything in it', async () => {
    const value = await begun((s) => {
      s.login(ada, { rememberMe: true, constants: { tenant: 'acme' } });
      s.set('cart', ['é', '\u{1f600}']).set('value', new Map([[1n, new Date(5)]]));
      s.flash('notice', 'welcome');
    });
    const session = await app.manager.open(value);
    expect(session.entries()).toEqual([
      ['cart', ['é', '\u{1f600}']],
      ['value', new Map([[1n, new Date(5)]])],
    ]);
    expect(session.principal).toEqual({ id: '7', realm: 'default', roles: ['member'] });
    expect(session.constant('tenant')).toBe('acme');
    expect(session.messages('notice')).toEqual(['welcome']);
    const { isNew, remembered, authenticatedAt, deadline } = session;
    expect({ isNew, remembered, authenticatedAt, deadline }).toEqual({
      isNew: false,
      remembered: true,
      authenticatedAt: app.clock(),
      deadline: app.clock() + 30 * DAY,
    });
  });

  it('D1, D2: keeps every kind of value, and every kind of key', async () => {
    const kept: [string, unknown][] = [
      ['__proto__', { admin: true }],
      ['constructor', 'text\0with NUL'],
      ['other', [undefined, -0, NaN, 2n ** 80n, new Date(0), new Set([1]), new Uint8Array([0, 255])]],
      ['then', { deep: { er: ['\u{1f3fa}', '\ud800'] } }],
      ['toString', null],
    ];
    const value = await begun((s) => {
      for (const [key, each] of kept) s.set(key as 'value', each);
    });
    expect(await app.look(value, (s) => s.entries())).toEqual(kept);
    expect(await app.look(value, (s) => s.get('hasOwnProperty'))).toBeUndefined();
  });

  it('keeps its public id through every write and renewal', async () => {
    const first = await begun();
    const id = await app.look(first, (s) => s.id);
    const second = await app.issued(first, (s) => s.set('visits', 2));
    const third = await app.issued(second, (s) => s.login(ada));
    expect(await app.look(third, (s) => s.id)).toBe(id);
    expect(id).toMatch(/^[\w-]{22}$/);
  });

  it('is sent again with every change, and not without one', async () => {
    const value = await begun();
    expect(await app.request(value, (s) => s.set('visits', 1))).toEqual(KEEP);
    expect(app.list.take()).toEqual(['find']);
    const next = await app.issued(value, (s) => s.set('visits', 2));
    expect(app.list.take()).toEqual(['find', 'find']);
    expect(await app.look(next, (s) => s.get('visits'))).toBe(2);
    expect(app.told()).toEqual([]);
  });

  it('asks the list for the session, and for its principal at the same time', async () => {
    const value = await begun((s) => s.login(ada));
    let waiting = 0;
    let most = 0;
    app.list.before = async () => {
      most = Math.max(most, ++waiting);
      await Promise.resolve();
      waiting--;
    };
    await app.request(value);
    expect({ calls: app.list.take(), atOnce: most }).toEqual({ calls: ['find', 'find'], atOnce: 2 });
  });

  it('notices what was changed in place', async () => {
    const value = await begun((s) => s.set('cart', ['a']));
    const next = await app.issued(value, (s) => s.get('cart')!.push('b'));
    expect(await app.look(next, (s) => s.get('cart'))).toEqual(['a', 'b']);
  });

  it('T5: never adopts an id that it did not give out', async () => {
    const stranger = sealedCore({ keys: [OLD_KEY], readableByClient });
    const value = await stranger.issued(null, (s) => s.set('visits', 1));
    const id = await stranger.look(value, (s) => s.id);
    const own = await app.issued(value, (s) => s.set('visits', 2));
    expect(await app.look(own, (s) => s.id)).not.toBe(id);
    expect(app.list.take()).toEqual(['find']);
  });

  const ways: [string, (s: Session) => void][] = [
    ['login', (s) => s.login(ada)],
    ['login that remembers', (s) => s.login(ada, { rememberMe: true })],
    ['login without the old data', (s) => s.login(ada, { keepData: false })],
    ['login as somebody else', (s) => s.login({ id: 8 })],
    ['login in another realm', (s) => s.login({ id: 7, realm: 'staff' })],
    ['a new token', (s) => s.renewToken()],
  ];
  const loggedInWays: typeof ways = [
    ['elevate', (s) => s.elevate()],
    ['elevate to other roles', (s) => s.elevate({ roles: ['admin'] })],
    ['logout that keeps the data', (s) => s.logout({ keepData: true })],
  ];

  describe.each([
    ['a visitor', (s: Session): unknown => s.set('visits', 1), ways],
    ['somebody logged in', (s: Session) => s.login(ada), [...ways, ...loggedInWays]],
    ['somebody remembered', (s: Session) => s.login(ada, { rememberMe: true }), [...ways, ...loggedInWays]],
  ] as const)('of %s', (_who, start, all) => {
    it.each(all)('L1, L2, L3: has all its older cookies ended at once by %s', async (_way, work) => {
      const older = await begun((s) => void start(s));
      const old = await app.issued(older, (s) => s.set('theme', 'dark'));
      const next = await app.issued(old, work);
      expect({
        older: await isDead(older),
        old: await isDead(old),
        next: await isDead(next),
      }).toEqual({ older: true, old: true, next: false });
    });
  });

  it('L5: keeps or drops data at login and logout as it is told', async () => {
    const value = await begun((s) => s.set('visits', 1));
    const user = await app.issued(value, (s) => s.login(ada));
    expect(await app.look(user, (s) => s.get('visits'))).toBe(1);
    const visitor = await app.issued(user, (s) => s.logout({ keepData: true }));
    expect(await app.look(visitor, (s) => ({ visits: s.get('visits'), principal: s.principal }))).toEqual({
      visits: 1,
      principal: null,
    });
    const again = await app.issued(visitor, (s) => s.login(ada, { keepData: false }));
    expect(await app.look(again, (s) => s.has('visits'))).toBe(false);
  });

  it.each([
    ['logout', (s: Session) => s.logout()],
    ['destroy', (s: Session) => s.destroy()],
    ['a deadline in the past', (s: Session): unknown => (s.deadline = 0)],
  ])('ends for good with %s: a copy of the cookie is dead', async (_title, work) => {
    const value = await begun((s) => s.login(ada));
    expect(await app.request(value, work)).toEqual(FORGET);
    app.told();
    let seen;
    const decision = await app.request(value, (s) => (seen = { isNew: s.isNew, principal: s.principal }));
    expect({ decision, seen }).toEqual({
      decision: { kind: 'keep' },
      seen: { isNew: true, principal: null },
    });
    expect(app.told()).toEqual(['rejected: revoked']);
  });

  it('R7: is destroyed once, however often it is asked for', async () => {
    const value = await begun();
    const session = await app.manager.open(value);
    session.destroy();
    expect(await app.manager.commit(session)).toEqual(FORGET);
    expect(app.list.take()).toEqual(['find', 'find', 'insert']);
    expect(await app.manager.commit(session)).toEqual(FORGET);
    expect(app.list.take()).toEqual([]);
    expect(app.told()).toEqual(['destroyed: destroy']);
  });

  it('L5: begins anew for what is set after a logout', async () => {
    const value = await begun((s) => s.login(ada));
    const farewell = await app.issued(value, (s) => {
      s.logout();
      s.flash('notice', 'goodbye');
    });
    const seen = await app.look(farewell, (s) => ({ principal: s.principal, notice: s.messages('notice') }));
    expect(seen).toEqual({ principal: null, notice: ['goodbye'] });
    expect(await isDead(value)).toBe(true);
  });

  it('tells who came and went', async () => {
    const value = await app.issued(null, (s) => s.login(ada));
    const renewed = await app.issued(value, (s) => s.elevate());
    await app.request(renewed, (s) => s.logout());
    expect(app.told()).toEqual(['created', 'loggedIn', 'renewed', 'loggedOut: logout', 'destroyed: logout']);
  });

  it('takes over the data of another, and ends that one', async () => {
    const phone = await begun((s) => s.set('cart', ['from the phone']));
    const value = await begun((s) => s.set('theme', 'dark'));
    const merged = await app.issued(value, (s) => s.merge(phone));
    expect(await app.look(merged, (s) => ({ theme: s.get('theme'), cart: s.get('cart') }))).toEqual({
      theme: 'dark',
      cart: ['from the phone'],
    });
    expect(await isDead(phone)).toBe(true);
    expect(app.told()).toEqual(['destroyed: merge', 'rejected: revoked']);
    const again = await app.request(merged, (s) => s.merge(phone));
    expect(again).toEqual(KEEP);
  });

  it('takes nothing over from a session that is dead, its own, or none', async () => {
    const value = await begun((s) => s.set('theme', 'dark'));
    const gone = await begun((s) => s.set('theme', 'light'));
    await app.request(gone, (s) => s.destroy());
    const foreign = await sealedCore({ keys: [OLD_KEY] }).issued(null, (s) => s.set('theme', 'light'));
    const merging = (other: string) => app.request(value, (s) => s.merge(other));
    expect({
      dead: await merging(gone),
      own: await merging(value),
      none: await merging(foreign),
    }).toEqual({ dead: KEEP, own: KEEP, none: KEEP });
    expect(await app.look(value, (s) => s.get('theme'))).toBe('dark');
    const session = await app.manager.open(value);
    expect(() => session.merge('rubbish')).toThrow(
      expect.objectContaining({ code: 'SESSION_TOKEN_INVALID' }),
    );
  });

  it('does nothing the second time, and what came in between the third', async () => {
    const session = await app.manager.open(null);
    session.set('visits', 1);
    expect((await app.manager.commit(session)).kind).toBe('issue');
    expect({ isNew: session.isNew, status: session.status }).toEqual({ isNew: false, status: 'unchanged' });
    expect(await app.manager.commit(session)).toEqual(KEEP);
    session.set('visits', 2);
    const decision = await app.manager.commit(session);
    expect(await app.look((decision as { token: string }).token, (s) => s.get('visits'))).toBe(2);
  });

  it('tells its cookie how long to live', async () => {
    const value = await begun((s) => s.login(ada));
    const remembered = await app.request(value, (s) => s.rememberMe());
    expect(remembered).toMatchObject({ kind: 'issue', keepUntil: app.clock() + 30 * DAY });
    const deadline = app.clock() + HOUR;
    const shorter = await app.request(
      (remembered as { token: string }).token,
      (s) => (s.deadline = deadline),
    );
    expect(shorter).toMatchObject({ kind: 'issue', keepUntil: deadline });
  });

  it('tells what it was to tell when what came after it failed at first', async () => {
    const phone = await begun((s) => s.set('cart', ['from the phone']));
    const value = await begun();
    const session = await app.manager.open(value);
    session.login(ada);
    session.merge(phone);
    let writes = 0;
    app.list.before = (operation) => {
      if (operation !== 'find' && ++writes === 2) throw new Error('down');
    };
    await expect(app.manager.commit(session)).rejects.toMatchObject({ code: 'SESSION_STORE_UNAVAILABLE' });
    const decision = await app.manager.commit(session);
    const { token } = decision as { token: string };
    expect(await app.look(token, (s) => ({ who: s.principal?.id, cart: s.get('cart') }))).toEqual({
      who: '7',
      cart: ['from the phone'],
    });
    expect({ old: await isDead(value), phone: await isDead(phone) }).toEqual({ old: true, phone: true });
    expect(await app.manager.commit(session)).toEqual(KEEP);
  });

  /** docs/sealed-sessions.md says so. */
  describe('cannot', () => {
    it('join what two requests change at once: the later cookie wins, whole', async () => {
      const value = await begun();
      const one = await app.issued(value, (s) => s.set('cart', ['a']));
      const two = await app.issued(value, (s) => s.set('theme', 'dark'));
      expect(await app.look(one, (s) => s.keys())).toEqual(['cart', 'visits']);
      expect(await app.look(two, (s) => s.keys())).toEqual(['theme', 'visits']);
    });

    it('know that an older cookie is older, until the session is renewed or ends', async () => {
      const older = await begun((s) => s.flash('notice', 'read once'));
      const newer = await app.issued(older, (s) => s.messages());
      expect(await app.look(older, (s) => s.messages('notice'))).toEqual(['read once']);
      await app.request(newer, (s) => s.renewToken());
      expect(await isDead(older)).toBe(true);
    });
  });

  describe('in time', () => {
    it('E1: lives at its idle timeout minus a millisecond, and is dead at it', async () => {
      const value = await begun((s) => s.login(ada));
      app.clock.advance(30 * MINUTE - 1);
      expect(await isDead(value)).toBe(false);
      app.clock.advance(1);
      app.list.take();
      expect(await app.request(value)).toEqual({ kind: 'keep' });
      expect({ calls: app.list.take(), told: app.told() }).toEqual({
        calls: [],
        told: ['expired: idle-timeout'],
      });
    });

    it('E2: is dead at the end of its lifetime, however busy', async () => {
      let value = await begun((s) => s.login(ada));
      for (let at = 0; at < DAY - 20 * MINUTE; at += 20 * MINUTE) {
        app.clock.advance(20 * MINUTE);
        value = await app.issued(value, (s) => s.update('visits', (n = 0) => n + 1));
      }
      app.clock.advance(20 * MINUTE - 1);
      expect(await isDead(value)).toBe(false);
      app.clock.advance(1);
      expect(await isDead(value)).toBe(true);
      expect(app.told()).toContain('expired: lifetime');
    });

    it('E3: is sent again when a tenth of its idle timeout has passed, and lives on', async () => {
      const value = await begun((s) => s.login(ada));
      app.clock.advance(3 * MINUTE);
      expect(await app.request(value)).toEqual(KEEP);
      app.clock.advance(1);
      app.list.take();
      const extended = await app.issued(value, (s) => s.get('cart'));
      expect(app.list.take()).toEqual(['find', 'find', 'find', 'find']);
      app.clock.advance(30 * MINUTE - 1);
      expect({ extended: await isDead(extended), old: await isDead(value) }).toEqual({
        extended: false,
        old: true,
      });
      expect(await app.look(extended, (s) => s.lastSeenAt)).toBe(app.clock() - 30 * MINUTE + 1);
    });

    it('E3: is not sent again at once when its end lies further off than anything is sealed for', async () => {
      const value = await begun((s) => {
        s.deadline = app.clock() + 300 * DAY;
        s.idleTimeout = 100 * DAY;
      });
      app.clock.advance(MINUTE);
      expect(await app.request(value)).toEqual(KEEP);
    });

    it('E4: a write does not move its absolute end, a login begins a new one', async () => {
      const value = await begun((s) => s.login(ada));
      const end = app.clock() + DAY;
      app.clock.advance(10 * MINUTE);
      const next = await app.issued(value, (s) => s.set('visits', 1));
      expect(await app.look(next, (s) => s.deadline)).toBe(end);
      const again = await app.issued(next, (s) => s.login(ada));
      expect(await app.look(again, (s) => s.deadline)).toBe(end + 10 * MINUTE);
    });

    it('lasts no longer than the longest lifetime after it was sealed, whatever its deadline says', async () => {
      app = sealedCore({ readableByClient, idleTimeout: null });
      const value = await app.issued(null, (s) => (s.deadline = app.clock() + 300 * DAY));
      app.clock.advance(30 * DAY - 1);
      expect(await isDead(value)).toBe(false);
      app.clock.advance(1);
      expect(await isDead(value)).toBe(true);
    });
  });

  describe('with another key', () => {
    it('opens what the previous one sealed, and seals it anew at the next write', async () => {
      const before = sealedCore({ keys: [OLD_KEY], readableByClient });
      const value = await before.issued(null, (s) => s.set('visits', 1));
      app = before.twin({ keys: [KEY, OLD_KEY] });
      expect(await app.request(value)).toEqual(KEEP);
      const next = await app.issued(value, (s) => s.set('visits', 2));
      const after = before.twin({ keys: [KEY] });
      expect(await after.look(next, (s) => s.get('visits'))).toBe(2);
      expect(await after.look(value, (s) => s.isNew)).toBe(true);
      expect(await before.look(next, (s) => s.isNew)).toBe(true);
    });

    it('seals anew when it extends', async () => {
      const before = sealedCore({ keys: [OLD_KEY], readableByClient });
      const value = await before.issued(null, (s) => s.set('visits', 1));
      app = before.twin({ keys: [KEY, OLD_KEY] });
      app.clock.advance(10 * MINUTE);
      const next = await app.issued(value, (s) => s.get('visits'));
      expect(await before.twin({ keys: [KEY] }).look(next, (s) => s.get('visits'))).toBe(1);
    });

    it('leaves alone what a key of nobody here has sealed: another process may know it', async () => {
      const value = await sealedCore({ keys: [OLD_KEY], readableByClient }).issued(null, (s) =>
        s.set('visits', 1),
      );
      expect(await app.request(value)).toEqual(KEEP);
      expect({ calls: app.list.take(), told: app.told() }).toEqual({ calls: [], told: [] });
    });
  });

  it.each([
    ['instance', { name: 'admin' }],
    ['cookie', { cookie: '__Host-other' }],
  ])('T8: is refused by another %s, with the same keys and list', async (_what, other) => {
    const value = await begun((s) => s.login(ada));
    expect(await app.twin(other).look(value, (s) => s.isNew)).toBe(true);
  });

  it('T8: is refused when it is to be of the other kind, encrypted or signed', async () => {
    const value = await begun((s) => s.login(ada));
    const other = app.twin({ readableByClient: !readableByClient });
    expect(await other.look(value, (s) => s.isNew)).toBe(true);
  });

  it('E3: notes the use of a login that locks with its answer, and loses nothing when there is none', async () => {
    app = sealedCore({ readableByClient, logins: { locksWhenIdle: true } });
    const value = await begun((s) => s.login(ada));
    const outcomes: string[] = [];
    app.clock.advance(4 * MINUTE);
    for (const reach of ['gone', 'never', 'open'] as const) {
      const session = await app.manager.open(value);
      outcomes.push((await app.manager.commit(session, { reach, capacity: Infinity })).kind);
    }
    expect(outcomes).toEqual(['keep', 'keep', 'issue']);
  });
});
