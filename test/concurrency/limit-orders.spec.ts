import { MemorySessionStore, type Session } from 'nestjs-tessera';
import type { LimitPolicy } from '../../lib/core/login-settings';
import { manualClock } from '../../lib/testing/manual-clock';
import { core, type Core } from '../support/core';
import { often } from '../support/long';
import { seed } from '../support/seed';
import '../support/session-data';
import { ending } from './endings';
import { inOrder, ordersOfTwo, someOrders, type Actor } from './schedule';

// A pause would leave the order to the machine's timers.
jest.mock('node:timers/promises', () => ({ setTimeout: () => new Promise(setImmediate) }));

// So does how long a login waits for others: here each look at the clock takes a millisecond.
let looks = 0;
beforeEach(() => void jest.spyOn(performance, 'now').mockImplementation(() => looks++));
afterEach(() => void jest.restoreAllMocks());

const POLICIES: readonly LimitPolicy[] = ['evict-oldest', 'evict-idle', 'refuse'];
const ada = { id: 'ada' };

/** Processes on one store, and what their clients were told. */
class Race {
  readonly clock = manualClock();
  readonly #inner = new MemorySessionStore();
  readonly #processes: Core[] = [];
  readonly tokens: string[] = [];
  readonly endings: string[] = [];
  most = 0;
  readonly watcher = this.process('evict-oldest', 1000);

  process(policy: LimitPolicy, max: number, clock = this.clock): Core {
    const logins = { limit: { max: () => max, policy } };
    const app = core({ store: this.#inner, clock, logins });
    this.#processes.push(app);
    return app;
  }

  /** A login whose request is served by a process of its own. Logins are begun in the order of these calls. */
  async login(app: Core, work: (session: Session) => void = (session) => session.login(ada)): Promise<Actor> {
    const session = await app.manager.open(null);
    this.clock.advance(1);
    work(session);
    const run = async (): Promise<void> => {
      const commit = app.manager.commit(session);
      this.endings.push(await ending(commit));
      const outcome = await commit.catch(() => null);
      if (outcome?.kind === 'issue') this.tokens.push(outcome.token);
    };
    return { store: app.store, run };
  }

  /** The policy 'refuse' ends no session. */
  isPromiseKept(policy: LimitPolicy): boolean {
    return (
      policy !== 'refuse' ||
      this.#processes.every(({ events }) => events.every(({ type }) => type !== 'evicted'))
    );
  }

  readonly look = async (): Promise<void> => {
    this.most = Math.max(this.most, await this.usable());
  };

  async usable(): Promise<number> {
    const sessions = await Promise.all(this.tokens.map((token) => this.watcher.manager.open(token)));
    return sessions.filter(({ principal }) => principal !== null).length;
  }
}

describe.each<LimitPolicy>(['evict-oldest', 'evict-idle'])(
  'logins in processes whose clocks differ, with the policy %s, in every order of their calls',
  (policy) => {
    it.each([
      { what: 'a later login of a clock that is ahead', ahead: [0, 30_000] },
      { what: 'an earlier login of a clock that is ahead', ahead: [30_000, 0] },
      { what: 'another one, behind a session of a clock that is ahead', ahead: [0, 0] },
    ])(
      'L9: leave one of two, limit 1, and one at every moment: $what',
      async ({ ahead }) => {
        const failures: unknown[] = [];
        for (const order of ordersOfTwo(often(8, 12))) {
          const race = new Race();
          const aheadBy = (by: number): Core => race.process(policy, 1, manualClock(race.clock() + by));
          race.tokens.push(await aheadBy(30_000).issued(null, (s) => s.login(ada)));
          race.clock.advance(1000);
          const actors: Actor[] = [];
          for (const by of ahead) actors.push(await race.login(aheadBy(by)));
          await inOrder(actors, order, race.look);
          const left = await race.usable();
          if (left !== 1 || race.most > 1 || !race.endings.includes('issue'))
            failures.push({ order, left, most: race.most, endings: race.endings });
        }
        expect(failures).toEqual([]);
      },
      60_000,
    );
  },
);

describe.each(POLICIES)(
  'logins in several processes with the policy %s, in every order of their calls',
  (policy) => {
    it('L9: leave one of two, limit 1, and one at every moment', async () => {
      const failures: unknown[] = [];
      for (const order of ordersOfTwo(often(8, 10))) {
        const race = new Race();
        if (policy !== 'refuse')
          race.tokens.push(await race.process(policy, 1).issued(null, (s) => s.login(ada)));
        const actors = [await race.login(race.process(policy, 1)), await race.login(race.process(policy, 1))];
        await inOrder(actors, order, race.look);
        const left = await race.usable();
        if (left !== 1 || race.most > 1 || !race.isPromiseKept(policy))
          failures.push({ order, left, most: race.most, endings: race.endings });
      }
      expect(failures).toEqual([]);
    }, 60_000);

    it(`L9: leave ${policy === 'refuse' ? 'one or two' : 'two'} of four, limit 2, and no more at any moment (seed ${seed})`, async () => {
      const failures: unknown[] = [];
      for (const order of someOrders(often(60, 1000), 4, 24, seed)) {
        const race = new Race();
        const actors: Actor[] = [];
        for (let n = 0; n < 4; n++) actors.push(await race.login(race.process(policy, 2)));
        await inOrder(actors, order, race.look);
        const left = await race.usable();
        const isEnough = left === 2 || (policy === 'refuse' && left === 1);
        if (!isEnough || race.most > 2 || !race.isPromiseKept(policy))
          failures.push({ order, left, most: race.most, endings: race.endings });
      }
      expect(failures).toEqual([]);
    }, 60_000);

    it('L8: leave none whose credentials were checked before all were ended', async () => {
      const failures: unknown[] = [];
      for (const order of ordersOfTwo(often(8, 10))) {
        const race = new Race();
        const checkedAt = race.clock();
        const admin = race.process(policy, 1);
        const login = await race.login(race.process(policy, 1), (s) => s.login(ada, { checkedAt }));
        const endAll = (): Promise<void> => admin.manager.endAll(ada);
        await inOrder([login, { store: admin.store, run: endAll }], order, race.look);
        const left = await race.usable();
        if (left !== 0) failures.push({ order, left, endings: race.endings });
      }
      expect(failures).toEqual([]);
    }, 60_000);
  },
);
