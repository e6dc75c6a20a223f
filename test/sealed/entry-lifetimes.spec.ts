import { isSweepable, type Session } from 'nestjs-tessera';
import { DAY, HOUR, MINUTE } from '../support/core';
import '../support/session-data';
import { describeLocalStores, type StoreUnderTest } from '../support/stores';
import { door } from '../support/watched-store';
import { sealedCore, type Sealed, type SealedOptions } from './sealed';

const ada = { id: 7 };
const call = { signal: new AbortController().signal };

/** How long an entry outlives the last value, at most. */
const MARGIN = HOUR;

describeLocalStores('sealed sessions with a list on', ({ create }) => {
  let under: StoreUnderTest;
  let app: Sealed;
  const start = (options: SealedOptions = {}): void => {
    app = sealedCore({ list: under.store, ...options });
  };
  beforeEach(async () => {
    under = await create();
    start();
  });
  afterEach(() => under.close());

  const begun = (work: (session: Session) => void = (s) => s.set('visits', 1)): Promise<string> =>
    app.issued(null, work);
  const isDead = (value: string): Promise<boolean> => app.look(value, (s) => s.isNew);
  const pass = async (duration: number): Promise<void> => {
    app.clock.advance(duration);
    if (isSweepable(under.store)) await under.store.sweep(app.clock(), 100, call);
  };
  /** Whether the list has an entry of the session with this id. */
  const isNoted = async (id: string): Promise<boolean> =>
    (await under.store.find(id as never, call)) !== null;
  const idOf = (value: string): Promise<string> => app.look(value, (s) => s.id);
  /** A request that keeps the session alive, and its new cookie. */
  const used = (value: string): Promise<string> => app.issued(value, (s) => s.get('cart'));

  describe('the end of a visitor’s session', () => {
    it.each<[string, (value: string) => Promise<unknown>]>([
      ['logout', (value) => app.request(value, (s) => s.logout())],
      ['destroy', (value) => app.request(value, (s) => s.destroy())],
      ['a deadline that has passed', (value) => app.request(value, (s) => (s.deadline = 0))],
      ['a merge', async (value) => app.request(await begun(), (s) => s.merge(value))],
      [
        'two logouts at once',
        (value) => Promise.all([1, 2].map(() => app.request(value, (s) => s.logout()))),
      ],
    ])('W19: is noted for as long as a cookie of it could live, by %s', async (_how, end) => {
      const value = await begun();
      const id = await idOf(value);
      await end(value);
      await pass(30 * MINUTE - 1);
      expect({ isDead: await isDead(value), isNoted: await isNoted(id) }).toEqual({
        isDead: true,
        isNoted: true,
      });
      await pass(MARGIN + 2);
      expect({ isDead: await isDead(value), isNoted: await isNoted(id) }).toEqual({
        isDead: true,
        isNoted: false,
      });
    });

    it('W19: is noted for its whole lifetime when it has no idle timeout', async () => {
      start({ idleTimeout: null });
      const value = await begun();
      const id = await idOf(value);
      await app.request(value, (s) => s.logout());
      await pass(DAY - 1);
      expect({ isDead: await isDead(value), isNoted: await isNoted(id) }).toEqual({
        isDead: true,
        isNoted: true,
      });
      await pass(MARGIN + 2);
      expect(await isNoted(id)).toBe(false);
    });

    it('W19: is noted for as long as a visitor is remembered', async () => {
      const value = await begun((s) => s.rememberMe());
      await app.request(value, (s) => s.logout());
      await pass(30 * DAY - 1);
      expect(await isDead(value)).toBe(true);
    });

    it('W19: outlasts a cookie that a parallel request has extended', async () => {
      start({ idleTimeout: 6 * HOUR });
      const value = await begun();
      await pass(6 * HOUR - 2 * MINUTE);
      const extended = await used(value);
      await pass(MINUTE);
      await app.request(value, (s) => s.logout());
      await pass(6 * HOUR - MINUTE - 1);
      expect(await isDead(extended)).toBe(true);
    });

    it('W19: outlasts the cookie of a write that asked the list before', async () => {
      start({ idleTimeout: 6 * HOUR });
      const value = await begun();
      await pass(5 * HOUR);
      const [answered, ended] = [door(), door()];
      let finds = 0;
      app.list.after = async () => {
        if (++finds < 2) return;
        answered.open();
        await ended.opened;
      };
      const writing = app.issued(value, (s) => s.set('visits', 2));
      await answered.opened;
      await app.twin().request(value, (s) => s.logout());
      ended.open();
      const written = await writing;
      app.list.after = () => {};
      await pass(6 * HOUR - 1);
      expect(await isDead(written)).toBe(true);
    });

    it.each<[string, (session: Session) => unknown, number]>([
      ['remembered', (s) => s.rememberMe(), 30 * DAY],
      [
        'given a later deadline',
        (s) => Object.assign(s, { deadline: app.clock() + 9 * DAY, idleTimeout: null }),
        9 * DAY,
      ],
      ['given a longer idle timeout', (s) => (s.idleTimeout = 4 * HOUR), 4 * HOUR],
    ])('W19: outlasts the cookie of a parallel request in which it was %s', async (_how, work, lives) => {
      const value = await begun();
      const longer = await app.issued(value, (s) => void work(s));
      expect(await isDead(value)).toBe(false);
      await app.request(value, (s) => s.logout());
      await pass(lives - 1);
      expect(await isDead(longer)).toBe(true);
    });

    it('W19: outlasts the cookie of a parallel request whose later deadline is no longer than usual', async () => {
      start({ idleTimeout: null });
      const value = await begun();
      await pass(23 * HOUR);
      const longer = await app.issued(value, (s) => void (s.deadline = app.clock() + 23 * HOUR));
      await app.request(value, (s) => s.logout());
      await pass(23 * HOUR - 1);
      expect(await isDead(longer)).toBe(true);
    });

    it('W19: outlasts a cookie with a longer idle timeout that was used ever since', async () => {
      let value = await begun();
      let longer = await app.issued(value, (s) => void (s.idleTimeout = 4 * HOUR));
      for (let hour = 0; hour < 10; hour++) {
        for (let part = 0; part < 3; part++) {
          await pass(20 * MINUTE);
          value = await used(value);
        }
        longer = await used(longer);
      }
      await app.request(value, (s) => s.logout());
      await pass(4 * HOUR - 1);
      expect(await isDead(longer)).toBe(true);
    });
  });

  describe('the renewal of a visitor’s session', () => {
    it('W19: is noted for as long as the cookie of before could live', async () => {
      const value = await begun();
      let renewed = await app.issued(value, (s) => s.renewToken());
      const id = await idOf(renewed);
      await pass(20 * MINUTE);
      renewed = await used(renewed);
      await pass(10 * MINUTE - 1);
      expect({ old: await isDead(value), isNoted: await isNoted(id) }).toEqual({ old: true, isNoted: true });
      await pass(15 * MINUTE);
      for (let part = 0; part < 4; part++) {
        renewed = await used(renewed);
        await pass(20 * MINUTE);
      }
      expect({ old: await isDead(value), new: await isDead(renewed), isNoted: await isNoted(id) }).toEqual({
        old: true,
        new: false,
        isNoted: false,
      });
    });

    it('W19: is not noted for longer when the cookie of before ends it', async () => {
      const value = await begun();
      const renewed = await app.issued(value, (s) => s.renewToken());
      const id = await idOf(renewed);
      await app.request(value, (s) => s.logout());
      await pass(30 * MINUTE - 1);
      expect({ old: await isDead(value), new: await isDead(renewed) }).toEqual({ old: true, new: true });
      await pass(MARGIN + 2);
      expect(await isNoted(id)).toBe(false);
    });

    it.each<[string, (session: Session) => unknown, number]>([
      ['a login', (s) => s.login(ada, { rememberMe: true }), 30 * DAY],
      ['a renewal that remembers', (s) => (s.renewToken(), s.rememberMe()), 30 * DAY],
    ])('W19: the cookie from before %s ends the one of after it for good', async (_what, work, lives) => {
      const value = await begun();
      const renewed = await app.issued(value, (s) => void work(s));
      await pass(MINUTE - 1);
      await app.request(value, (s) => s.logout());
      await pass(lives - MINUTE);
      expect(await isDead(renewed)).toBe(true);
    });

    it.each([
      [5, 12 * HOUR],
      [15, 9 * HOUR],
    ])(
      'W19: a request with the cookie from before that takes %i hours ends it for good',
      async (hours, left) => {
        start({ idleTimeout: 6 * HOUR });
        const value = await begun();
        let renewed = await app.issued(value, (s) => {
          s.renewToken();
          s.idleTimeout = 12 * HOUR;
        });
        const slow = await app.manager.open(value);
        for (let hour = 0; hour < hours; hour += 5) {
          await pass(5 * HOUR);
          renewed = await used(renewed);
        }
        slow.logout();
        await app.manager.commit(slow);
        await pass(left - 1);
        expect(await isDead(renewed)).toBe(true);
      },
    );
  });

  describe('an end that is moved', () => {
    const sooner: [string, (session: Session) => unknown, (session: Session) => unknown, number][] = [
      ['deadline', (s) => s.login(ada, { rememberMe: true }), (s) => (s.deadline = app.clock() + HOUR), HOUR],
      ['idle timeout', (s) => s.login(ada), (s) => (s.idleTimeout = 5 * MINUTE), 5 * MINUTE],
      ['first idle timeout', (s) => s.login(ada, { rememberMe: true }), (s) => (s.idleTimeout = HOUR), HOUR],
      ['lifetime', (s) => s.rememberMe(), (s) => s.rememberMe(false), 30 * MINUTE],
      ['visitor’s deadline', (s) => s.set('visits', 1), (s) => (s.deadline = app.clock() + MINUTE), MINUTE],
    ];

    it.each(sooner)(
      'W19: nearer, by a shorter %s, ends the cookie of before',
      async (_what, first, shorten, left) => {
        const older = await begun((s) => void first(s));
        app.list.take();
        const shorter = await app.issued(older, (s) => void shorten(s));
        const calls = app.list.take().filter((each) => each !== 'find');
        await pass(left - 1);
        const during = { older: await isDead(older), shorter: await isDead(shorter), calls };
        expect(during).toEqual({ older: true, shorter: false, calls: ['insert'] });
        await pass(1);
        expect({ older: await isDead(older), shorter: await isDead(shorter) }).toEqual({
          older: true,
          shorter: true,
        });
      },
    );

    it('W19: nearer than now ends the cookie of before until it would have expired', async () => {
      const older = await begun((s) => s.login(ada, { rememberMe: true }));
      await app.request(older, (s) => (s.deadline = app.clock()));
      await pass(30 * DAY - 1);
      expect(await isDead(older)).toBe(true);
    });

    it.each<[string, (session: Session) => unknown]>([
      ['the same deadline', (s) => (s.deadline = app.clock() + DAY)],
      ['a later deadline', (s) => (s.deadline = app.clock() + 2 * DAY)],
      ['the same idle timeout', (s) => (s.idleTimeout = 30 * MINUTE)],
    ])(
      'W19: to %s writes nothing to the list, and leaves the cookie of before alone',
      async (_what, work) => {
        const older = await begun();
        app.list.take();
        await app.issued(older, (s) => void work(s.set('visits', 2)));
        expect({ calls: new Set(app.list.take()), older: await isDead(older) }).toEqual({
          calls: new Set(['find']),
          older: false,
        });
      },
    );

    it('W19: by ten requests at once to a longer idle timeout is noted once', async () => {
      const older = await begun();
      app.list.take();
      const outcomes = await Promise.all(
        Array.from({ length: 10 }, () => app.request(older, (s) => void (s.idleTimeout = 4 * HOUR))),
      );
      const again = await app.request(older, (s) => void (s.idleTimeout = 4 * HOUR));
      expect([...outcomes, again].map(({ kind }) => kind)).toEqual(Array(11).fill('issue'));
      expect(app.list.take().filter((each) => each === 'update')).toEqual([]);
    });
  });
});
