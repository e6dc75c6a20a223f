import expressSession from 'express-session';
import { manualClock } from 'nestjs-tessera/testing';
import { requestSession } from 'nestjs-tessera/express-session';
import { closeApps, startApp, type App } from '../support/app';
import { visitor, type Visitor } from '../support/visitor';
import { door } from '../support/watched-store';
import { called, requestWorks, type AnyRequest, type AnySession } from './request-works';

const MINUTE = 60_000;

/** What docs/express-session.md lists under "What differs on purpose", each tried on both. */
describe('where req.session is not as that of express-session', () => {
  const { controller, ask, run } = requestWorks();
  let app: App;
  let ada: Visitor;

  const libraries = {
    'express-session': () =>
      startApp({
        platform: 'express',
        options: false,
        controllers: [controller],
        configure: (each) => {
          const options = { secret: 'only for this test', resave: false, saveUninitialized: false };
          each.use(expressSession(options));
        },
      }),
    'nestjs-tessera': () =>
      startApp({
        platform: 'express',
        controllers: [controller],
        configure: (each) => void each.use(requestSession()),
      }),
  };
  type Library = keyof typeof libraries;

  async function start(library: Library): Promise<void> {
    app = await libraries[library]();
    ada = await visitor(app);
  }
  afterEach(closeApps);

  /** A request that goes on after another one of the same browser has come and gone. */
  async function overlapping(
    slow: (session: AnySession) => unknown,
    quick: (request: AnyRequest) => unknown,
  ) {
    const twin = await ada.twin();
    const [arrived, going] = [door(), door()];
    const answer = run(ada, async ({ session }) => {
      arrived.open();
      await going.opened;
      return slow(session);
    });
    await arrived.opened;
    await ask(twin, quick);
    going.open();
    await answer;
  }

  it.each<{ library: Library; left: object }>([
    { library: 'express-session', left: { slow: true } },
    { library: 'nestjs-tessera', left: { quick: true, slow: true } },
  ])('$library: two requests that set different keys at once leave $left', async ({ library, left }) => {
    await start(library);
    await ask(ada, ({ session }) => void (session.gone = true));
    await overlapping(
      (session) => {
        delete session.gone;
        session.slow = true;
      },
      ({ session }) => void (session.quick = true),
    );
    const {
      cookie: _,
      gone: __,
      ...stored
    } = (await ask(ada, ({ session }) => ({ ...session }))) as {
      cookie: unknown;
      gone: unknown;
    };
    expect(stored).toEqual(left);
  });

  it.each<{ library: Library; user: string | null }>([
    { library: 'express-session', user: 'ada' },
    { library: 'nestjs-tessera', user: null },
  ])(
    '$library: a slow request that writes after a logout leaves the user $user',
    async ({ library, user }) => {
      await start(library);
      await ask(ada, ({ session }) => void (session.user = 'ada'));
      const old = await ada.twin();
      await overlapping(
        (session) => void (session.visits = 1),
        ({ session }) => called(session, 'destroy'),
      );
      expect(await ask(old, ({ session }) => (session.user as string | undefined) ?? null)).toBe(user);
    },
  );

  it.each<{ library: Library; type: string }>([
    { library: 'express-session', type: 'String' },
    { library: 'nestjs-tessera', type: 'Date' },
  ])('$library: a Date comes back as a $type', async ({ library, type }) => {
    await start(library);
    await ask(ada, ({ session }) => void (session.at = new Date(0)));
    expect(await ask(ada, ({ session }) => (session.at as object).constructor.name)).toBe(type);
  });

  it.each<{ library: Library; keys: string[] }>([
    { library: 'express-session', keys: ['cookie', 'visits'] },
    { library: 'nestjs-tessera', keys: ['visits'] },
  ])('$library: the keys are $keys', async ({ library, keys }) => {
    await start(library);
    expect(await ask(ada, ({ session }) => ((session.visits = 1), Object.keys(session)))).toEqual(keys);
  });

  it('the id opens nothing', async () => {
    await start('nestjs-tessera');
    const id = (await ask(ada, ({ session }) => ((session.user = 'ada'), session.id))) as string;
    const thief = await visitor(app);
    await thief.jar.setCookie(`__Host-session=${id}; Secure; Path=/`, 'https://127.0.0.1');
    expect(await ask(thief, ({ session }) => (session.user as string | undefined) ?? null)).toBeNull();
  });

  it('the end that maxAge has set holds however often the session is used, until it is set again', async () => {
    const clock = manualClock();
    app = await startApp({
      platform: 'express',
      options: { clock },
      controllers: [controller],
      configure: (each) => void each.use(requestSession()),
    });
    ada = await visitor(app);
    await ask(ada, ({ session }) => void ((session.cookie.maxAge = 10 * MINUTE), (session.user = 'ada')));
    const user = (work: (session: AnySession) => unknown): Promise<unknown> => {
      clock.advance(4 * MINUTE);
      return ask(ada, ({ session }) => (work(session), (session.user as string | undefined) ?? null));
    };
    const seen = [
      await user((session) => session.touch()),
      await user((session) => session.resetMaxAge()),
      await user((session) => session.touch()),
      await user((session) => session.touch()),
      await user((session) => session.touch()),
    ];
    expect(seen).toEqual(['ada', 'ada', 'ada', 'ada', null]);
  });
});
