import { Controller, Get, HttpStatus, Post, Redirect } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import request from 'supertest';
import {
  MemorySessionStore,
  Session,
  SessionModule,
  SessionRegistry,
  bearer,
  composite,
  cookie,
  header,
  type SessionModuleOptions,
  type SessionTransport,
} from 'nestjs-tessera';
import { SealedSessions } from 'nestjs-tessera/sealed';
import { actingAs, expectSession } from 'nestjs-tessera/testing';
import { KEY } from '../sealed/sealed';
import { closeApps, platforms, startApp, type App } from '../support/app';
import '../support/session-data';

const ADA = { id: 7, roles: ['admin'] };

@Controller()
class AccountController {
  @Post('login')
  login(@Session() session: Session): void {
    session.login(ADA);
  }

  @Post('logout')
  logout(@Session() session: Session): void {
    session.logout();
  }

  @Redirect('/read', HttpStatus.SEE_OTHER)
  @Post('login-page')
  loginPage(@Session() session: Session): void {
    session.login(ADA);
  }

  @Get('read')
  read(@Session('cart') cart: string[] = []): string[] {
    return cart;
  }
}

@Controller('staff')
class StaffController {
  @Post('login')
  login(@Session({ name: 'staff' }) session: Session): void {
    session.login({ id: 8, realm: 'staff' });
  }
}

const ways: readonly [name: string, options: SessionModuleOptions][] = [
  ['the cookie', {}],
  ['a cookie that replaces another', { cookie: { name: 'session', replaces: [{ path: '/old' }] } }],
  ['a remembered cookie', { cookie: { persistent: true } }],
  ['a bearer token', { transport: bearer() }],
  ['a header', { transport: header({ name: 'X-Token' }) }],
  ['a cookie or a bearer token', { transport: composite(cookie(), bearer()) }],
  ['a bearer token or a cookie', { transport: composite(bearer(), cookie()) }],
  ['a sealed session', { store: new SealedSessions({ keys: [KEY], revocations: new MemorySessionStore() }) }],
];

const OTHER_COOKIE = 'locale=de; Path=/; Expires=Thu, 01 Jan 2070 00:00:00 GMT';

/** How clients other than `fetch` and supertest have the lines of `Set-Cookie`. */
const forms: readonly [name: string, form: (lines: string[]) => object][] = [
  ['names as the server wrote them', (lines) => ({ 'Set-Cookie': lines })],
  ['lines that are joined by line breaks, as in Playwright', (lines) => ({ 'set-cookie': lines.join('\n') })],
  ['lines that are joined by commas', (lines) => ({ 'set-cookie': lines.join(', ') })],
  ['a Map', (lines) => new Map([['set-cookie', lines]])],
  // As in node-fetch 2.
  ['a Headers without getSetCookie', (lines) => new Map([['Set-Cookie', lines.join(', ')]]).entries()],
];

/** Carries the token in a header, as `encode` writes it. */
function inHeader(encode: (token: string) => string): SessionTransport {
  return {
    ...{ channel: 'header X-Box', sealedFor: 'box', vary: ['X-Box'] },
    ...{ read: () => ({ kind: 'none' }), capacity: () => 4000, obstacle: () => null },
    write: (headers, answer) => headers.set('X-Box', answer.kind === 'issue' ? [encode(answer.token)] : ['']),
  };
}

/** What a response says of a session, by the one assertion that holds. */
async function verdict(response: { headers: object }, app: App): Promise<unknown> {
  const expected = expectSession(response, app);
  const holds = async (assertion: () => unknown): Promise<unknown> => {
    try {
      return (await assertion()) ?? true;
    } catch {
      return false;
    }
  };
  const session = (await holds(() => expected.issued())) as Session | false;
  return {
    issued: session && { id: session.principal?.id, cart: session.get('cart') },
    cleared: await holds(() => expected.cleared()),
    kept: await holds(() => expected.kept()),
  };
}

afterEach(closeApps);

