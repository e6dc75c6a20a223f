/* eslint-disable @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return -- what a test has stored is any */
import { Controller, Logger, Post, Req, Res } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { MemorySessionStore, Session, SessionService } from 'nestjs-tessera';
import { fastifyRequestSession, requestSession } from 'nestjs-tessera/express-session';
import '../support/session-data';
import { closeApps, platforms, startApp, type App, type Platform } from '../support/app';
import { visitor, type Visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';
import { called, requestWorks, type AnyRequest } from './request-works';

type Turn = (request: AnyRequest, session: Session) => unknown;

/** One request that has both: the session as a property, and that of this library. */
let both: Turn = () => null;
/** What a response does after its first byte. */
let late: Turn = () => null;

@Controller()
class TurnsController {
  constructor(private readonly sessions: SessionService) {}

  @Post('both')
  async both(@Req() request: AnyRequest, @Session() session: Session): Promise<object> {
    return { result: (await both(request, session)) ?? null };
  }

  @Post('late')
  async late(@Req() request: AnyRequest & object, @Res() reply: { raw?: never }): Promise<void> {
    const response = (reply.raw ?? reply) as unknown as {
      write(text: string): void;
      end(text: string): void;
    };
    const session = await this.sessions.of(request);
    response.write('[');
    const result = await (async () => late(request, session))().catch((error: Error) => error.message);
    response.end(`${JSON.stringify(result ?? null)}]`);
  }
}

async function mount(app: App, platform: Platform): Promise<void> {
  if (platform === 'express') app.use(requestSession());
  else await (app as NestFastifyApplication).register(fastifyRequestSession);
}

/** What was logged of sessions as a property. */
function told(logged: jest.SpyInstance<unknown, unknown[]>): string[] {
  const messages = logged.mock.calls.map(([message]) => String(message));
  return messages.filter((message) => message.includes('req.session'));
}

describe.each(platforms)('the edges of req.session on %s', (platform) => {
  const { controller, run, ask } = requestWorks();
  let store: WatchedStore;
  let app: App;
  let ada: Visitor;

  beforeEach(async () => {
    store = new WatchedStore(new MemorySessionStore());
    app = await startApp({
      platform,
      options: { store },
      controllers: [controller, TurnsController],
      configure: (it) => mount(it, platform),
    });
    ada = await visitor(app);
    await ask(ada, ({ session }) => void Object.assign(session, { cart: ['pear'], visits: 1 }));
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await closeApps();
  });

  const dataOf = (): Promise<unknown> => ask(ada, ({ session }) => ({ ...session }));
  const turn = async (work: Turn, who = ada): Promise<unknown> => {
    both = work;
    const answer = await who.post('/both');
    return answer.status === 201 ? answer.json<{ result: unknown }>().result : answer.status;
  };

  it('answers 500, and names the key, for a value that cannot be stored', async () => {
    const logged = jest.spyOn(Logger.prototype, 'error').mockImplementation();
    const answer = await run(ada, ({ session }) => void Object.assign(session, { bad: () => 1, visits: 2 }));
    expect({ status: answer.status, stored: await dataOf() }).toEqual({
      status: 500,
      stored: { cart: ['pear'], visits: 1 },
    });
    expect(JSON.stringify(logged.mock.calls.map((call) => call.map(String)))).toContain("'bad'");
  });

  it('does not answer as if it had saved when the failure of save() is ignored', async () => {
    store.before = (operation) => {
      if (operation === 'update') throw new Error('down');
    };
    jest.spyOn(Logger.prototype, 'error').mockImplementation();
    const ignoring = await run(ada, async ({ session }) => {
      session.visits = 2;
      await new Promise((resolve) => session.save(resolve));
    });
    const unawaited = await run(ada, ({ session }) => {
      session.visits = 2;
      void session.save(() => {});
    });
    expect({ ignoring: ignoring.status, unawaited: unawaited.status }).toEqual({
      ignoring: 503,
      unawaited: 503,
    });
  });

  it('does not answer as if it had logged out when the failure of destroy() is ignored', async () => {
    store.before = (operation) => {
      if (operation === 'delete') throw new Error('down');
    };
    jest.spyOn(Logger.prototype, 'error').mockImplementation();
    const answer = await run(
      ada,
      ({ session }) => new Promise((resolve) => session.destroy(() => resolve(null))),
    );
    expect(answer.status).toBe(503);
  });

  it('saves by save() what is changed after the first byte', async () => {
    late = async ({ session }) => {
      session.visits = 2;
      await called(session, 'save');
      return 'saved';
    };
    const { text } = await ada.post('/late');
    expect({ text, stored: await dataOf() }).toEqual({
      text: '["saved"]',
      stored: { cart: ['pear'], visits: 2 },
    });
  });

  it.each(['destroy', 'regenerate'] as const)(
    'R3: ends by %s() after the first byte, too',
    async (method) => {
      late = async ({ session }) => {
        await called(session, method);
        return 'logged out';
      };
      const { text } = await ada.post('/late');
      expect({ text, left: await dataOf() }).toEqual({ text: '["logged out"]', left: {} });
    },
  );

  it('goes on with regenerate() when a key hides its class', async () => {
    const left = await ask(ada, async (request) => {
      Object.assign(request.session, { constructor: 'hidden' });
      await called(request.session, 'regenerate');
      request.session.visits = 7;
    });
    expect({ left, stored: await dataOf() }).toEqual({ left: null, stored: { visits: 7 } });
  });

  it('logs once, and does not throw, what is changed after the first byte and not saved', async () => {
    const logged = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    late = ({ session }) => {
      Object.assign(session, { visits: 2, theme: 'dark' });
      session.touch();
      return 'no error';
    };
    const { text } = await ada.post('/late');
    const stored = await dataOf();
    expect({ text, stored, told: told(logged) }).toEqual({
      text: '["no error"]',
      stored: { cart: ['pear'], visits: 1 },
      told: [expect.stringContaining('visits, theme')],
    });
  });

  it('logs, and does not throw, a lifetime that is set after the first byte', async () => {
    const logged = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    late = ({ session }) => {
      session.cookie.maxAge = 60_000;
      return session.cookie.maxAge;
    };
    const { text } = await ada.post('/late');
    expect({ text, told: told(logged) }).toEqual({
      text: '[null]',
      told: [expect.stringContaining('cookie')],
    });
  });

  it('stores nothing for a visitor of whom only the lifetime is set, and the lifetime with what is set later', async () => {
    const eve = await visitor(app);
    const nothing = await run(eve, ({ session }) => {
      session.cookie.maxAge = 60_000;
      return [session.cookie.originalMaxAge, session.cookie.maxAge > 50_000];
    });
    const something = await run(eve, ({ session }) => {
      session.cookie.maxAge = 60_000;
      session.visits = 1;
    });
    expect({
      nothing: [nothing.json(), nothing.cookies],
      something: something.cookies.map((cookie) => /Max-Age=(\d\d)\b/.test(cookie)),
      seen: await ask(eve, ({ session }) => session.cookie.originalMaxAge),
    }).toEqual({ nothing: [{ result: [60_000, true] }, []], something: [true], seen: 60_000 });
  });

  it('ends with the browser again when maxAge is set to null', async () => {
    await ask(ada, ({ session }) => void (session.cookie.maxAge = 60_000));
    const answer = await run(ada, ({ session }) => {
      session.cookie.maxAge = null;
      return [session.cookie.maxAge, session.cookie.expires, session.cookie.originalMaxAge];
    });
    expect({ result: answer.json(), lines: answer.cookies.map((it) => it.includes('Max-Age')) }).toEqual({
      result: { result: [null, null, null] },
      lines: [false],
    });
  });

  it('fails to save, after the first byte, what a visitor without a session would need a token for', async () => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    late = ({ session }) => {
      session.visits = 2;
      return called(session, 'save').catch(({ code }: { code?: string }) => code);
    };
    store.take();
    const { text } = await (await visitor(app)).post('/late');
    expect({ text, calls: store.take() }).toEqual({ text: '["SESSION_RESPONSE_STARTED"]', calls: [] });
  });

  it('logs that a key is not saved which is the name of a method', async () => {
    const logged = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    await ask(ada, ({ session }) => void Object.assign(session, { save: 1, visits: 2 }));
    expect({ stored: await dataOf(), told: told(logged) }).toEqual({
      stored: { cart: ['pear'], visits: 2 },
      told: [expect.stringContaining('req.session.save')],
    });
  });

  it('lets other code wrap a method', async () => {
    const logged = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    await ask(ada, ({ session }) => {
      const save = session.save.bind(session);
      session.save = (done) => save(done);
      session.visits = 2;
      return called(session, 'save');
    });
    expect({ stored: await dataOf(), told: told(logged) }).toEqual({
      stored: { cart: ['pear'], visits: 2 },
      told: [],
    });
  });

  it('keeps a change in place that follows a save() which met another request', async () => {
    const twin = await ada.twin();
    await ask(ada, async (request) => {
      request.session.theme = 'dark';
      await ask(twin, ({ session }) => void (session.visits = 5));
      await called(request.session, 'save');
      request.session.cart.push('fig');
    });
    expect(await dataOf()).toEqual({ cart: ['pear', 'fig'], theme: 'dark', visits: 5 });
  });

  it('shows after save() what another request has written to the same key', async () => {
    const twin = await ada.twin();
    await ask(ada, async (request) => {
      request.session.theme = 'dark';
      await ask(twin, ({ session }) => void session.cart.push('kiwi'));
      await called(request.session, 'save');
      request.session.cart.push('fig');
    });
    expect(await dataOf()).toEqual({ cart: ['pear', 'kiwi', 'fig'], theme: 'dark', visits: 1 });
  });

  it('keeps a change in place while save() meets another request', async () => {
    const twin = await ada.twin();
    await ask(ada, async (request) => {
      request.session.theme = 'dark';
      await ask(twin, ({ session }) => void (session.visits = 5));
      const saved = called(request.session, 'save');
      request.session.cart.push('fig');
      await saved;
    });
    expect(await dataOf()).toEqual({ cart: ['pear', 'fig'], theme: 'dark', visits: 5 });
  });

  it('goes on after a reload that failed', async () => {
    jest.spyOn(Logger.prototype, 'error').mockImplementation();
    const outcome = await ask(ada, async (request) => {
      request.session.visits = 7;
      store.before = () => {
        throw new Error('down');
      };
      const failed = await called(request.session, 'reload').catch((error: { code?: string }) => error.code);
      store.before = () => {};
      request.session.theme = 'dark';
      return [failed, request.session.visits];
    });
    expect({ outcome, stored: await dataOf() }).toEqual({
      outcome: ['SESSION_STORE_UNAVAILABLE', 1],
      stored: { cart: ['pear'], theme: 'dark', visits: 1 },
    });
  });

  it('shows what the handler sets, and hands it what middleware has set', async () => {
    const seen = await turn((request, session) => {
      request.session.visits = 2;
      const visits = session.get('visits');
      session.set('theme', 'dark');
      session.delete('cart');
      return [visits, session.has('cart')];
    });
    expect({ seen, stored: await dataOf() }).toEqual({
      seen: [2, false],
      stored: { theme: 'dark', visits: 2 },
    });
  });

  it('keeps what was set before actAs() out of the data of the other principal', async () => {
    await turn((_request, session) => session.login({ id: 'ada' }));
    const facts = await turn((request, session) => {
      request.session.secret = "ada's";
      session.actAs({ id: 'bob' });
      return session.keys();
    });
    const acting = await dataOf();
    await turn((_request, session) => session.stopActing());
    expect({ facts, acting, after: await dataOf() }).toEqual({
      facts: [],
      acting: {},
      after: { cart: ['pear'], visits: 1, secret: "ada's" },
    });
  });

  it('keeps an object of one principal, which is changed later, out of the data of the other', async () => {
    await turn((_request, session) => session.login({ id: 'ada' }));
    const acting = await turn((request, session) => {
      const { cart } = request.session;
      session.actAs({ id: 'bob' });
      cart.push('fig');
      return session.keys();
    });
    await turn((request, session) => {
      request.session.cart = ['plum'];
      session.get('cart');
      const { cart } = request.session;
      Object.assign(request.session, { secret: "bob's" });
      session.stopActing();
      cart.push('lime');
    });
    expect({ acting, after: await dataOf() }).toEqual({ acting: [], after: { cart: ['pear'], visits: 1 } });
  });

  it.each<[string, Turn]>([
    ['login() without the data', (_request, session) => session.login({ id: 'ada' }, { keepData: false })],
    ['clear()', (_request, session) => session.clear()],
    ['delete()', (_request, session) => session.delete('cart')],
    ['pop()', (_request, session) => session.pop('cart')],
  ])('lets %s remove an object that is changed before and after', async (_what, remove) => {
    await turn((request, session) => {
      const { cart } = request.session;
      cart.push('fig');
      remove(request, session);
      cart.push('lime');
    });
    expect(await dataOf()).not.toHaveProperty('cart');
  });

  it('keeps what was set before a logout out of the session after it', async () => {
    await turn((request, session) => {
      request.session.secret = "ada's";
      session.logout();
      session.set('theme', 'light');
    });
    expect(await dataOf()).toEqual({ theme: 'light' });
  });

  it('forgets with rollback() what was set', async () => {
    const left = await turn((request, session) => {
      request.session.visits = 9;
      request.session.cart.push('fig');
      session.rollback();
      return { ...request.session };
    });
    expect({ left, stored: await dataOf() }).toEqual({
      left: { cart: ['pear'], visits: 1 },
      stored: { cart: ['pear'], visits: 1 },
    });
  });

  it.each(['save', 'id', 'cookie', 'constructor'])('works with a stored key %s', async (key) => {
    await turn((_request, session) => session.set(key as never, 'stored' as never));
    const facts = await ask(ada, async (request) => {
      request.session.visits = 2;
      await called(request.session, 'save');
      return [typeof request.session.save, typeof request.session.id, typeof request.session.cookie];
    });
    const kept = await turn((_request, session) => session.get(key as never));
    expect({ facts, kept }).toEqual({ facts: ['function', 'string', 'object'], kept: 'stored' });
  });

  it('says nothing of itself in JSON', async () => {
    const text = await ask(ada, ({ session }) => JSON.stringify([session, session.cookie]));
    expect(JSON.parse(text as string)).toEqual([
      { cart: ['pear'], visits: 1 },
      { originalMaxAge: null, expires: null },
    ]);
  });
});
