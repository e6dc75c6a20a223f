import { isSweepable, type Session } from 'nestjs-tessera';
import { DAY, HOUR, MINUTE } from '../support/core';
import '../support/session-data';
import { describeLocalStores, type StoreUnderTest } from '../support/stores';
import { sealedCore, type Sealed } from './sealed';

const ada = { id: 7 };
const call = { signal: new AbortController().signal };

describeLocalStores('sealed sessions with a list on', ({ create }) => {
  let under: StoreUnderTest;
  let app: Sealed;
  beforeEach(async () => {
    under = await create();
    app = sealedCore({ list: under.store });
  });
  afterEach(() => under.close());

  const begun = (work: (session: Session) => void = (s) => s.set('visits', 1)): Promise<string> =>
    app.issued(null, work);
  const isDead = (value: string): Promise<boolean> => app.look(value, (s) => s.isNew);
  const pass = async (duration: number): Promise<void> => {
    app.clock.advance(duration);
    if (isSweepable(under.store)) await under.store.sweep(app.clock(), 100, call);
  };

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
      ['a later deadline, nearer than a visitor’s', (s) => (s.deadline = app.clock() + DAY)],
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
  });
});
