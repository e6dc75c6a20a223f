import { createServer } from 'node:http';
import { Logger } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import express, { type Request } from 'express';
import { Server } from 'socket.io';
import {
  MemorySessionStore,
  SessionRegistry,
  SessionService,
  plainJson,
  type SessionModuleOptions,
} from 'nestjs-tessera';
import { requestSession } from 'nestjs-tessera/express-session';
import { io } from 'socket.io-client';
import { closeApps, startApp, type App } from '../support/app';
import '../support/session-data';
import { visitor, type Visitor } from '../support/visitor';
import { WatchedStore, door } from '../support/watched-store';
import { called, requestWorks, type AnyRequest } from './request-works';

// eslint-disable-next-line @typescript-eslint/no-require-imports -- the package brings no types
const sharedSession = require('express-socket.io-session') as (...all: unknown[]) => never;

describe('req.session', () => {
  const { controller, run, ask } = requestWorks();
  const store = new WatchedStore(new MemorySessionStore());
  let app: App;
  let ada: Visitor;

  async function start(
    options: SessionModuleOptions = {},
    configure: (app: NestExpressApplication) => void = (each) => void each.use(requestSession()),
  ): Promise<void> {
    app = await startApp({
      platform: 'express',
      options: { store, ...options },
      controllers: [controller],
      configure: (each) => configure(each as NestExpressApplication),
    });
    ada = await visitor(app);
    store.take();
  }
  afterEach(async () => {
    store.before = () => {};
    await closeApps();
  });
  const sessions = (): SessionService => app.get(SessionService);

  it('R1: loses nothing when two requests at once write different keys', async () => {
    await start();
    await ask(ada, ({ session }) => void (session.views = 1));
    const keys = Array.from({ length: 20 }, (_, n) => `key${n}`);
    await Promise.all(keys.map((key) => ask(ada, ({ session }) => void (session[key] = key))));
    const stored = (await ask(ada, ({ session }) => Object.keys(session))) as string[];
    expect(stored.sort()).toEqual(['views', ...keys].sort());
  });

  it.each(['destroy', 'regenerate'] as const)(
    'R3: is not brought back by a slow request that writes after another one called %s()',
    async (method) => {
      await start();
      await ask(ada, ({ session }) => void (session.user = 'ada'));
      const old = await ada.twin();
      const [arrived, going] = [door(), door()];
      const slow = run(old, async ({ session }) => {
        arrived.open();
        await going.opened;
        session.views = 2;
      });
      await arrived.opened;
      await ask(ada, ({ session }) => called(session, method));
      going.open();
      await slow;
      const thief = await old.twin();
      expect(await ask(thief, ({ session }) => session.user ?? session.views ?? null)).toBeNull();
    },
  );

  it('shows what the session itself sets, and the other way round', async () => {
    await start();
    const facts = await ask(ada, async (request) => {
      const session = await sessions().of(request);
      session.set('theme', 'dark');
      request.session.visits = 7;
      const seen = { visits: session.get('visits'), keys: session.keys() };
      return { ...seen, theme: request.session.theme as string };
    });
    expect(facts).toEqual({ visits: 7, keys: ['theme', 'visits'], theme: 'dark' });
  });

  it('takes nothing over into the session of the next user when a handler logs out', async () => {
    await start();
    await ask(ada, ({ session }) => void (session.secret = 'of ada'));
    const left = await ask(ada, async (request) => {
      request.session.later = 'of ada';
      await sessions().logout();
      request.session.views = 1;
      return Object.keys(request.session);
    });
    expect({ left, after: await ask(ada, ({ session }) => ({ ...session })) }).toEqual({
      left: ['views'],
      after: { views: 1 },
    });
  });

  it('forgets what was set in it at a rollback', async () => {
    await start();
    await ask(ada, ({ session }) => void (session.views = 1));
    const views = await ask(ada, async (request) => {
      request.session.views = 2;
      await sessions().rollback();
      return request.session.views as number;
    });
    expect({ views, stored: await ask(ada, ({ session }) => session.views as number) }).toEqual({
      views: 1,
      stored: 1,
    });
  });

  it('ends a login of the library with regenerate()', async () => {
    await start();
    await ask(ada, () => sessions().login({ id: 'ada' }));
    const before = await ask(ada, async () => (await sessions().current()).principal?.id);
    await ask(ada, ({ session }) => called(session, 'regenerate'));
    const after = await app.get(SessionRegistry).list({ id: 'ada' });
    expect({ before, after }).toEqual({ before: 'ada', after: [] });
  });

  it('is one read of the store for a request, and no write without a change', async () => {
    await start();
    await ask(ada, ({ session }) => void (session.cart = ['pear']));
    store.take();
    await ask(ada, ({ session }) => session.cart as string[]);
    expect(store.take()).toEqual(['find']);
  });

  it('F1: answers 503 when the store is down', async () => {
    await start();
    await ask(ada, ({ session }) => void (session.views = 1));
    store.before = () => Promise.reject(new Error('connection refused'));
    const answer = await run(ada, ({ session }) => session.views as number);
    expect({ status: answer.status, code: answer.json<{ code: string }>().code }).toEqual({
      status: 503,
      code: 'SESSION_STORE_UNAVAILABLE',
    });
  });

  it('refuses a value that would come back as another one, and with plainJson takes it', async () => {
    class Cart {
      readonly items = ['pear'];
    }
    await start();
    const refused = await run(ada, ({ session }) => void (session.cart = new Cart()));
    await closeApps();
    await start({ codec: plainJson });
    await ask(ada, ({ session }) => void (session.cart = new Cart()));
    const cart = await ask(ada, ({ session }) => session.cart as object);
    expect({ refused: refused.status, cart }).toEqual({ refused: 500, cart: { items: ['pear'] } });
  });

  it('leaves a session alone that the request has already', async () => {
    await start({}, (each) => {
      each.use((request: object, _response: object, next: () => void) => {
        Object.assign(request, { session: { of: 'another library' } });
        next();
      });
      each.use(requestSession());
    });
    expect(await ask(ada, ({ session }) => session)).toEqual({ of: 'another library' });
    expect(store.take()).toEqual([]);
  });

  it('is there for some routes only, when it is mounted for them', async () => {
    await start({}, (each) => void each.use('/works/elsewhere', requestSession()));
    expect(await ask(ada, ({ session }) => session ?? 'none')).toBe('none');
  });

  it('works in a router that has moved itself ahead of everything, as that of AdminJS does', async () => {
    await start({}, (each) => {
      const instance = each.getHttpAdapter().getInstance() as express.Express & { router: express.Router };
      const router = express.Router();
      router.use(requestSession());
      router.post('/ahead', (request, response) => {
        const session = request.session as unknown as { views?: number };
        session.views = (session.views ?? 0) + 1;
        response.json({ views: session.views });
      });
      instance.use(router);
      const { stack } = instance.router;
      stack.unshift(stack.pop()!);
    });
    const answers = [await ada.post('/ahead'), await ada.post('/ahead')];
    expect(answers.map((answer) => answer.json())).toEqual([{ views: 1 }, { views: 2 }]);
  });

  it.each<{ who: string; prepare: () => Promise<unknown> }>([
    { who: 'a visitor', prepare: async () => undefined },
    { who: 'a stored session', prepare: () => ask(ada, ({ session }) => void (session.views = 1)) },
  ])('logs a change after the first byte instead of throwing: $who', async ({ prepare }) => {
    await start({}, (each) => {
      each.use(requestSession());
      each.use('/late', (request: Request, response: express.Response) => {
        response.write('begun');
        (request.session as unknown as { late: boolean }).late = true;
        response.end();
      });
    });
    await prepare();
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const answer = await ada.post('/late');
    const told = warn.mock.calls.map(([message]) => String(message));
    warn.mockRestore();
    expect({ text: answer.text, told, late: await ask(ada, ({ session }) => 'late' in session) }).toEqual({
      text: 'begun',
      told: [expect.stringContaining('late')],
      late: false,
    });
  });

  it('S1: is the session of the handshake with express-socket.io-session, and saves what an event changes', async () => {
    await start();
    await ask(ada, ({ session }) => void (session.views = 1));
    const server = createServer();
    const sockets = new Server(server);
    const middleware = requestSession({ application: app });
    sockets.use(sharedSession(middleware, { autoSave: true }));
    sockets.on('connection', (socket) => {
      socket.on('view', (answer: (views: number) => void) => {
        const { session } = socket.handshake as unknown as AnyRequest;
        answer(++session.views);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const cookie = await ada.jar.getCookieString((await app.getUrl()).replace('http:', 'https:'));
    const client = io(`http://127.0.0.1:${port}`, { extraHeaders: { cookie }, transports: ['websocket'] });
    const views: unknown = await client.emitWithAck('view');
    client.disconnect();
    await sockets.close();
    const stored = await ask(ada, ({ session }) => session.views as number);
    expect({ views, stored }).toEqual({ views: 2, stored: 2 });
  });
});
