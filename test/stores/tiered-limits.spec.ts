import type { Session } from 'nestjs-tessera';
import { manualClock } from '../../lib/testing/manual-clock';
import { core, type Core } from '../support/core';
import '../support/session-data';
import { ending } from '../concurrency/endings';
import { HELD, LOGINS, POLICIES, stormOn } from '../concurrency/limit-storm';
import { processes, useStandingTime } from './tiered-processes';

const ada = { id: 'ada' };
const logIn = (session: Session): void => session.login(ada);

/** Two processes whose changes of data reach the durable tier later. */
async function two(): Promise<{ here: Core; there: Core }> {
  const [one, other] = await processes(2, { writeBehind: true, flushEvery: 15_000 });
  const logins = { limit: { max: () => 1, policy: 'evict-oldest' as const } };
  const here = core({ store: one!.store, logins });
  const there = core({ store: other!.store, logins });
  for (const { clock } of [here, there]) clock.set(Date.now());
  return { here, there };
}

const isUsable = async ({ manager }: Core, token: string): Promise<boolean> =>
  (await manager.open(token)).principal !== null;

describe('a session whose last change is not in the durable tier yet, changed by another process', () => {
  useStandingTime();

  it('L9: is ended by a login beyond the limit', async () => {
    const { here, there } = await two();
    const token = await there.issued(null, logIn);
    await there.request(token, (session) => session.set('visits', 1));
    here.clock.advance(1);
    const session = await here.manager.open(null);
    logIn(session);
    const login = await ending(here.manager.commit(session));
    const isLeft = (await isUsable(here, token)) || (await isUsable(there, token));
    expect({ login, isLeft }).toEqual({ login: 'issue', isLeft: false });
  });

  it('L8: is ended with all others of its principal but one', async () => {
    const { here, there } = await two();
    const token = await there.issued(null, logIn);
    await there.request(token, (session) => session.set('visits', 1));
    const wide = core({ store: here.store.inner });
    wide.clock.set(Date.now() + 1);
    const kept = await wide.manager.open(await wide.issued(null, logIn));
    const ends = await wide.manager.endAll(ada, { except: kept }).then(
      () => 'done',
      ({ code }: { code: string }) => code,
    );
    expect({ ends, isLeft: await isUsable(there, token) }).toEqual({ ends: 'done', isLeft: false });
  });
});

describe.each([{ writeBehind: false }, { writeBehind: true }])(
  `${LOGINS} logins of one principal at once, in two processes, on tiers with %p`,
  (options) => {
    it.each(POLICIES)('L9: %s leaves three usable tokens, and there are never more', async (policy) => {
      const two = await processes(2, options);
      const clock = manualClock(Date.now());
      const result = await stormOn(
        two.map(({ store }) => store),
        policy,
        clock,
      );
      await Promise.all(two.map(({ store }) => store.close()));
      expect(result).toEqual(HELD);
    });
  },
);
