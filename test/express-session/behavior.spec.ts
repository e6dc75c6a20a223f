/* eslint-disable @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return -- what a test has stored is any */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import expressSession from 'express-session';
import { fastifyRequestSession, requestSession } from 'nestjs-tessera/express-session';
import { closeApps, startApp, type App, type AppUnderTest } from '../support/app';
import { visitor, type Visitor } from '../support/visitor';
import { called, requestWorks } from './request-works';

interface Subject {
  readonly name: string;
  readonly setUp: Omit<AppUnderTest, 'controllers'>;
}

const SECRET = 'only for this test';

/** With `resave` and `saveUninitialized` turned off, as its documentation recommends. */
const theirs = (more: Partial<expressSession.SessionOptions> = {}): Subject => ({
  name: 'express-session',
  setUp: {
    platform: 'express',
    options: false,
    configure: (app) =>
      void app.use(expressSession({ secret: SECRET, resave: false, saveUninitialized: false, ...more })),
  },
});
const onExpress = (more: Parameters<typeof requestSession>[0] = {}): Subject => ({
  name: 'requestSession() on Express',
  setUp: { platform: 'express', configure: (app) => void app.use(requestSession(more)) },
});
const onFastify = (more: Parameters<typeof requestSession>[0] = {}): Subject => ({
  name: 'fastifyRequestSession on Fastify',
  setUp: {
    platform: 'fastify',
    configure: async (app) => {
      await (app as NestFastifyApplication).register(fastifyRequestSession, more);
    },
  },
});

let app: App;
let ada: Visitor;
const { controller, run, ask } = requestWorks();

async function start({ setUp }: Subject): Promise<void> {
  app = await startApp({ ...setUp, controllers: [controller] });
  ada = await visitor(app);
}
afterEach(closeApps);