describe.each(platforms)('expectSession on %s', (platform) => {
  const start = (options: SessionModuleOptions = {}): Promise<App> =>
    startApp({ platform, options, controllers: [AccountController] });

  it.each(ways)('tells a new token, a cleared one and none, with %s', async (_, options) => {
    const app = await start(options);
    const url = await app.getUrl();
    const { headers } = await actingAs(app, null, { data: { cart: ['pear'] } });
    const post = (path: string) => fetch(url + path, { method: 'POST', headers });
    const ada = await actingAs(app, ADA);
    expect({
      read: await verdict(await fetch(`${url}/read`, { headers }), app),
      login: await verdict(await post('/login'), app),
      logout: await verdict(await fetch(`${url}/logout`, { method: 'POST', headers: ada.headers }), app),
    }).toEqual({
      read: { issued: false, cleared: false, kept: true },
      login: { issued: { id: '7', cart: ['pear'] }, cleared: false, kept: false },
      logout: { issued: false, cleared: true, kept: false },
    });
  });

  it('reads responses of supertest', async () => {
    const app = await start();
    const response = await request(app.getHttpServer()).post('/login');
    expect((await expectSession(response, app).issued()).principal?.id).toBe('7');
  });

  if (platform === 'fastify')
    it('reads responses of inject()', async () => {
      const app = (await start()) as NestFastifyApplication;
      const response = await app.inject({ method: 'POST', url: '/login' });
      expect((await expectSession(response, app).issued()).principal?.id).toBe('7');
    });

  it('tells the sessions of several instances apart', async () => {
    const app = await startApp({
      platform,
      options: {},
      imports: [SessionModule.forRoot({ name: 'staff' })],
      controllers: [StaffController],
    });
    const response = await request(app.getHttpServer()).post('/staff/login');
    expectSession(response, app).kept();
    const session = await expectSession(response, app, { name: 'staff' }).issued();
    expect(session.principal).toMatchObject({ id: '8', realm: 'staff' });
  });

  it('says what it found instead', async () => {
    const app = await start();
    const [login, read] = [
      await request(app.getHttpServer()).post('/login'),
      await request(app.getHttpServer()).get('/read'),
    ];
    const message =
      'Expected the response (201) to leave the client its session token, but it issues a new one';
    expect(() => expectSession(login, app).kept()).toThrow(
      expect.objectContaining({ name: 'AssertionError', message, actual: 'issued', expected: 'kept' }),
    );
    await expect(expectSession(read, app).issued()).rejects.toThrow(
      'Expected the response (200) to issue a session token, but it says nothing of one',
    );
    expect(() => expectSession(read, app).cleared()).toThrow(
      'Expected the response (200) to clear the session token, but it says nothing of one',
    );
  });

  it('does not take the token of a session that has ended for a session', async () => {
    const app = await start();
    const response = await request(app.getHttpServer()).post('/login');
    await app.get(SessionRegistry).endAll(ADA);
    await expect(expectSession(response, app).issued()).rejects.toThrow(
      'Expected the response (201) to issue a session token, but the one it issues opens no session any more',
    );
  });

  it.each(forms)('reads %s', async (_, form) => {
    const app = await start();
    const login = await fetch(`${await app.getUrl()}/login`, { method: 'POST' });
    const headers = form([OTHER_COOKIE, ...login.headers.getSetCookie(), OTHER_COOKIE]);
    expect(await verdict({ headers }, app)).toMatchObject({
      issued: { id: '7' },
      cleared: false,
      kept: false,
    });
  });

  it.each([
    ['nothing', undefined],
    ['an object without headers', {}],
    ['headers that are null', { headers: null }],
    ['a method, as in Playwright', { headers: () => ({}), status: () => 200 }],
    ['a list', { headers: [{ name: 'set-cookie', value: 'a=b' }] }],
    ['a class that cannot be iterated', { headers: { get: () => null } }],
  ])('refuses %s, of which nothing could be told', async (_, response) => {
    const app = await start();
    expect(() => expectSession(response as never, app)).toThrow(
      /^expectSession\(\) needs a response of fetch, supertest or inject\(\), got /,
    );
  });

  it('refuses a response after redirects, which has lost what the first one told', async () => {
    const app = await start();
    const url = `${await app.getUrl()}/login-page`;
    const followed = {
      fetch: await fetch(url, { method: 'POST' }),
      supertest: await request(app.getHttpServer()).post('/login-page').redirects(1),
    };
    for (const response of Object.values(followed))
      expect(() => expectSession(response, app).kept()).toThrow(/got a response after redirects/);
    const first = await fetch(url, { method: 'POST', redirect: 'manual' });
    expect((await expectSession(first, app).issued()).principal?.id).toBe('7');
  });

  it('takes the last of several lines about the token, as a browser does', async () => {
    const app = await start();
    const url = await app.getUrl();
    const { headers } = await actingAs(app, ADA);
    const post = async (path: string) =>
      (await fetch(url + path, { method: 'POST', headers })).headers.getSetCookie();
    const [login, logout] = [await post('/login'), await post('/logout')];
    expect({
      issuedThenCleared: await verdict({ headers: { 'set-cookie': [...login, ...logout] } }, app),
      emptied: await verdict({ headers: { 'set-cookie': '__Host-session=; Path=/other; Max-Age=0' } }, app),
    }).toEqual({
      issuedThenCleared: { issued: false, cleared: true, kept: false },
      emptied: { issued: false, cleared: false, kept: false },
    });
  });

  it('reads a transport of your own, and refuses one that it cannot read', async () => {
    const quoted = await start({ transport: inHeader((token) => JSON.stringify({ token })) });
    const login = await request(quoted.getHttpServer()).post('/login');
    expect((await expectSession(login, quoted).issued()).principal?.id).toBe('7');
    const hex = await start({ transport: inHeader((token) => Buffer.from(token).toString('hex')) });
    const other = await request(hex.getHttpServer()).post('/login');
    expect(() => expectSession(other, hex).kept()).toThrow(
      /^expectSession\(\) cannot read what this transport/,
    );
  });
});
