import { request, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Controller, Get, Inject, Module, Post, Redirect, UseGuards } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import {
  AuthGuard,
  MemorySessionStore,
  Principal,
  Session,
  SessionModule,
  SessionService,
} from 'nestjs-tessera';
import { closeApps, platforms, startApp, type App, type Platform } from '../support/app';
import { beforeNest } from '../support/nest';
import { itUnless } from '../support/not-run';
import { visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';
import { MarkingGuard, ways, WaysController } from './ways';

type Next = (error?: unknown) => void;

/** A store that needs some turns of the event loop, and knows what it has written. */
class SlowStore extends WatchedStore {
  written = 0;

  constructor() {
    super(new MemorySessionStore());
    this.before = async () => {
      for (let turns = 0; turns < 10; turns++) await new Promise((resolve) => setImmediate(resolve));
    };
    this.after = (operation) => void (this.written += operation === 'find' ? 0 : 1);
  }
}

/** The head of an answer, and what the store had written when its first byte came. */
async function firstByte(
  url: string,
  store: SlowStore,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<{ status: number; cookies: string[]; written: number }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (response) => {
      const { written } = store;
      response.resume().on('close', () =>
        resolve({
          status: response.statusCode!,
          cookies: response.headers['set-cookie'] ?? [],
          written,
        }),
      );
    });
    sent.on('error', reject).end();
  });
}

function ours(cookies: string[]): string[] {
  return cookies.filter((line) => line.startsWith('__Host-session='));
}

/** Middleware as main.ts would add it: it marks the session, and answers some requests itself. */
function marksAndAnswers(app: App): void {
  app.use((incoming: IncomingMessage, response: ServerResponse, next: Next) => {
    if (!incoming.url!.includes('/marked/')) return next();
    app
      .get(SessionService)
      .of(incoming)
      .then((session) => {
        session.set('way', 'middleware');
        if (incoming.url!.endsWith('/answered')) response.end('by middleware');
        else next();
      })
      .catch(next);
  });
}

function servesFiles(platform: Platform, app: App): void {
  const root = join(__dirname, 'public');
  if (platform === 'express') (app as NestExpressApplication).useStaticAssets(root, { prefix: '/marked/' });
  else (app as NestFastifyApplication).useStaticAssets({ root, prefix: '/marked/' });
}

afterAll(closeApps);

describe.each(platforms)('H1: on %s the session is saved before the first byte', (platform) => {
  const store = new SlowStore();
  let url: string;

  beforeAll(async () => {
    const app = await startApp({
      platform,
      options: { store },
      controllers: [WaysController],
      configure: (app) => {
        marksAndAnswers(app);
        servesFiles(platform, app);
      },
    });
    url = await app.getUrl();
  });

  for (const [line, status, headers = {}] of ways) {
    const reason = line === 'GET /generated' ? beforeNest(12, 'does not stream generators') : null;
    itUnless(reason, `of ${line}, answered with ${status}`, async () => {
      const [method, path] = line.split(' ') as [string, string];
      const before = store.written;
      const answer = await firstByte(url + path, store, { method, headers });
      expect({ ...answer, cookies: ours(answer.cookies) }).toEqual({
        status,
        written: before + 1,
        cookies: [expect.stringMatching(/^__Host-session=[\w-]{22}\.[\w-]{43}; /)],
      });
      // Again, for a session that exists: this time there is nothing to tell the client.
      const cookie = ours(answer.cookies)[0]!.split(';')[0]!;
      const again = await firstByte(url + path, store, { method, headers: { ...headers, cookie } });
      expect({ ...again, cookies: ours(again.cookies) }).toEqual({
        status,
        written: before + 1,
        cookies: [],
      });
    });
  }
});

@Controller()
class AccountController {
  constructor(@Inject(SessionService) private readonly sessions: SessionService) {}

  @Post('login') @Redirect('/me', 303) async login(): Promise<void> {
    await this.sessions.login({ id: 'ada' });
  }

  @UseGuards(AuthGuard) @Get('me') me(@Principal() { id }: Principal): string {
    return id;
  }

  @Get('throws') async throws(): Promise<void> {
    (await this.sessions.current()).set('way', 'thrown out');
    throw new Error('after the session was changed');
  }

  @Get('way') way(@Session('way') way?: string): string {
    return way ?? 'none';
  }
}

describe.each(platforms)('on %s', (platform) => {
  it('H3: whoever follows the redirect of a login at its first byte is logged in', async () => {
    const app = await startApp({
      platform,
      options: { store: new SlowStore() },
      controllers: [AccountController],
    });
    const url = await app.getUrl();
    const status = await new Promise<number>((resolve, reject) => {
      const login = request(`${url}/login`, { method: 'POST', agent: false }, ({ headers }) => {
        const cookie = headers['set-cookie']![0]!.split(';')[0]!;
        request(url + headers.location!, { headers: { cookie }, agent: false }, ({ statusCode }) =>
          resolve(statusCode!),
        )
          .on('error', reject)
          .end();
      });
      login.on('error', reject).end();
    });
    expect(status).toBe(200);
  });

  it('H7: what a handler remembered before it threw is kept', async () => {
    const app = await startApp({
      platform,
      options: { store: new SlowStore() },
      controllers: [AccountController],
    });
    const ada = await visitor(app);
    expect((await ada.get('/throws')).status).toBe(500);
    expect((await ada.get('/way')).text).toBe('thrown out');
  });
});

