import type { IncomingMessage, ServerResponse } from 'node:http';
import { Signer } from '@fastify/cookie';
import { Controller, Get, Injectable, Post, Req, UseGuards, type Type } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import expressSession, { MemoryStore } from 'express-session';
import { AuthGuard, Principal, SessionService } from 'nestjs-tessera';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { visitor } from '../support/visitor';
import { exportsOf } from './guide-code';
import { Markdown } from './markdown';

// iron-session is no dependency of ours. This has its shape: a cookie whose value is the user's id, and the end of it.
jest.mock(
  'iron-session',
  () => ({
    getIronSession: async (request: IncomingMessage, response: ServerResponse) => {
      const [, userId] = /shop=(\w+)/.exec(request.headers.cookie ?? '') ?? [];
      return { userId, destroy: () => response.appendHeader('set-cookie', 'shop=; Path=/; Max-Age=0') };
    },
  }),
  { virtual: true },
);

const SECRET = 'the secret of before, which is long enough';

@Injectable()
class Users {
  async find(id: string) {
    return { id, roles: ['member'] };
  }
}

@UseGuards(AuthGuard)
@Controller()
class AccountController {
  constructor(private readonly sessions: SessionService) {}

  @Get('me')
  me(@Principal() principal: Principal) {
    return principal;
  }

  @Post('logout')
  async logout() {
    await this.sessions.logout();
  }
}

const codeOf = <T>(page: string, text: string) =>
  exportsOf<T>(new Markdown(`docs/${page}.md`), text, { Users });

/** Opens a page with a cookie of before, in two tabs one after the other, and logs out. */
async function move(after: App, cookie: string) {
  const ada = await visitor(after);
  await ada.jar.setCookie(cookie, (await after.getUrl()).replace('http:', 'https:'));
  const thief = await ada.twin();
  const me = (await ada.get('/me')).json();
  const names = (await ada.jar.getCookies((await after.getUrl()).replace('http:', 'https:'))).map(
    ({ key }) => key,
  );
  const again = (await ada.get('/me')).status;
  const copy = (await thief.get('/me')).status;
  await ada.post('/logout');
  return { me, names, again, copy, loggedOut: (await ada.get('/me')).status };
}

const moved = {
  me: { id: '7', realm: 'default', roles: ['member'] },
  names: ['__Host-session'],
  again: 200,
  copy: 401,
  loggedOut: 401,
};

afterEach(closeApps);

describe('the takeover of docs/from-express-session.md', () => {
  @Controller()
  class FormerLogin {
    @Post('login')
    login(@Req() { session }: { session: Record<string, unknown> }) {
      session['passport'] = { user: '7' };
    }
  }

  /** Does what cookie-parser does with a signed cookie. */
  function signedCookies(
    request: { headers: { cookie?: string }; signedCookies?: object },
    _: unknown,
    next: () => void,
  ) {
    const { unsign } = jest.requireActual<{ unsign(value: string, secret: string): string | false }>(
      'cookie-signature',
    );
    const [, value] = /connect\.sid=s%3A([^;]*)/.exec(request.headers.cookie ?? '') ?? [];
    request.signedCookies =
      value === undefined ? {} : { 'connect.sid': unsign(decodeURIComponent(value), SECRET) };
    next();
  }

  const { takeOver } = codeOf<{ takeOver: (app: App, store: MemoryStore) => never }>(
    'from-express-session',
    'function takeOver',
  );

  async function logInBefore(store: MemoryStore): Promise<string> {
    const options = { secret: SECRET, store, resave: false, saveUninitialized: false };
    const before = await startApp({
      platform: 'express',
      options: false,
      controllers: [FormerLogin],
      configure: (app) => void app.use(expressSession(options)),
    });
    const { cookies } = await (await visitor(before)).post('/login');
    return cookies[0]!;
  }

  const start = (store: MemoryStore) =>
    startApp({
      platform: 'express',
      controllers: [AccountController],
      providers: [Users],
      configure: (app) => void app.use(signedCookies, takeOver(app, store)),
    });

  it('logs a user in once, and ends the former session', async () => {
    const store = new MemoryStore();
    const cookie = await logInBefore(store);
    expect(await move(await start(store), cookie)).toEqual(moved);
  });

  it('takes no login from a cookie that was signed with another secret', async () => {
    const store = new MemoryStore();
    const cookie = (await logInBefore(store)).replace(/\.[^;]*/, '.forged');
    const after = await start(store);
    const thief = await visitor(after);
    expect((await thief.get('/me', { headers: { cookie: cookie.split(';')[0]! } })).status).toBe(401);
  });
});