/** What express-session documents, and both do. */
describe.each([theirs(), onExpress(), onFastify()])('req.session of $name', (subject) => {
  beforeEach(() => start(subject));

  it('keeps what a request sets for the next one', async () => {
    const first = await run(ada, ({ session }) => void (session.views = 1));
    const second = await ask(ada, ({ session }) => ++session.views);
    expect({ cookies: first.cookies.length, second }).toEqual({ cookies: 1, second: 2 });
  });

  it('stores nothing, and sets no cookie, for a request that changes nothing', async () => {
    const answer = await run(ada, ({ session }) => session.views ?? 'none');
    expect({ result: answer.json(), cookies: answer.cookies }).toEqual({
      result: { result: 'none' },
      cookies: [],
    });
  });

  it('notices what is changed inside of a value', async () => {
    await ask(ada, ({ session }) => void (session.cart = { items: ['pear'] }));
    await ask(ada, ({ session }) => void session.cart.items.push('fig'));
    expect(await ask(ada, ({ session }) => session.cart)).toEqual({ items: ['pear', 'fig'] });
  });

  it('notices what is changed inside of a value that the same request has assigned', async () => {
    await ask(ada, ({ session }) => {
      const flash = (session.flash = {} as Record<string, string[]>);
      flash['info'] = ['saved'];
    });
    expect(await ask(ada, ({ session }) => session.flash)).toEqual({ info: ['saved'] });
  });

  it('forgets what is deleted, and what is set to undefined', async () => {
    await ask(ada, ({ session }) => void Object.assign(session, { a: 1, b: 2, c: 3 }));
    await ask(ada, ({ session }) => {
      delete session.a;
      session.b = undefined;
    });
    const keys = await ask(ada, ({ session }) => Object.keys(session).filter((key) => key !== 'cookie'));
    expect(keys).toEqual(['c']);
  });

  it('has an id that stays, which is also req.sessionID', async () => {
    const work = ({ session, sessionID }: Parameters<Parameters<typeof ask>[1]>[0]) => [
      session.id,
      sessionID,
    ];
    const first = (await ask(ada, (request) => {
      request.session.views = 1;
      return work(request);
    })) as string[];
    const second = (await ask(ada, work)) as string[];
    expect({ first: new Set(first).size, second }).toEqual({ first: 1, second: first });
  });

  it('regenerates: another object with another id and without data, while the old object can be read', async () => {
    await ask(ada, ({ session }) => void (session.user = 'ada'));
    const cookie = await ada.jar.getCookieString((await app.getUrl()).replace('http:', 'https:'));
    const facts = await ask(ada, async (request) => {
      const before = request.session;
      const { id } = before;
      await called(before, 'regenerate');
      const { session } = request;
      session.fresh = true;
      return {
        isOther: session !== before && session.id !== id,
        user: session.user ?? null,
        old: [before.user, before.id === id],
      };
    });
    const after = await ask(ada, ({ session }) => [session.user ?? null, session.fresh]);
    const old = await (await visitor(app)).post('/works/0', {}, { headers: { cookie } });
    expect({ facts, after, old: old.status }).toEqual({
      facts: { isOther: true, user: null, old: ['ada', true] },
      after: [null, true],
      old: 201,
    });
    const intruder = await visitor(app);
    await intruder.jar.setCookie(cookie, (await app.getUrl()).replace('http:', 'https:'));
    expect(await ask(intruder, ({ session }) => session.user ?? session.fresh ?? null)).toBeNull();
  });

  it('copies data to the new session as passport does, with for…in over the old one', async () => {
    await ask(ada, ({ session }) => void Object.assign(session, { cart: ['pear'], theme: 'dark' }));
    await ask(ada, async (request) => {
      const before = request.session;
      await called(before, 'regenerate');
      for (const key in before) if (key !== 'cookie') request.session[key] = before[key];
    });
    expect(await ask(ada, ({ session }) => [session.cart, session.theme])).toEqual([['pear'], 'dark']);
  });

  it('destroys: the data is gone, and so is req.session', async () => {
    await ask(ada, ({ session }) => void (session.user = 'ada'));
    const left = await ask(ada, async (request) => {
      await called(request.session, 'destroy');
      return request.session ?? 'nothing';
    });
    expect({ left, after: await ask(ada, ({ session }) => session.user ?? null) }).toEqual({
      left: 'nothing',
      after: null,
    });
  });

  it('reloads: what was changed since is gone, in another object', async () => {
    await ask(ada, ({ session }) => void (session.user = 'ada'));
    const facts = await ask(ada, async (request) => {
      const before = request.session;
      before.user = 'eve';
      await called(before, 'reload');
      return { user: request.session.user, isOther: request.session !== before };
    });
    expect(facts).toEqual({ user: 'ada', isOther: true });
  });

  it('reloads what another request has saved meanwhile', async () => {
    await ask(ada, ({ session }) => void (session.views = 1));
    const twin = await ada.twin();
    const views = await ask(ada, async (request) => {
      await ask(twin, ({ session }) => void (session.views = 2));
      await called(request.session, 'reload');
      return request.session.views as number;
    });
    expect(views).toBe(2);
  });

  it('fails to reload a session that another request has destroyed', async () => {
    await ask(ada, ({ session }) => void (session.views = 1));
    const twin = await ada.twin();
    const outcome = await ask(ada, async (request) => {
      await ask(twin, ({ session }) => called(session, 'destroy'));
      return called(request.session, 'reload').then(
        () => 'reloaded',
        () => 'failed',
      );
    });
    expect(outcome).toBe('failed');
  });

  it('fails to reload after regenerate(), which does not bring the former session back', async () => {
    await ask(ada, ({ session }) => void (session.user = 'ada'));
    const old = await ada.twin();
    const facts = await ask(ada, async (request) => {
      await called(request.session, 'regenerate');
      request.session.user = 'eve';
      const outcome = await called(request.session, 'reload').then(
        () => 'reloaded',
        () => 'failed',
      );
      return { outcome, user: request.session.user };
    });
    const users = [
      await ask(ada, ({ session }) => session.user),
      await ask(old, ({ session }) => session.user),
    ];
    expect({ ...(facts as object), users }).toEqual({ outcome: 'failed', user: 'eve', users: ['eve', null] });
  });

  it('saves at once, for a reader that comes before the answer', async () => {
    await ask(ada, ({ session }) => void (session.views = 1));
    const twin = await ada.twin();
    const seen = await ask(ada, async (request) => {
      request.session.views = 2;
      await called(request.session, 'save');
      return ask(twin, ({ session }) => session.views as number);
    });
    expect(seen).toBe(2);
  });

  it('saves nothing of a request that removes req.session', async () => {
    await ask(ada, ({ session }) => void (session.views = 1));
    await ask(ada, (request) => {
      request.session.views = 2;
      request.session = null as never;
    });
    expect(await ask(ada, ({ session }) => session.views)).toBe(1);
  });

  it('has a cookie that ends with the browser, until maxAge is set', async () => {
    const first = await run(ada, ({ session }) => {
      session.views = 1;
      return [session.cookie.maxAge ?? null, session.cookie.expires || null];
    });
    const second = await run(ada, ({ session }) => {
      session.views = 2;
      session.cookie.maxAge = 3_600_000;
      return [
        session.cookie.originalMaxAge,
        session.cookie.maxAge > 3_590_000,
        session.cookie.expires instanceof Date,
      ];
    });
    expect({
      first: first.json(),
      ends: /expires|max-age/i.test(first.cookies[0]!),
      second: second.json(),
      stays: /expires|max-age/i.test(second.cookies[0]!),
    }).toEqual({
      first: { result: [null, null] },
      ends: false,
      second: { result: [3_600_000, true, true] },
      stays: true,
    });
  });

  it('has methods that no loop over its properties meets', async () => {
    await ask(ada, ({ session }) => void (session.views = 1));
    const facts = await ask(ada, ({ session }) => {
      const met: string[] = [];
      for (const key in session) if (key !== 'cookie') met.push(key);
      return { met, save: (Object.getPrototypeOf(session) as typeof session).save.length };
    });
    expect(facts).toEqual({ met: ['views'], save: 1 });
  });

  it('can be touched and have its maxAge reset', async () => {
    await ask(ada, ({ session }) => void ((session.cookie.maxAge = 60_000), (session.views = 1)));
    const facts = await ask(ada, ({ session }) => {
      session.touch();
      session.resetMaxAge();
      return [session.cookie.originalMaxAge, session.views];
    });
    expect(facts).toEqual([60_000, 1]);
  });
});

describe.each([
  theirs({ unset: 'destroy' }),
  onExpress({ unset: 'destroy' }),
  onFastify({ unset: 'destroy' }),
])('req.session of $name with unset: destroy', (subject) => {
  it.each<{ what: string; unset: (request: { session: unknown }) => unknown }>([
    { what: 'set to null', unset: (request) => (request.session = null) },
    { what: 'deleted', unset: (request) => delete request.session },
  ])('ends when it is $what', async ({ unset }) => {
    await start(subject);
    await ask(ada, ({ session }) => void (session.views = 1));
    await ask(ada, (request) => void unset(request));
    expect(await ask(ada, ({ session }) => session.views ?? null)).toBeNull();
  });
});
