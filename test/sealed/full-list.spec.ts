import { MemorySessionStore, SessionModule } from 'nestjs-tessera';
import { SealedSessions } from 'nestjs-tessera/sealed';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { scripted } from '../support/scripted';
import '../support/session-data';
import { visitor, type Answer, type Visitor } from '../support/visitor';
import { KEY, sealedCore, type Sealed } from './sealed';
import { manualClock } from '../../lib/testing/manual-clock';
import { DAY, HOUR } from '../support/core';

const ROOM = 10;
const ada = { id: 7 };

describe.each(platforms)('sealed sessions whose list in memory is full, on %s', (platform) => {
  const session = scripted();
  const stored = scripted('stored');
  let app: App;
  let list: MemorySessionStore;

  beforeEach(async () => {
    list = new MemorySessionStore({ maxSessions: ROOM });
    app = await startApp({
      platform,
      options: { store: new SealedSessions({ keys: [KEY], revocations: list }) },
      imports: [SessionModule.forRoot({ name: 'stored', store: list })],
      controllers: [session.controller, stored.controller],
    });
  });
  afterEach(closeApps);

  const copyOf = async (person: Visitor): Promise<{ cookie: string }> => ({
    cookie: `__Host-session=${(await person.token())!}`,
  });
  const whoIs = async (headers: { cookie: string }): Promise<unknown> => {
    const answer = await session.run(await visitor(app), (s) => s.principal?.id ?? null, { headers });
    return answer.json<{ result: unknown }>().result;
  };
  /** Visitors who set something and log out. */
  const flood = async (times: number): Promise<Answer[]> => {
    const answers: Answer[] = [];
    for (let n = 0; n < times; n++) {
      const person = await visitor(app);
      await session.run(person, (s) => s.set('visits', n));
      answers.push(await session.run(person, (s) => s.logout()));
    }
    return answers;
  };

  it('W19: opens no cookie again that was logged out, however many visitors log out after it', async () => {
    const person = await visitor(app);
    await session.run(person, (s) => s.login(ada));
    const headers = await copyOf(person);
    await session.run(person, (s) => s.logout());
    await flood(50);
    expect({ who: await whoIs(headers), size: list.size }).toEqual({ who: null, size: ROOM });
  });

  it('W19: answers a logout that has no room with 503, and leaves the session as it was', async () => {
    const person = await visitor(app);
    await session.run(person, (s) => s.login(ada));
    const headers = await copyOf(person);
    const visitors = await flood(ROOM + 2);
    const { status, cookies, ...answer } = await session.run(person, (s) => s.logout());
    expect(visitors.map((each) => each.status)).toEqual([...Array<number>(ROOM).fill(201), 503, 503]);
    expect({ status, cookies, body: answer.json() }).toMatchObject({
      status: 503,
      cookies: [],
      body: { code: 'SESSION_STORE_UNAVAILABLE' },
    });
    expect(await whoIs(headers)).toBe('7');
  });

  it('W19: takes the place of visitors whose sessions are in the same store, and of no user', async () => {
    const user = await visitor(app);
    await stored.run(user, (s) => s.login(ada));
    for (let n = 1; n < ROOM; n++) await stored.run(await visitor(app), (s) => s.set('visits', n));
    const statuses = (await flood(ROOM)).map(({ status }) => status);
    const newcomer = await stored.run(await visitor(app), (s) => s.set('visits', 1));
    expect({ statuses, newcomer: newcomer.status }).toEqual({
      statuses: [...Array<number>(ROOM - 1).fill(201), 503],
      newcomer: 201,
    });
  });
});

describe('a full list in memory', () => {
  let app: Sealed;
  beforeEach(() => {
    const clock = manualClock();
    app = sealedCore({ clock, list: new MemorySessionStore({ maxSessions: 2, clock }) });
  });

  const end = async (): Promise<unknown> => {
    const value = await app.issued(null, (s) => s.set('visits', 1));
    return app
      .request(value, (s) => s.logout())
      .then(
        ({ kind }) => kind,
        ({ code, cause }) => ({ code, why: (cause as Error).message }),
      );
  };

  it('W19: says why, and has room again when its entries have expired', async () => {
    const full = [await end(), await end(), await end()];
    expect({ full, told: app.told() }).toMatchObject({
      full: [
        'forget',
        'forget',
        {
          code: 'SESSION_STORE_UNAVAILABLE',
          why: expect.stringMatching(/is full: it has 2 records.*raise maxSessions/),
        },
      ],
      told: expect.arrayContaining(['storeFailed: error']),
    });
    app.clock.advance(2 * HOUR);
    expect(await end()).toBe('forget');
  });

  it('W19: takes no login of which it cannot note that the cookie of before is dead', async () => {
    const value = await app.issued(null, (s) => s.set('visits', 1));
    await end();
    await end();
    await expect(app.request(value, (s) => s.login(ada))).rejects.toMatchObject({
      code: 'SESSION_STORE_UNAVAILABLE',
    });
    app.clock.advance(DAY);
    expect((await app.request(null, (s) => s.login(ada))).kind).toBe('issue');
  });
});
