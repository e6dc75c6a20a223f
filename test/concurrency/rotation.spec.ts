import { randomFrom } from '../../lib/testing/store-suite/session-simulation';
import { core } from '../support/core';
import { often } from '../support/long';
import { seed } from '../support/seed';
import '../support/session-data';
import { describeStores } from '../support/stores';

const PAGES = often(40, 1000);
const REQUESTS = 20;
const LOST_ANSWERS = 0.05;
const SECOND = 1000;

describeStores('a token that is rotated at every request on', ({ create }) => {
  it(`R16: logs nobody out, and every copy of an old one is noticed (seed ${seed})`, async () => {
    const random = randomFrom(seed);
    const under = await create();
    const beside = await under.beside();
    const options = { rotateEvery: 0, storeTimeout: 30_000 };
    const worlds = [core({ ...options, store: under.store }), core({ ...options, store: beside.store })];
    const login = () => worlds[0]!.issued(null, (session) => session.login({ id: 'ada' }));
    const advance = (by: number) => worlds.forEach(({ clock }) => clock.advance(by));
    let cookie = await login();
    let loggedOut = 0;
    let written = 0;
    let copies = 0;
    let noticed = 0;
    let isCopyDue = false;

    /** One request of a page: it brings the cookie of when it was sent, and its answer may be lost. */
    const request = async (n: number, sent: string): Promise<void> => {
      const { manager } = worlds[n % 2]!;
      const session = await manager.open(sent);
      if (session.principal === null) loggedOut++;
      if (n === 0) session.update('visits', (visits = 0) => visits + 1);
      const outcome = await manager.commit(session);
      if (outcome.kind === 'issue' && random() >= LOST_ANSWERS) cookie = outcome.token;
    };

    // A client whose answer was lost is issued no other token for a minute: the last copy may come after the last page.
    for (let page = 1; page <= PAGES || isCopyDue; page++) {
      const sent = cookie;
      await Promise.all(Array.from({ length: REQUESTS }, (_, n) => request(n, sent)));
      written++;
      advance(random() < 0.05 ? 70 * SECOND : Math.floor(random() * 5 * SECOND));
      if (page % 20 === 0) isCopyDue = true;
      // Copied is the cookie of the next page whose rotation was answered: it comes back once its successor has been in use for the grace.
      if (!isCopyDue || cookie === sent) continue;
      isCopyDue = false;
      await request(1, cookie);
      advance(11 * SECOND);
      const { told, manager } = worlds[0]!;
      expect((await manager.open(cookie)).get('visits')).toBe(written);
      told();
      copies++;
      if ((await manager.open(sent)).isNew && told().includes('stolen')) noticed++;
      expect((await manager.open(cookie)).isNew).toBe(true);
      cookie = await login();
      written = 0;
    }
    expect({ loggedOut, noticed }).toEqual({ loggedOut: 0, noticed: copies });
    expect(copies).toBeGreaterThan(0);
    await beside.close();
    await under.close();
  }, 900_000);
});
