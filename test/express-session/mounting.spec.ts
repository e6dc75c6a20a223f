import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Module, Req, type MiddlewareConsumer, type NestModule } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import flash from 'connect-flash';
import { Server } from 'socket.io';
import { MemorySessionStore, SessionModule } from 'nestjs-tessera';
import { fastifyRequestSession, requestSession } from 'nestjs-tessera/express-session';
import { manualClock } from 'nestjs-tessera/testing';
import { io, type Socket } from 'socket.io-client';
import { closeApps, startApp, type App } from '../support/app';
import '../support/session-data';
import { visitor, type Visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';
import { called, requestWorks, type AnyRequest, type AnySession } from './request-works';

// eslint-disable-next-line @typescript-eslint/no-require-imports -- the package brings no types
const sharedSession = require('express-socket.io-session') as (...all: unknown[]) => never;

@Controller()
class VisitsController {
  @Get(['shop/visits', 'static/visits'])
  visits(@Req() { session }: { session?: AnySession }): object {
    if (session === undefined) return { visits: null };
    session.visits = ((session.visits as number | undefined) ?? 0) + 1;
    return { visits: session.visits as number };
  }
}

describe('where req.session is mounted', () => {
  const { controller, ask } = requestWorks();
  afterEach(closeApps);

  it('is by a module, for some of its routes', async () => {
    @Module({ controllers: [VisitsController] })
    class ShopModule implements NestModule {
      configure(consumer: MiddlewareConsumer): void {
        consumer.apply(requestSession()).forRoutes('shop/visits');
      }
    }
    const ada = await visitor(await startApp({ platform: 'express', imports: [ShopModule] }));
    const answers = [
      await ada.get('/shop/visits'),
      await ada.get('/shop/visits'),
      await ada.get('/static/visits'),
    ];
    expect(answers.map((answer) => answer.json())).toEqual([{ visits: 1 }, { visits: 2 }, { visits: null }]);
  });

  it('is for an instance by its name', async () => {
    const app = await startApp({
      platform: 'express',
      imports: [SessionModule.forRoot({ name: 'shop' })],
      controllers: [VisitsController],
      configure: (each) => void each.use(requestSession({ name: 'shop' })),
    });
    const ada = await visitor(app);
    const { cookies } = await ada.get('/shop/visits');
    const { text } = await ada.get('/shop/visits');
    expect({ cookies: cookies.map((line) => line.split('=')[0]), text }).toEqual({
      cookies: ['__Host-session-shop'],
      text: '{"visits":2}',
    });
  });

  it('T8: is another one in an application inside of one that has it, and neither loses anything', async () => {
    const inner = requestWorks();
    const module = await Test.createTestingModule({
      imports: [SessionModule.forRoot({ cookie: { name: '__Host-inside' } })],
      controllers: [inner.controller],
    }).compile();
    const inside = module.createNestApplication<NestExpressApplication>({ logger: false });
    inside.use(requestSession());
    await inside.init();
    const app = await startApp({
      platform: 'express',
      controllers: [controller],
      configure: (outside) => {
        const count = (request: AnyRequest, _response: unknown, next: () => void): void => {
          request.session.visits = ((request.session.visits as number | undefined) ?? 0) + 1;
          next();
        };
        const mounted = inside.getHttpAdapter().getInstance();
        (outside as NestExpressApplication).use(requestSession());
        (outside as NestExpressApplication).use('/inside', count, mounted);
      },
    });
    const ada = await visitor(app);
    await ask(ada, ({ session }) => void (session.user = 'of the outer one'));
    const within = { post: (path: string) => ada.post(`/inside${path}`) } as Visitor;
    const seen = await inner.ask(within, ({ session }) => {
      session.theme = 'dark';
      return Object.keys(session);
    });
    const outer = await ask(ada, ({ session }) => ({ ...session }));
    await inside.close();
    expect({ seen, outer, token: (await ada.token('__Host-inside')) !== undefined }).toEqual({
      seen: ['theme'],
      outer: { user: 'of the outer one', visits: 1 },
      token: true,
    });
  });

  it('is on Fastify also for middleware of Express, which sees the request of Node', async () => {
    const app = await startApp({
      platform: 'fastify',
      controllers: [controller],
      configure: async (each) => {
        await (each as NestFastifyApplication).register(fastifyRequestSession);
        each.use(flash());
        each.use(
          (
            request: { flash(kind: string, text: string): void; url: string },
            _: object,
            next: () => void,
          ) => {
            if (request.url.endsWith('/0')) request.flash('info', 'saved');
            next();
          },
        );
      },
    });
    const ada = await visitor(app);
    const first = await ask(ada, (request) => (request.session.views = 1));
    const facts = await ask(ada, async (request) => {
      const { raw } = request as unknown as { raw: AnyRequest };
      const isOne = raw.session === request.session;
      await called(request.session, 'regenerate');
      return { isOne, isStillOne: raw.session === request.session, flash: request.session.flash ?? null };
    });
    expect({ first, facts }).toEqual({ first: 1, facts: { isOne: true, isStillOne: true, flash: null } });
  });

  it('leaves the session alone that Node’s request has on Fastify already', async () => {
    const app = await startApp({
      platform: 'fastify',
      controllers: [controller],
      configure: async (each) => {
        const fastify = (each as NestFastifyApplication).getHttpAdapter().getInstance();
        fastify.addHook('onRequest', async (request) => {
          Object.assign(request.raw, { session: 'of another library' });
        });
        await (each as NestFastifyApplication).register(fastifyRequestSession);
      },
    });
    const raw = await ask(
      await visitor(app),
      (request) => (request as unknown as { raw: AnyRequest }).raw.session,
    );
    expect(raw).toBe('of another library');
  });

  it('stores on Fastify what middleware of Express has set', async () => {
    const app = await startApp({
      platform: 'fastify',
      controllers: [controller],
      configure: async (each) => {
        await (each as NestFastifyApplication).register(fastifyRequestSession);
        each.use((request: AnyRequest, _: object, next: () => void) => {
          request.session.seen = true;
          next();
        });
      },
    });
    const ada = await visitor(app);
    await ask(ada, () => null);
    const stored = await ask(ada, ({ session }) => session.seen as boolean);
    expect({ stored, hasToken: (await ada.token()) !== undefined }).toEqual({ stored: true, hasToken: true });
  });
});

describe('req.session of the handshake of a socket', () => {
  const { controller, ask } = requestWorks();
  let clock: ReturnType<typeof manualClock>;
  let store: WatchedStore;
  let app: App;
  let ada: Visitor;
  let sockets: Server;
  let origin: string;
  const clients: Socket[] = [];

  beforeEach(async () => {
    store = new WatchedStore(new MemorySessionStore());
    clock = manualClock();
    app = await startApp({
      platform: 'express',
      options: { store, clock, rotateEvery: '5m', csrf: { trustedOrigins: ['https://chat.test'] } },
      controllers: [controller],
      configure: (each) => void each.use(requestSession()),
    });
    ada = await visitor(app);
    const server = createServer();
    sockets = new Server(server);
    sockets.use(sharedSession(requestSession({ application: app })));
    sockets.on('connection', (socket) => {
      const request = socket.handshake as unknown as AnyRequest;
      socket.on('look', (answer: (seen: unknown) => void) => answer(request.session?.visits ?? 'none'));
      socket.on('change', async (method: 'save' | 'reload', answer: (seen: unknown) => void) => {
        if (method === 'save') request.session.visits = 7;
        const failed = await called(request.session, method).catch(({ code }: { code: string }) => code);
        answer(failed ?? (request.session.visits as number));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.disconnect();
    await sockets.close();
    await closeApps();
  });

  async function connect(who: Visitor, headers: Record<string, string> = {}): Promise<Socket> {
    const cookie = await who.jar.getCookieString((await app.getUrl()).replace('http:', 'https:'));
    const client = io(origin, { extraHeaders: { cookie, ...headers }, transports: ['websocket'] });
    clients.push(client);
    return client;
  }

  it('saves with save(), and reads with reload() what HTTP has written meanwhile', async () => {
    await ask(ada, ({ session }) => void (session.visits = 1));
    const client = await connect(ada);
    const seen = [await client.emitWithAck('look')];
    await ask(ada, ({ session }) => void (session.visits = 2));
    seen.push(await client.emitWithAck('change', 'reload'), await client.emitWithAck('change', 'save'));
    expect({ seen, stored: await ask(ada, ({ session }) => session.visits as number) }).toEqual({
      seen: [1, 2, 7],
      stored: 7,
    });
  });

  it('is there for the engine of socket.io, too', async () => {
    await ask(ada, ({ session }) => void (session.visits = 1));
    sockets.engine.use(requestSession({ application: app }));
    sockets.on('connection', (socket) => {
      const request = socket.request as unknown as AnyRequest;
      socket.on('count', async (answer: (seen: unknown) => void) => {
        await called(request.session, 'reload');
        request.session.visits += 1;
        await called(request.session, 'save');
        answer(request.session.visits);
      });
    });
    const client = await connect(ada);
    const counted: unknown = await client.emitWithAck('count');
    expect({ counted, stored: await ask(ada, ({ session }) => session.visits as number) }).toEqual({
      counted: 2,
      stored: 2,
    });
  });

  it('S2: stays over rotations, and a namespace that joins later is taken for no theft', async () => {
    sockets.of('/chat').use(sharedSession(requestSession({ application: app })));
    await ask(ada, ({ session }) => void (session.visits = 1));
    const client = await connect(ada);
    await client.emitWithAck('look');
    for (let i = 0; i < 4; i++) {
      clock.advance(6 * 60_000);
      await ask(ada, ({ session }) => void (session.turn = i));
    }
    const chat = client.io.socket('/chat');
    await new Promise((resolve) => chat.once('connect', () => resolve(undefined)));
    const saved: unknown = await client.emitWithAck('change', 'save');
    expect({ saved, stored: await ask(ada, ({ session }) => ({ ...session })) }).toEqual({
      saved: 7,
      stored: { visits: 7, turn: 3 },
    });
  });

  it('R3: brings no session back that has ended', async () => {
    await ask(ada, ({ session }) => void (session.visits = 1));
    const client = await connect(ada);
    await client.emitWithAck('look');
    const old = await ada.twin();
    await ask(ada, ({ session }) => called(session, 'destroy'));
    await client.emitWithAck('change', 'save');
    const reloaded: unknown = await client.emitWithAck('change', 'reload');
    expect({ reloaded, stored: await ask(old, ({ session }) => (session.visits as number) ?? null) }).toEqual(
      {
        reloaded: 'SESSION_ENDED',
        stored: null,
      },
    );
  });

  it('S3: stores nothing for a visitor, and says so to save()', async () => {
    store.take();
    const client = await connect(ada);
    const saved: unknown = await client.emitWithAck('change', 'save');
    expect({ saved, calls: store.take() }).toEqual({ saved: 'SESSION_TOKEN_UNDELIVERABLE', calls: [] });
  });

  it.each([
    { page: 'of another site', headers: { origin: 'https://evil.test' }, seen: 'none' },
    { page: 'of a trusted origin', headers: { origin: 'https://chat.test' }, seen: 1 },
  ])('S4: with the cookie of ada, a page $page sees $seen', async ({ headers, seen }) => {
    await ask(ada, ({ session }) => void (session.visits = 1));
    store.take();
    const client = await connect(ada, headers);
    const looked: unknown = await client.emitWithAck('look');
    expect({ looked, calls: store.take() }).toEqual({ looked: seen, calls: seen === 'none' ? [] : ['find'] });
  });
});