@Module({ providers: [{ provide: APP_GUARD, useClass: MarkingGuard }] })
class ElsewhereModule {}

describe.each(platforms)('H1: on %s the gate stands before everything', (platform) => {
  const marks = async (url: string, store: SlowStore, status: number): Promise<void> => {
    const answer = await firstByte(url, store);
    expect({ ...answer, cookies: ours(answer.cookies).length }).toEqual({ status, written: 1, cookies: 1 });
  };

  it('below a global prefix, inside and outside', async () => {
    const store = new SlowStore();
    const app = await startApp({
      platform,
      options: { store },
      controllers: [WaysController],
      configure: (app) => {
        app.setGlobalPrefix('api');
        marksAndAnswers(app);
      },
    });
    await marks(`${await app.getUrl()}/api/returned`, store, 200);
    store.written = 0;
    await marks(`${await app.getUrl()}/marked/nowhere`, store, 404);
  });

  it('before a guard given to useGlobalGuards', async () => {
    const store = new SlowStore();
    const app = await startApp({
      platform,
      options: { store },
      controllers: [WaysController],
      configure: (app) => void app.useGlobalGuards(new MarkingGuard(app.get(SessionService))),
    });
    await marks(`${await app.getUrl()}/piped?n=x`, store, 400);
  });

  it('before the APP_GUARD of another module', async () => {
    const store = new SlowStore();
    const app = await startApp({
      platform,
      options: { store },
      imports: [ElsewhereModule],
      controllers: [WaysController],
    });
    await marks(`${await app.getUrl()}/piped?n=1`, store, 200);
  });
});

describe('H1: on fastify the gate stands before middleware', () => {
  const settings = { logger: false, forceCloseConnections: true } as const;
  let app: NestFastifyApplication;
  afterEach(() => app.close());

  it.each([
    'of the application',
    'of a plugin',
    'of a plugin, after others',
    'of a plugin that comes when the application is ready',
  ])('%s', async (whose) => {
    const store = new SlowStore();
    const imports = [SessionModule.forRoot({ store })];
    @Module({ imports })
    class AppModule {}
    if (whose === 'of a plugin that comes when the application is ready') {
      const module = await Test.createTestingModule({ imports }).compile();
      app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), settings);
      await app.init();
    } else {
      app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), settings);
    }
    const answers = (_incoming: IncomingMessage, response: ServerResponse, next: Next): void => {
      const current = app.get(SessionService).current();
      current.then((session) => response.end(session.set('way', 'plugin').id)).catch(next);
    };
    if (whose === 'of the application') app.use(answers);
    if (whose === 'of a plugin, after others') app.use((_in: unknown, _out: unknown, next: Next) => next());
    await app.register((instance, _options, done) => {
      if (whose !== 'of the application')
        (instance as unknown as { use(run: typeof answers): void }).use(answers);
      instance.get('/plugin', () => 'never');
      done();
    });
    await app.listen(0, '127.0.0.1');
    const answer = await firstByte(`${await app.getUrl()}/plugin`, store);
    expect({ ...answer, cookies: ours(answer.cookies).length }).toEqual({
      status: 200,
      written: 1,
      cookies: 1,
    });
  });
});

describe('H1: on fastify without middleware (skipMiddie)', () => {
  const store = new SlowStore();
  let app: NestFastifyApplication;

  beforeAll(async () => {
    const module = await Test.createTestingModule({
      imports: [SessionModule.forRoot({ store })],
      controllers: [WaysController],
    }).compile();
    app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter({ skipMiddie: true }), {
      logger: false,
      forceCloseConnections: true,
    });
    await app.listen(0, '127.0.0.1');
  });
  afterAll(() => app.close());

  it.each([
    ['/returned', 200],
    ['/guarded/refused', 403],
    ['/res/raw', 200],
    ['/events', 200],
  ])('%s is answered after the commit', async (path, status) => {
    store.written = 0;
    const answer = await firstByte((await app.getUrl()) + path, store);
    expect({ ...answer, cookies: ours(answer.cookies).length }).toEqual({ status, written: 1, cookies: 1 });
  });

  it('H2: a writer who was told to wait goes on, even where nobody would have told him so', async () => {
    const { rawPayload } = await app.inject({ method: 'GET', url: '/res/loop' });
    expect(rawPayload).toHaveLength(200 * 1024);
  });

  it('a request that is injected is answered after the commit', async () => {
    const answer = await app.inject({ method: 'GET', url: '/res/raw' });
    expect(answer.body).toBe('in pieces');
    expect(answer.cookies.map(({ name }) => name)).toEqual(['other', '__Host-session']);
  });
});
