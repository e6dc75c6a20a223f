import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { Controller, Post } from '@nestjs/common';
import type { Session, SessionModuleOptions } from 'nestjs-tessera';
import {
  MemorySessionStore,
  SessionEvents,
  SessionModule,
  SessionService,
  bearer,
  composite,
  cookie,
  header,
} from 'nestjs-tessera';
import { SealedSessions } from 'nestjs-tessera/sealed';
import { KEY } from '../sealed/sealed';
import { closeApps, platforms, startApp, type App, type AppUnderTest } from '../support/app';
import { scripted } from '../support/scripted';
import '../support/session-data';
import { Visitor, type Answer } from '../support/visitor';

const TOKEN_FORM = /^[\w-]{22}\.[\w-]{43}$/;

const bearerOf = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const headerOf = (token: string): Record<string, string> => ({ 'x-session-token': token });

describe.each(platforms)('tokens in headers on %s', (platform) => {
  const { controller, run } = scripted();
  let app: App;

  /** What an application with bodies for tokens has. */
  @Controller('login')
  class LoginController {
    constructor(private readonly sessions: SessionService) {}

    @Post() async login(): Promise<object> {
      await this.sessions.login({ id: 'ada' });
      return { token: await this.sessions.issueToken() };
    }

    @Post('nobody') async nobody(): Promise<object> {
      return { token: await this.sessions.issueToken() };
    }
  }

  const start = async (options: SessionModuleOptions, more: Partial<AppUnderTest> = {}): Promise<void> => {
    app = await startApp({ platform, options, controllers: [controller, LoginController], ...more });
  };
  const client = async (): Promise<Visitor> => new Visitor(await app.getUrl());
  const tokenIn = ({ headers }: Answer): string | null => headers.get('x-session-token');
  const send = async (
    headers: Record<string, string>,
    work: (session: Session) => unknown,
    who?: Visitor,
  ): Promise<Answer> => run(who ?? (await client()), work, { headers });
  const login = (session: Session): void => session.login({ id: 'ada' });
  const who = (session: Session): string | null => session.principal?.id ?? null;
  const resultOf = (answer: Answer): unknown => answer.json<{ result: unknown }>().result;

  afterEach(closeApps);

  it.each([
    { what: 'a bearer token', transport: bearer(), vary: 'Authorization', carry: bearerOf },
    { what: 'a header', transport: header(), vary: 'X-Session-Token', carry: headerOf },
  ])(
    'C17: carry a session from its login to its logout, without a cookie: $what',
    async ({ transport, vary, carry }) => {
      await start({ transport });
      const entered = await send({}, login);
      const token = tokenIn(entered)!;
      const read = await send(carry(token), who);
      const renewed = await send(carry(token), (session) => session.renewToken());
      const left = await send(carry(tokenIn(renewed)!), (session) => session.logout());
      const after = await send(carry(tokenIn(renewed)!), who);
      const facts = [entered, read, renewed, left, after].map((answer) => ({
        token: tokenIn(answer),
        cookies: answer.cookies,
        vary: answer.headers.get('vary'),
        cache: answer.headers.get('cache-control'),
        result: resultOf(answer) ?? null,
      }));
      const always = { cookies: [], vary };
      const form = expect.stringMatching(TOKEN_FORM) as unknown;
      expect(facts).toEqual([
        { ...always, token: form, cache: 'no-store', result: null },
        { ...always, token: null, cache: 'private', result: 'ada' },
        { ...always, token: form, cache: 'no-store', result: null },
        { ...always, token: '', cache: 'no-store', result: null },
        { ...always, token: null, cache: null, result: null },
      ]);
    },
  );

  it('C17: leave other schemes of Authorization to others', async () => {
    await start({ transport: bearer() });
    const answer = await send({ authorization: 'Basic YWRhOmxvdmVsYWNl' }, (session) => session.isNew);
    expect({ isNew: resultOf(answer), token: tokenIn(answer) }).toEqual({ isNew: true, token: null });
  });

  it('C17: can be read by pages of the origins that CORS allows', async () => {
    const configure = (each: App): void =>
      each.enableCors({ origin: 'https://app.example', exposedHeaders: ['ETag'] });
    await start({ transport: bearer() }, { configure });
    const origin = { origin: 'https://app.example' };
    const [used, unused] = [await send(origin, login), await send(origin, () => 'nothing')];
    expect([used, unused].map(({ headers }) => headers.get('access-control-expose-headers'))).toEqual([
      'ETag, X-Session-Token',
      'ETag',
    ]);
  });

  it('C18: go beside cookies, each answered the way it came', async () => {
    await start({ transport: composite(cookie(), bearer()) });
    const browser = await client();
    const entered = await send({}, login, browser);
    const inCookie = (await browser.token())!;
    const renewed = await send({}, (session) => session.renewToken(), browser);
    const fromApp = await send(bearerOf((await browser.token())!), (session) => session.renewToken());
    const ended = await send(bearerOf(tokenIn(fromApp)!), (session) => session.logout());
    expect({
      entered: [tokenIn(entered), entered.cookies.length],
      renewed: [tokenIn(renewed), renewed.cookies.length, (await browser.token()) === inCookie],
      fromApp: [tokenIn(fromApp), fromApp.cookies.length],
      ended: [tokenIn(ended), ended.cookies.length],
      vary: ended.headers.get('vary'),
    }).toEqual({
      entered: [null, 1],
      renewed: [null, 1, false],
      fromApp: [expect.stringMatching(TOKEN_FORM), 0],
      ended: ['', 0],
      vary: 'Cookie, Authorization',
    });
  });

  it('C18: are refused when they contradict a cookie', async () => {
    await start({ transport: composite(cookie(), bearer()) });
    const rejected: unknown[] = [];
    app.get(SessionEvents).subscribe((event) => event.type === 'rejected' && rejected.push(event));
    const [ada, eve] = [await client(), await client()];
    await send({}, login, ada);
    await send({}, (session) => session.login({ id: 'eve' }), eve);
    const planted = await send(bearerOf((await eve.token())!), who, ada);
    const same = await send(bearerOf((await ada.token())!), who, ada);
    expect({ planted: resultOf(planted), same: resultOf(same), rejected }).toEqual({
      planted: null,
      same: 'ada',
      rejected: [expect.objectContaining({ reason: 'ambiguous' })],
    });
  });

  it('C18: of an earlier path are told apart, and answered in the cookie', async () => {
    await start({
      transport: composite(bearer(), cookie({ name: 's', secure: false, replaces: [{ path: '/app' }] })),
    });
    const token = tokenIn(await send({}, login))!;
    const dead = `${'x'.repeat(22)}.${'y'.repeat(43)}`;
    const answer = await send({ cookie: `s=${dead}; s=${token}` }, who);
    expect({ who: resultOf(answer), token: tokenIn(answer), cookies: answer.cookies }).toEqual({
      who: 'ada',
      token: null,
      cookies: [
        expect.stringMatching(/^s=; .*Path=\/app/),
        expect.stringContaining(`s=${token}; `) as unknown,
      ],
    });
  });

  it.each([
    { what: 'alone', transport: bearer() },
    { what: 'beside cookies', transport: composite(cookie(), bearer()) },
  ])('C17: are told in the body of a login, $what', async ({ transport }) => {
    await start({ transport });
    const entered = await (await client()).post('/login');
    const { token } = entered.json<{ token: string }>();
    const answer = await send(bearerOf(token), who);
    const again = await (await client()).post('/login', {}, { headers: bearerOf(token) });
    expect({
      cookies: [...entered.cookies, ...again.cookies],
      header: tokenIn(entered) === token,
      cache: entered.headers.get('cache-control'),
      who: resultOf(answer),
      again: again.json(),
      old: resultOf(await send(bearerOf(token), who)),
    }).toEqual({
      cookies: [],
      header: true,
      cache: 'no-store',
      who: 'ada',
      again: { token: tokenIn(again) },
      old: null,
    });
  });

  it('C18: in cookies are never told in a body', async () => {
    await start({ transport: composite(cookie(), bearer()) });
    const browser = await client();
    await send({}, (session) => session.set('visits', 1), browser);
    const before = await browser.token();
    const answer = await browser.post('/login');
    expect({
      body: answer.json(),
      header: tokenIn(answer),
      isRenewed: (await browser.token()) !== before,
      who: resultOf(await send({}, who, browser)),
    }).toEqual({ body: { token: null }, header: null, isRenewed: true, who: 'ada' });
  });

  it('C17: are told in no body without a session, or without a way back', async () => {
    const store = new MemorySessionStore();
    await start({ transport: bearer(), store });
    const nobody = await (await client()).post('/login/nobody');
    await closeApps();
    await start({ store });
    const refused = await run(await client(), async () =>
      app
        .get(SessionService)
        .issueToken()
        .catch(({ code, message }: { code: string; message: string }) => ({ code, message })),
    );
    expect({ nobody: nobody.json(), refused: resultOf(refused) }).toEqual({
      nobody: { token: null },
      refused: {
        code: 'SESSION_OPTIONS_INVALID',
        message: expect.stringContaining('read from the cookie __Host-session only'),
      },
    });
  });

  it.each<{ what: string; replace: (session: Session) => void }>([
    { what: 'a login', replace: (s) => s.login({ id: 'ada' }) },
    { what: 'a renewal', replace: (s) => s.renewToken() },
    { what: 'a rotation', replace: (s) => s.rotateToken() },
    { what: 'a logout', replace: (s) => s.logout() },
  ])('C17: are told in no body once $what of another request has replaced them', async ({ replace }) => {
    await start({ transport: bearer() });
    const entered = await (await client()).post('/login');
    const own = bearerOf(tokenIn(entered)!);
    const answer = await send(own, async (session) => {
      session.set('visits', 1);
      await send(own, replace);
      return app.get(SessionService).issueToken();
    });
    expect({ body: resultOf(answer), header: tokenIn(answer) }).toEqual({ body: null, header: null });
  });

  it('C17: are told over no plain HTTP to another machine, and nothing is stored', async () => {
    const store = new MemorySessionStore();
    await start({ transport: bearer(), store });
    const { port } = new URL(await app.getUrl());
    const answered = once(
      request({
        port,
        host: '127.0.0.1',
        path: '/login',
        method: 'POST',
        headers: { host: 'api.example' },
      }).end(),
      'response',
    ) as Promise<[IncomingMessage]>;
    const [{ statusCode, headers }] = await answered;
    expect({ statusCode, token: headers['x-session-token'], stored: store.size }).toEqual({
      statusCode: 500,
      token: undefined,
      stored: 0,
    });
  });

  it.each([
    { what: 'a visitor', begin: (s: Session) => s.set('visits', 1) },
    { what: 'a user', begin: login },
  ])('C11: in a body are not stored by a cache, also those that the client has: $what', async ({ begin }) => {
    await start({ transport: header() });
    const token = tokenIn(await send({}, begin))!;
    const answer = await (await client()).post('/login/nobody', {}, { headers: headerOf(token) });
    expect({ body: answer.json(), cache: answer.headers.get('cache-control') }).toEqual({
      body: { token },
      cache: 'no-store',
    });
  });

  it('C18: of two contradicting cookies are told in no body', async () => {
    await start({ transport: composite(cookie(), bearer()) });
    const tokens: string[] = [];
    for (const browser of [await client(), await client()]) {
      await send({}, (session) => session.set('visits', 1), browser);
      tokens.push((await browser.token())!);
    }
    const headers = { cookie: tokens.map((token) => `__Host-session=${token}`).join('; ') };
    const answer = await (await client()).post('/login', {}, { headers });
    expect(answer.json()).toEqual({ token: null });
  });

  it('C17: carry sealed sessions, which open in each part', async () => {
    const store = new SealedSessions({ keys: [KEY], revocations: new MemorySessionStore() });
    await start({ transport: composite(cookie(), bearer()), store });
    const { token } = (await (await client()).post('/login')).json<{ token: string }>();
    const [inHeader, inCookie] = [
      await send(bearerOf(token), who),
      await send({ cookie: `__Host-session=${token}` }, who),
    ];
    expect([resultOf(inHeader), resultOf(inCookie)]).toEqual(['ada', 'ada']);
  });

  it.each([
    { what: 'a part', transport: composite(cookie({ name: 's' }), bearer()) },
    { what: 'the same', transport: bearer({ answerIn: 'X-Other' }) },
  ])('are of one instance: $what of another is refused', async ({ transport }) => {
    const imports = [SessionModule.forRoot({ name: 'app', transport })];
    await expect(start({ transport: bearer() }, { imports })).rejects.toThrow(
      /both use the header Authorization/,
    );
  });

  it('are of one instance: the header of the answers of another is refused, in any case', async () => {
    const imports = [SessionModule.forRoot({ name: 'app', transport: header({ name: 'x-session-token' }) })];
    await expect(start({ transport: bearer() }, { imports })).rejects.toThrow(
      /both use the header X-Session-Token/i,
    );
  });
});
