import { Logger } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import bowser from 'bowser';
import {
  MemorySessionStore,
  SessionModule,
  SessionRegistry,
  SessionService,
  type DeviceRequest,
  type SessionModuleOptions,
} from 'nestjs-tessera';
import { SealedSessions } from 'nestjs-tessera/sealed';
import { KEY } from '../sealed/sealed';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { nestMajor } from '../support/nest';
import { scripted, type Scripted } from '../support/scripted';
import '../support/session-data';
import { visitor, type Visitor } from '../support/visitor';

const ADA = { id: 7 };

const AGENTS = {
  firefox: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0',
  chrome:
    'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36',
  safari:
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
  mac: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15',
  curl: 'curl/8.14.1',
};

describe.each(platforms)('the label of a device on %s', (platform) => {
  let session: Scripted;
  let app: App;
  let ada: Visitor;
  let store: MemorySessionStore;

  const start = async (
    options: SessionModuleOptions = { devices: true },
    configure?: (app: App) => void | Promise<void>,
  ): Promise<void> => {
    session = scripted();
    store = new MemorySessionStore();
    app = await startApp({
      platform,
      options: { store, ...options },
      controllers: [session.controller],
      ...(configure && { configure }),
    });
    ada = await visitor(app);
  };
  afterEach(async () => {
    jest.restoreAllMocks();
    await closeApps();
  });

  const logIn = (agent: string, headers: Record<string, string> = {}) =>
    session.run(ada, (s) => s.login(ADA), { headers: { 'user-agent': agent, ...headers } });
  const device = () => session.ask(ada, (s) => s.device);
  const label = async () => (await device())?.label;

  it.each([
    { agent: AGENTS.firefox, expected: 'Firefox on Windows' },
    { agent: AGENTS.chrome, expected: 'Chrome on Android' },
    { agent: AGENTS.safari, expected: 'Safari on iOS' },
    { agent: AGENTS.mac, expected: 'Safari on macOS' },
    { agent: AGENTS.curl, expected: 'curl' },
    { agent: '', expected: 'Unknown device' },
    { agent: 'x', expected: 'Unknown device' },
  ])('is $expected', async ({ agent, expected }) => {
    await start();
    await logIn(agent);
    const [info] = await app.get(SessionRegistry).list(ADA);
    expect({ own: await label(), listed: info?.device?.label }).toEqual({ own: expected, listed: expected });
  });

  it.each([
    { what: '10 KB', agent: `Mozilla/5.0 ${'('.repeat(10_000)} Firefox/140.0` },
    { what: '10 KB of one word', agent: 'Chrome/'.repeat(1500) },
    { what: 'tabs and Latin-1', agent: 'Mozi\tlla \xAD\x85\xFF Firefox/1' },
    { what: 'markup', agent: '<script>alert(1)</script>/1.0' },
    { what: 'what bowser may trip over', agent: 'constructor/1 __proto__/2 (toString; [[(*+?)]])' },
  ])('survives a User-Agent of $what', async ({ agent }) => {
    const parse = jest.spyOn(bowser, 'parse');
    await start();
    const { status } = await logIn(agent);
    const shown = (await label())!;
    expect({
      status,
      isShort: shown.length <= 512,
      isClean: !/[\p{Cc}\p{Cf}]/u.test(shown),
      isParsedInPart: parse.mock.calls[0]![0].length <= 512,
    }).toEqual({ status: 201, isShort: true, isClean: true, isParsedInPart: true });
  });

  it('is parsed at a login, and at no other request', async () => {
    const parse = jest.spyOn(bowser, 'parse');
    await start();
    await session.run(ada, (s) => s.set('visits', 1), { headers: { 'user-agent': AGENTS.chrome } });
    const before = parse.mock.calls.length;
    await logIn(AGENTS.firefox);
    const atLogin = parse.mock.calls.length - before;
    const other = { headers: { 'user-agent': AGENTS.safari } };
    await session.run(ada, (s) => s.set('visits', 2), other);
    await session.run(ada, (s) => s.elevate(), other);
    await session.run(ada, (s) => s.renewToken(), other);
    await app.get(SessionRegistry).list(ADA);
    expect({ before, atLogin, all: parse.mock.calls.length, label: await label() }).toEqual({
      ...{ before: 0, atLogin: 1, all: 1, label: 'Firefox on Windows' },
    });
  });

  it('stays until the next login, and goes with a logout that keeps the data', async () => {
    await start();
    await logIn(AGENTS.firefox);
    await session.run(ada, (s) => s.actAs({ id: 8 }));
    const acting = await label();
    await session.run(ada, (s) => s.stopActing());
    await logIn(AGENTS.safari);
    const again = await label();
    await session.run(ada, (s) => s.logout({ keepData: true }));
    expect({ acting, again, after: await device() }).toEqual({
      acting: 'Firefox on Windows',
      again: 'Safari on iOS',
      after: null,
    });
  });

  it('is that of the password, when a second factor completes the login elsewhere', async () => {
    await start();
    await session.run(ada, (s) => s.login(ADA, { pending: true }), {
      headers: { 'user-agent': AGENTS.firefox },
    });
    await session.run(ada, (s) => s.elevate(), { headers: { 'user-agent': AGENTS.safari } });
    expect(await label()).toBe('Firefox on Windows');
  });

  const FORWARDED = { 'x-forwarded-for': '203.0.113.9, 198.51.100.4' };

  it('has the address of the socket, whatever the client claims', async () => {
    await start();
    await logIn(AGENTS.firefox, FORWARDED);
    expect((await device())?.address).toMatch(/^(::ffff:)?127\.0\.0\.1$/);
  });

  it('has the address that a trusted proxy names', async () => {
    if (platform === 'express')
      await start(
        { devices: true },
        (it) => void (it as NestExpressApplication).set('trust proxy', 'loopback'),
      );
    else await startBehindProxy();
    await logIn(AGENTS.firefox, FORWARDED);
    // The nearest one that is not trusted itself.
    expect((await device())?.address).toBe('198.51.100.4');
  });

  it('has that address also when middleware was the first to ask for the session', async () => {
    const early = async (it: App): Promise<void> => {
      if (platform === 'express') (it as NestExpressApplication).set('trust proxy', 'loopback');
      it.use(async (request: object, _response: object, next: () => void) => {
        await it.get(SessionService).of(request);
        next();
      });
    };
    if (platform === 'express') await start({ devices: true }, early);
    else await startBehindProxy(early);
    await logIn(AGENTS.firefox, FORWARDED);
    expect((await device())?.address).toBe('198.51.100.4');
  });

  /** As main.ts does with Fastify, whose adapter is told whom to trust. */
  async function startBehindProxy(configure?: (app: App) => Promise<void>): Promise<void> {
    session = scripted();
    const module = await Test.createTestingModule({
      imports: [SessionModule.forRoot({ devices: true })],
      controllers: [session.controller],
    }).compile();
    const adapter = new FastifyAdapter({ trustProxy: 'loopback' });
    app = module.createNestApplication(adapter, { logger: false });
    // There, `app.use` needs this.
    if (nestMajor === 10) await adapter.init();
    await configure?.(app);
    await app.listen(0, '127.0.0.1');
    ada = await visitor(app);
    proxied = app;
  }
  let proxied: App | undefined;
  afterEach(async () => {
    await proxied?.close();
    proxied = undefined;
  });

  it("is one's own function's", async () => {
    const asked: DeviceRequest[] = [];
    await start({
      devices: (request) => {
        asked.push(request);
        return `App ${String(request.headers['x-app-version'])}`;
      },
    });
    await logIn(AGENTS.curl, { 'x-app-version': '4.2' });
    expect({ label: await label(), asked: asked.length, address: asked[0]?.address }).toEqual({
      label: 'App 4.2',
      asked: 1,
      address: expect.stringContaining('127.0.0.1'),
    });
  });

  it('is cleaned of what changes the text around it, whatever function returned it', async () => {
    const hostile = `x\u202Eevil\u202C \0\n\u2028\u2029\u200B${'\u{1F4F1}'.repeat(300)}`;
    await start({ devices: () => hostile });
    await logIn(AGENTS.curl);
    const shown = (await label())!;
    expect({
      shown: shown.slice(0, 8),
      length: shown.length,
      isWhole: !/\p{Surrogate}/u.test(shown),
    }).toEqual({
      shown: 'xevil \u{1F4F1}',
      length: 504,
      isWhole: true,
    });
  });

  it.each<{ what: string; devices: unknown }>([
    {
      what: 'throws',
      devices: () => {
        throw new Error('no database of devices');
      },
    },
    { what: 'returns nothing', devices: () => undefined },
    { what: 'is asynchronous', devices: async () => 'Firefox' },
    { what: 'is asynchronous and rejects', devices: () => Promise.reject(new Error('later')) },
  ])('fails no login when the function $what, and says so once', async ({ devices }) => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    await start({ devices: devices as never });
    const statuses = [(await logIn(AGENTS.curl)).status, (await logIn(AGENTS.curl)).status];
    expect({ statuses, label: await label(), warned: warn.mock.calls.length }).toEqual({
      ...{ statuses: [201, 201], label: 'Unknown device', warned: 1 },
    });
    expect(warn.mock.calls[0]![0]).toContain('device could not be described');
  });

  it('says Unknown device for a function that returns no visible text', async () => {
    await start({ devices: () => ' \u200B\n ' });
    await logIn(AGENTS.curl);
    expect(await label()).toBe('Unknown device');
  });

  it('travels in a sealed session', async () => {
    const sealed = new SealedSessions({ keys: [KEY], revocations: new MemorySessionStore() });
    await start({ devices: true, store: sealed });
    await logIn(AGENTS.firefox);
    expect(await device()).toEqual({
      label: 'Firefox on Windows',
      address: expect.stringContaining('127.0.0.1'),
    });
  });

  it('costs nothing without the option: nothing is parsed, and the record is as before', async () => {
    const parse = jest.spyOn(bowser, 'parse');
    const insert = jest.spyOn(MemorySessionStore.prototype, 'insert');
    await start({ asyncContext: false });
    await logIn(AGENTS.firefox);
    const { body } = insert.mock.calls.at(-1)![0];
    const facts = JSON.parse(body.split('\n')[1]!) as unknown[];
    expect({ parsed: parse.mock.calls.length, facts: facts.length, device: await device() }).toEqual({
      ...{ parsed: 0, facts: 8, device: null },
    });
  });
});