describe('the takeover of docs/from-fastify-session.md', () => {
  /** Tell what @fastify/cookie does, whose plugin Jest cannot load. */
  function withCookies(app: NestFastifyApplication): void {
    const signer = new Signer(SECRET);
    const instance = app.getHttpAdapter().getInstance();
    instance.addHook('onRequest', async (request, reply) => {
      const [, value] = /sessionId=([^;]*)/.exec(request.headers.cookie ?? '') ?? [];
      Object.assign(request, {
        cookies: value === undefined ? {} : { sessionId: decodeURIComponent(value) },
        unsignCookie: (text: string) => signer.unsign(text),
      });
      Object.assign(reply, {
        clearCookie: (name: string) => reply.header('set-cookie', `${name}=; Path=/; Max-Age=0`),
      });
    });
  }

  const { takeOver } = codeOf<{ takeOver: (app: App, store: MemoryStore) => never }>(
    'from-fastify-session',
    'function takeOver',
  );

  const start = (store: MemoryStore) =>
    startApp({
      platform: 'fastify',
      controllers: [AccountController],
      providers: [Users],
      configure: (app) => {
        withCookies(app as NestFastifyApplication);
        (app as NestFastifyApplication)
          .getHttpAdapter()
          .getInstance()
          .addHook('onRequest', takeOver(app, store));
      },
    });

  async function formerSession(expires: Date | null): Promise<{ store: MemoryStore; cookie: string }> {
    const store = new MemoryStore();
    // As @fastify/session keeps it. The store must not be the one that looks at the time.
    const data = { cookie: { expires }, userId: '7' };
    store.get = (sid, done) => done(null, sid === 'former' && !ended ? (data as never) : null);
    let ended = false;
    store.destroy = (_sid, done) => ((ended = true), done?.());
    return { store, cookie: `sessionId=${encodeURIComponent(new Signer(SECRET).sign('former'))}; Path=/` };
  }

  it.each([
    ['without an end', null],
    ['that has not ended', new Date(Date.now() + 60_000)],
  ])('logs a user in once, and ends the former session %s', async (_, expires) => {
    const { store, cookie } = await formerSession(expires);
    expect(await move(await start(store), cookie)).toEqual(moved);
  });

  it('takes no login from a session that has ended', async () => {
    const { store, cookie } = await formerSession(new Date(Date.now() - 1));
    const late = await visitor(await start(store));
    expect((await late.get('/me', { headers: { cookie: cookie.split(';')[0]! } })).status).toBe(401);
  });

  it('takes no login from a cookie that was signed with another secret', async () => {
    const { store } = await formerSession(null);
    const thief = await visitor(await start(store));
    const headers = {
      cookie: `sessionId=${encodeURIComponent(new Signer('another secret').sign('former'))}`,
    };
    expect((await thief.get('/me', { headers })).status).toBe(401);
  });
});

describe.each(platforms)('the takeover of docs/from-iron-session.md on %s', (platform) => {
  it('logs a user in once, and clears the former cookie', async () => {
    const { TakeOver } = codeOf<{ TakeOver: Type }>('from-iron-session', 'class TakeOver');
    const after = await startApp({
      platform,
      controllers: [AccountController],
      providers: [Users, { provide: APP_GUARD, useClass: TakeOver }],
    });
    // Nothing ends a cookie of iron-session, so a copy of it is taken over too. The guide says so.
    expect(await move(after, 'shop=7; Path=/')).toEqual({ ...moved, copy: 200 });
  });
});
