import { Controller, Get, Post, UseGuards } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import request from 'supertest';
import {
  AuthGuard,
  CsrfGuard,
  MemorySessionStore,
  Principal,
  Session,
  SessionManager,
  SessionModule,
  SessionRegistry,
  bearer,
  composite,
  cookie,
  header,
  type LoggedInPrincipal,
  type SessionModuleOptions,
} from 'nestjs-tessera';
import { SealedSessions } from 'nestjs-tessera/sealed';
import { actingAs, browserAgent, manualClock } from 'nestjs-tessera/testing';
import { KEY } from '../sealed/sealed';
import { closeApps, platforms, startApp, type App } from '../support/app';
import '../support/session-data';

const ADA = { id: 7, roles: ['admin'] };

@Controller()
class AccountController {
  @UseGuards(AuthGuard)
  @Get('me')
  me(@Principal() who: LoggedInPrincipal, @Session('cart') cart?: string[]): object {
    return { id: who.id, roles: who.roles, cart };
  }

  @UseGuards(CsrfGuard)
  @Post('cart')
  add(@Session() session: Session): void {
    session.update('cart', (cart = []) => [...cart, 'fig']);
  }

  @Post('elevate')
  elevate(@Session() session: Session): void {
    session.elevate({ roles: ['root'] });
  }

  @Post('logout')
  logout(@Session() session: Session): void {
    session.logout();
  }
}

@UseGuards(AuthGuard.for('staff'))
@Controller('staff')
class StaffController {
  @Get() who(@Principal({ name: 'staff' }) who: LoggedInPrincipal): object {
    return { id: who.id, realm: who.realm };
  }
}

const ways: readonly [name: string, options: SessionModuleOptions][] = [
  ['the cookie', {}],
  ['a cookie that replaces another', { cookie: { name: 'session', replaces: [{ path: '/old' }] } }],
  ['a bearer token', { transport: bearer() }],
  ['a header', { transport: header({ name: 'X-Token' }) }],
  ['a cookie or a bearer token', { transport: composite(cookie(), bearer()) }],
  ['a bearer token or a cookie', { transport: composite(bearer(), cookie()) }],
  ['a sealed session', { store: new SealedSessions({ keys: [KEY], revocations: new MemorySessionStore() }) }],
];

afterEach(closeApps);

