import { request, type IncomingMessage } from 'node:http';
import { Controller, Get, Inject, Logger, Post, Req, Res } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { Response } from 'express';
import type { FastifyReply } from 'fastify';
import {
  MemorySessionStore,
  Session,
  SessionEvents,
  SessionModule,
  SessionService,
  type SessionEvent,
} from 'nestjs-tessera';
import { closeApps, platforms, startApp, type App, type Platform } from '../support/app';
import { visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';

declare module 'nestjs-tessera' {
  interface SessionData {
    crumbs: number;
  }
}

type AnyResponse = Response & FastifyReply;

@Controller()
class CrumbsController {
  constructor(@Inject(SessionService) private readonly sessions: SessionService) {}

  @Get('untouched') untouched(): string {
    return 'untouched';
  }

  @Get('read') read(@Session('crumbs') crumbs?: number): number {
    return crumbs ?? 0;
  }

  @Post('write') write(@Session() session: Session): number {
    return session.update('crumbs', (n = 0) => n + 1);
  }

  @Post('login') login(@Session() session: Session): void {
    session.login({ id: 'ada' });
  }

  @Post('busy') async busy(@Session() session: Session): Promise<void> {
    session.set('crumbs', 1);
    await this.sessions.commit();
    session.login({ id: 'ada' });
    await this.sessions.commit();
    session.renewToken();
    await this.sessions.commit();
    session.rememberMe();
  }

  @Post('logout-and-write') logoutAndWrite(@Session() session: Session): void {
    session.logout();
    session.set('crumbs', 100);
  }

  @Post('destroy') destroy(@Session() session: Session): void {
    session.destroy();
  }

  @Post('others') others(
    @Session() session: Session,
    @Res({ passthrough: true }) response: AnyResponse,
  ): void {
    session.set('crumbs', 1);
    response.header('Set-Cookie', ['a=1', '__Host-session=planted; Path=/', 'b=2'] as never);
  }

  @Get('cached') cached(
    @Session() session: Session,
    @Res() response: AnyResponse,
    @Req() request: Crumbs,
  ): void {
    const { write, control, vary } = request.query;
    if (write !== undefined) session.update('crumbs', (n = 0) => n + 1);
    if (control !== undefined) response.header('Cache-Control', control);
    if (vary !== undefined) response.header('Vary', vary);
    response.send('cached');
  }
}

interface Crumbs {
  readonly query: Partial<Record<'write' | 'control' | 'vary', string>>;
}

afterEach(closeApps);

describe.each(platforms)('the session cookie on %s', (platform) => {
  const start = (store = new WatchedStore(new MemorySessionStore())): Promise<App> =>
    startApp({ platform, options: { store }, controllers: [CrumbsController] });

  it('C1: is safe by default', async () => {
    const { cookies } = await (await visitor(await start())).post('/write');
    expect(cookies).toEqual([
      expect.stringMatching(/^__Host-session=[\w-]{22}\.[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Lax$/),
    ]);
  });

  it('C3: comes once, whatever happened during the request', async () => {
    const ada = await visitor(await start());
    expect((await ada.post('/busy')).cookies).toEqual([expect.stringContaining('Max-Age=')]);
    expect((await ada.post('/logout-and-write')).cookies).toHaveLength(1);
    expect((await ada.get('/read')).text).toBe('100');
  });

  it('C3: leaves the cookies of others, and nothing of its name that is not its own', async () => {
    const { cookies } = await (await visitor(await start())).post('/others');
    expect(cookies).toEqual(['a=1', 'b=2', expect.stringMatching(/^__Host-session=[\w-]{22}\./)]);
  });

  it('C4: two of our name make the request anonymous, with an event and without a store call', async () => {
    const store = new WatchedStore(new MemorySessionStore());
    const app = await start(store);
    const ada = await visitor(app);
    await ada.post('/write');
    store.take();
    const events: SessionEvent[] = [];
    app.get(SessionEvents).subscribe((event) => void events.push(event));
    const cookie = `__Host-session=${await ada.token()}; a=1; __Host-session=${'i'.repeat(22)}.${'s'.repeat(43)}`;
    const answer = await (await visitor(app)).get('/read', { headers: { cookie } });
    expect({ text: answer.text, cookies: answer.cookies, calls: store.take() }).toEqual({
      text: '0',
      cookies: [],
      calls: [],
    });
    expect(events).toMatchObject([{ type: 'rejected', reason: 'ambiguous' }]);
  });

  it.each(['destroy', 'logout-and-write'])('C6: /%s makes a jar drop the old token', async (path) => {
    const ada = await visitor(await start());
    await ada.post('/write');
    const before = await ada.token();
    await ada.post(`/${path}`);
    const after = await ada.token();
    expect(after).not.toBe(before);
    expect(after === undefined).toBe(path === 'destroy');
  });

  describe('C11: shared caches', () => {
    const cacheHeaders = async (query: string, cookie = false) => {
      const ada = await visitor(await start());
      if (cookie) await ada.post('/write');
      const { headers } = await ada.get(`/cached?${query}`);
      return { control: headers.get('cache-control'), vary: headers.get('vary') };
    };

    it('do not store an answer that sets the cookie', async () => {
      expect(await cacheHeaders('write=1')).toEqual({ control: 'no-store', vary: 'Cookie' });
    });

    it.each([
      'public, max-age=60',
      's-maxage=60',
      'not-private',
      'x-no-store=1',
      'ext="private"',
      'private="x-a"',
      'ext="a, private, b"',
    ])('nor when the application said %s', async (control) => {
      expect(await cacheHeaders(`write=1&control=${encodeURIComponent(control)}`)).toEqual({
        control: 'no-store',
        vary: 'Cookie',
      });
    });

    it.each(['private', 'max-age=0, Private', 'no-store', 'NO-STORE,max-age=0'])(
      'are told %s when the application said so',
      async (control) => {
        expect(await cacheHeaders(`write=1&control=${encodeURIComponent(control)}`)).toEqual({
          control,
          vary: 'Cookie',
        });
      },
    );

    it('may store an answer that only read it, for this cookie', async () => {
      expect(await cacheHeaders('control=max-age%3D60', true)).toEqual({
        control: 'max-age=60',
        vary: 'Cookie',
      });
    });

    it.each([
      ['Accept', 'Accept, Cookie'],
      ['cookie', 'cookie'],
      ['Accept,Cookie', 'Accept,Cookie'],
      ['*', '*'],
      ['X-Cookie', 'X-Cookie, Cookie'],
    ])('are told to vary once: %s', async (vary, expected) => {
      expect((await cacheHeaders(`vary=${encodeURIComponent(vary)}`)).vary).toBe(expected);
    });

    it('do not store an answer that clears it', async () => {
      const ada = await visitor(await start());
      await ada.post('/write');
      const { headers, cookies } = await ada.post('/destroy');
      expect({ control: headers.get('cache-control'), cookies }).toEqual({
        control: 'no-store',
        cookies: [expect.stringMatching(/^__Host-session=; Max-Age=0;/)],
      });
    });

    it('hear nothing of it from a route that never touches it', async () => {
      const { headers } = await (await visitor(await start())).get('/untouched');
      expect({ control: headers.get('cache-control'), vary: headers.get('vary') }).toEqual({
        control: null,
        vary: null,
      });
    });
  });
});

/** An application whose framework trusts the proxy before it, or does not. */
async function startBehindProxy(
  platform: Platform,
  trusting: boolean,
  store: WatchedStore,
): Promise<NestExpressApplication | NestFastifyApplication> {
  const module = await Test.createTestingModule({
    imports: [SessionModule.forRoot({ store })],
    controllers: [CrumbsController],
  }).compile();
  const settings = { logger: false, forceCloseConnections: true } as const;
  let app: NestExpressApplication | NestFastifyApplication;
  if (platform === 'express') {
    app = module.createNestApplication<NestExpressApplication>(settings);
    app.set('trust proxy', trusting);
  } else {
    app = module.createNestApplication<NestFastifyApplication>(
      new FastifyAdapter({ trustProxy: trusting }),
      settings,
    );
  }
  await app.listen(0, '127.0.0.1');
  return app;
}

describe.each(platforms)('behind a proxy on %s', (platform) => {
  const store = new WatchedStore(new MemorySessionStore());
  let app: NestExpressApplication | NestFastifyApplication;
  let warn: jest.SpyInstance;

  beforeEach(() => {
    store.take();
    warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  });
  afterEach(async () => {
    warn.mockRestore();
    await app.close();
  });

  /** A request as a proxy passes it on: `fetch` does not let a Host header through. */
  const post = async (path: string, headers: Record<string, string>): Promise<string[]> =>
    (await answerTo(path, headers)).headers['set-cookie'] ?? [];

  const answerTo = async (path: string, headers: Record<string, string>): Promise<IncomingMessage> => {
    const { port } = app.getHttpServer().address() as { port: number };
    return new Promise((resolve, reject) => {
      request({ port, host: '127.0.0.1', method: 'POST', path, headers, agent: false }, (response) => {
        response.resume().on('close', () => resolve(response));
      })
        .on('error', reject)
        .end();
    });
  };

  const https = { host: 'example.com', 'x-forwarded-proto': 'https' };

  it('C9: X-Forwarded-Proto counts when the framework trusts the proxy', async () => {
    app = await startBehindProxy(platform, true, store);
    expect(await post('/write', https)).toHaveLength(1);
    expect(store.take()).toEqual(['insert']);
  });

  it('C9: it counts for nothing when the framework does not', async () => {
    app = await startBehindProxy(platform, false, store);
    expect(await post('/write', https)).toEqual([]);
    expect(store.take()).toEqual([]);
  });

  it('C8: over plain HTTP no session begins, and the log says why, once', async () => {
    app = await startBehindProxy(platform, true, store);
    for (let i = 0; i < 3; i++)
      expect(await post('/write', { host: 'example.com', 'x-forwarded-proto': 'http' })).toEqual([]);
    expect(store.take()).toEqual([]);
    expect(warn.mock.calls.flat().filter((line) => /plain HTTP/.test(String(line)))).toHaveLength(1);
  });

  it('C8: over plain HTTP a login fails, and nothing is stored', async () => {
    app = await startBehindProxy(platform, true, store);
    const { statusCode, headers } = await answerTo('/login', {
      host: 'example.com',
      'x-forwarded-proto': 'http',
    });
    expect({ statusCode, cookie: headers['set-cookie'], calls: store.take() }).toEqual({
      statusCode: 500,
      cookie: undefined,
      calls: [],
    });
  });

  it('C8: a client that has shown its token keeps its session', async () => {
    app = await startBehindProxy(platform, true, store);
    const [line] = await post('/write', https);
    store.take();
    const cookie = line!.split(';')[0]!;
    await post('/write', { host: 'example.com', 'x-forwarded-proto': 'http', cookie });
    expect(store.take()).toEqual(['find', 'update']);
  });
});