describe.each(platforms)('actingAs on %s', (platform) => {
  const start = (options: SessionModuleOptions = {}): Promise<App> =>
    startApp({ platform, options, controllers: [AccountController] });

  it.each(ways)('gives the headers of a client that is logged in, with %s', async (_, options) => {
    const app = await start(options);
    const ada = await actingAs(app, ADA, { data: { cart: ['pear'] } });
    const response = await fetch(`${await app.getUrl()}/me`, { headers: ada.headers });
    expect({ status: response.status, body: await response.json() }).toEqual({
      status: 200,
      body: { id: '7', roles: ['admin'], cart: ['pear'] },
    });
  });

  if (platform === 'fastify')
    it('gives the headers of inject()', async () => {
      const app = (await start()) as NestFastifyApplication;
      const { headers } = await actingAs(app, ADA);
      expect((await app.inject({ url: '/me', headers })).statusCode).toBe(200);
    });

  it('gives the token, which the other part of a composite transport takes too', async () => {
    const app = await start({ transport: composite(cookie(), bearer()) });
    const ada = await actingAs(app, ADA);
    const headers = { authorization: `Bearer ${ada.token}` };
    const { status } = await fetch(`${await app.getUrl()}/me`, { headers });
    expect({ status, headers: Object.keys(ada.headers) }).toEqual({ status: 200, headers: ['cookie'] });
  });

  it('gives a visitor with data', async () => {
    const app = await start();
    const { token } = await actingAs(app, null, { data: { cart: ['pear'] } });
    const session = await app.get(SessionManager).open(token);
    expect({ principal: session.principal, cart: session.get('cart') }).toEqual({
      principal: null,
      cart: ['pear'],
    });
  });

  it('refuses a visitor without data, who has no session', async () => {
    const app = await start();
    await expect(actingAs(app, null)).rejects.toThrow(
      'actingAs() needs a principal or data: a visitor without data has no session.',
    );
  });

  it('gives the session of a named instance', async () => {
    const app = await startApp({
      platform,
      options: {},
      imports: [SessionModule.forRoot({ name: 'staff' })],
      controllers: [StaffController],
    });
    const ada = await actingAs(app, { id: 7, realm: 'staff' }, { name: 'staff' });
    const response = await fetch(`${await app.getUrl()}/staff`, { headers: ada.headers });
    expect(await response.json()).toEqual({ id: '7', realm: 'staff' });
  });

  it('takes the options of login', async () => {
    const app = await start();
    const { token } = await actingAs(app, ADA, {
      ...{ pending: true, amr: ['pwd'], constants: { tenant: 'acme' } },
    });
    const { principal, pending, amr, ...session } = await opened(app, token);
    expect({ principal, pending: pending?.id, amr, tenant: session.tenant }).toEqual({
      ...{ principal: null, pending: '7', amr: ['pwd'], tenant: 'acme' },
    });
  });

  it('notes a device, for a list of sessions', async () => {
    const app = await start();
    const phone = await actingAs(app, ADA, { device: 'Safari on iOS' });
    const desk = await actingAs(app, ADA, { device: { label: 'Firefox on Linux', address: '192.0.2.1' } });
    const registry = app.get(SessionRegistry);
    const devices = {
      [phone.id]: (await registry.get(phone.id))?.device,
      [desk.id]: (await registry.get(desk.id))?.device,
    };
    expect(devices).toEqual({
      [phone.id]: { label: 'Safari on iOS', address: null },
      [desk.id]: { label: 'Firefox on Linux', address: '192.0.2.1' },
    });
  });

  it('C16: passes CsrfGuard, with a token of the session and what tells the origin', async () => {
    const app = await start({ csrf: { strict: true, token: true } });
    const ada = await actingAs(app, ADA);
    const post = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(`${await app.getUrl()}/cart`, { method: 'POST', headers })).status;
    const { 'x-csrf-token': token, 'sec-fetch-site': site, ...others } = { ...ada.headers };
    expect({
      ours: await post(ada.headers),
      withoutToken: await post({ ...others, 'sec-fetch-site': site! }),
      withoutOrigin: await post({ ...others, 'x-csrf-token': token! }),
    }).toEqual({ ours: 201, withoutToken: 403, withoutOrigin: 403 });
  });

  it('starts an agent of supertest, which follows the token from there', async () => {
    const app = await start();
    const ada = await actingAs(app, ADA);
    const agent = browserAgent(request.agent(app.getHttpServer())).set(ada.headers);
    const before = await agent.get('/me').expect(200);
    await agent.post('/elevate').expect(201);
    const after = await agent.get('/me').expect(200);
    await agent.post('/logout').expect(201);
    await agent.get('/me').expect(401);
    expect({ before: before.body.roles, after: after.body.roles }).toEqual({
      before: ['admin'],
      after: ['root'],
    });
  });

  it('refuses a session that does not fit into its cookie, as a request does', async () => {
    const app = await start({
      store: new SealedSessions({ keys: [KEY], revocations: new MemorySessionStore() }),
    });
    const data = {
      cart: [Array.from({ length: 4000 }, (_, n) => String.fromCharCode(33 + (n % 90))).join('')],
    };
    await expect(actingAs(app, ADA, { data })).rejects.toMatchObject({ code: 'SESSION_TOO_LARGE' });
  });

  it('gives cookies as Playwright and Puppeteer take them', async () => {
    const clock = manualClock(Date.UTC(2020, 0, 1));
    const cookies = async (options: SessionModuleOptions, rememberMe = false) => {
      const app = await start({ clock, ...options });
      const ada = await actingAs(app, ADA, { rememberMe });
      return ada.cookies('http://localhost:3000/').map(({ value, ...rest }) => ({
        ...rest,
        isToken: value === ada.token,
      }));
    };
    const host = { isToken: true, path: '/', httpOnly: true, secure: true };
    const inADay = Math.floor(Date.now() / 1000) + 24 * 60 * 60;
    const all = {
      ours: await cookies({}),
      remembered: await cookies({ rememberMe: { lifetime: '1d' } }, true),
      shared: await cookies({
        cookie: { name: 's', domain: 'example.com', path: '/app', sameSite: 'strict' },
      }),
      bearer: await cookies({ transport: bearer() }),
    };
    const expires = all.remembered[0]!.expires;
    expect({ ...all, isInADay: Math.abs(expires - inADay) < 60 }).toEqual({
      ours: [{ ...host, name: '__Host-session', domain: 'localhost', sameSite: 'Lax', expires: -1 }],
      remembered: [{ ...host, name: '__Host-session', domain: 'localhost', sameSite: 'Lax', expires }],
      shared: [{ ...host, name: 's', domain: '.example.com', path: '/app', sameSite: 'Strict', expires: -1 }],
      bearer: [],
      isInADay: true,
    });
  });
});

async function opened(app: App, token: string) {
  const session = await app.get(SessionManager).open(token);
  const { principal, pending, amr } = session;
  return { principal, pending, amr, tenant: session.constant('tenant') };
}
