import { Controller, Get, Inject, Post, UseGuards } from '@nestjs/common';
import {
  CsrfGuard,
  MemorySessionStore,
  Session,
  SessionEvents,
  SessionModule,
  SessionService,
  SkipCsrf,
  type RequestHeaders,
  type SessionEvent,
  type SessionTransport,
} from 'nestjs-tessera';
import { SealedSessions } from 'nestjs-tessera/sealed';
import { KEY } from '../sealed/sealed';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { scripted } from '../support/scripted';
import { visitor, type Answer, type Visitor } from '../support/visitor';
import { WatchedStore, door } from '../support/watched-store';
import { everywhere } from './cross-site';
import { ignoreUploads, parseUploads, upload } from './uploads';

declare module 'nestjs-tessera' {
  interface SessionData {
    formVisits: number;
  }
}

@Controller()
class FormController {
  constructor(@Inject(SessionService) private readonly sessions: SessionService) {}

  @Get('form') form(@Session() session: Session): string {
    return session.csrfToken();
  }
  @Get('form-by-service') formByService(): Promise<string> {
    return this.sessions.csrfToken();
  }
  @Get('untouched') untouched(): string {
    return 'untouched';
  }
  @Post('send') send(): string {
    return 'sent';
  }
  @SkipCsrf() @Post('visit') visit(@Session() session: Session): number {
    return session.update('formVisits', (n = 0) => n + 1);
  }
}

@UseGuards(CsrfGuard.for('admin'))
@Controller('admin')
class AdminController {
  @SkipCsrf() @Get('form') form(@Session({ name: 'admin' }) session: Session): string {
    return session.csrfToken();
  }
  @Post('send') send(): string {
    return 'sent';
  }
}

const script = scripted();
SkipCsrf()(script.controller);

const statusOf = ({ status }: Answer): number => status;
const withToken = (token: string): { headers: Record<string, string> } => ({
  headers: { 'x-csrf-token': token },
});

/** Sends a body of another type than JSON with the cookies of a visitor. */
async function sendForm(app: App, who: Visitor, path: string, body: URLSearchParams | FormData, token = '') {
  const cookie = `__Host-session=${await who.token()}`;
  const headers = { cookie, ...(token !== '' && { 'x-csrf-token': token }) };
  const { status } = await fetch((await app.getUrl()) + path, { method: 'POST', headers, body });
  return status;
}

describe.each(platforms)('C16: CsrfGuard with tokens on %s', (platform) => {
  let app: App;
  let store: WatchedStore;
  let events: SessionEvent[];
  let ada: Visitor;

  beforeAll(async () => {
    store = new WatchedStore(new MemorySessionStore());
    app = await startApp({
      platform,
      options: { store, csrf: { token: true } },
      imports: [SessionModule.forRoot({ name: 'admin', csrf: { token: true } })],
      controllers: [FormController, AdminController, script.controller],
      providers: [everywhere],
      configure: (it) => ignoreUploads(it, platform),
    });
    app.get(SessionEvents).subscribe((event) => events.push(event));
  });
  beforeEach(async () => {
    events = [];
    ada = await visitor(app);
  });
  afterAll(closeApps);

  const formOf = async (who: Visitor): Promise<string> => (await who.get('/form')).text;
  const post = async (who: Visitor, token: string): Promise<number> =>
    statusOf(await who.post('/send', {}, withToken(token)));

  it('takes the token from the header, a field of JSON, and a field of a form', async () => {
    const token = await formOf(ada);
    expect({
      header: await post(ada, token),
      json: statusOf(await ada.post('/send', { _csrf: token })),
      form: await sendForm(app, ada, '/send', new URLSearchParams({ _csrf: token })),
      upload: await sendForm(app, ada, '/send', upload({}), token),
    }).toEqual({ header: 201, json: 201, form: 201, upload: 201 });
  });

  it('does not take it from the URL, from a body that nothing has parsed, or from deeper in it', async () => {
    const token = await formOf(ada);
    expect({
      url: statusOf(await ada.post(`/send?_csrf=${token}`)),
      upload: await sendForm(app, ada, '/send', upload({ _csrf: token })),
      list: statusOf(await ada.post('/send', [token])),
      nested: statusOf(await ada.post('/send', { _csrf: [token] })),
    }).toEqual({ url: 403, upload: 403, list: 403, nested: 403 });
  });

  it('gives another text each time, all of which are valid, and writes at the first only', async () => {
    const first = await formOf(ada);
    store.take();
    const others = [await formOf(ada), (await ada.get('/form-by-service')).text];
    const calls = store.take();
    const statuses = await Promise.all([first, ...others].map((token) => post(ada, token)));
    expect({ different: new Set([first, ...others]).size, calls, statuses }).toEqual({
      different: 3,
      calls: ['find', 'find'],
      statuses: [201, 201, 201],
    });
  });

  it.each<{ what: string; change: (token: string) => string }>([
    { what: 'no token', change: () => '' },
    { what: 'rubbish', change: () => 'rubbish' },
    { what: 'a token that lacks its end', change: (token) => token.slice(0, -1) },
    { what: 'a token and more', change: (token) => `${token}A` },
    {
      what: 'a token with one other bit',
      change: (token) => (token.startsWith('A') ? 'B' : 'A') + token.slice(1),
    },
    { what: 'a mask alone', change: () => 'A'.repeat(86) },
    { what: 'two tokens', change: (token) => `${token}, ${token}` },
  ])('refuses $what', async ({ change }) => {
    expect(await post(ada, change(await formOf(ada)))).toBe(403);
  });

  it('refuses with a stable code, and an event that names the session', async () => {
    await script.run(ada, (session) => session.login({ id: 7 }));
    const id = await script.ask(ada, (session) => session.id);
    events.length = 0;
    const answer = await ada.post('/send');
    expect({ status: answer.status, body: answer.json() }).toEqual({
      status: 403,
      body: {
        statusCode: 403,
        error: 'Forbidden',
        code: 'CSRF_REFUSED',
        message: 'The CSRF token is missing or no longer valid: load the page again',
      },
    });
    expect(events).toEqual([
      expect.objectContaining({ type: 'rejected', reason: 'csrf', id, principal: 'default:7' }),
    ]);
  });

  it('refuses the token of another session', async () => {
    const eve = await visitor(app);
    await formOf(ada);
    expect(await post(ada, await formOf(eve))).toBe(403);
  });

  it('asks a visitor without a session for none, and one with a session even if it never had a token', async () => {
    const before = statusOf(await ada.post('/send'));
    await ada.post('/visit');
    expect({ before, after: statusOf(await ada.post('/send')) }).toEqual({ before: 201, after: 403 });
  });

  it('asks a client whose session has ended for none', async () => {
    await formOf(ada);
    const before = await ada.twin();
    await script.run(ada, (session) => session.destroy());
    expect(await post(before, '')).toBe(201);
  });

  it.each<{ what: string; change: (session: Session) => void; kept: boolean }>([
    { what: 'a login', change: (session) => session.login({ id: 7 }), kept: false },
    {
      what: 'a logout that keeps the data',
      change: (session) => session.logout({ keepData: true }),
      kept: false,
    },
    { what: 'a login of the same user', change: (session) => session.login({ id: 1 }), kept: false },
    { what: 'actAs', change: (session) => session.actAs({ id: 7 }), kept: false },
    { what: 'elevate', change: (session) => session.elevate(), kept: true },
    { what: 'a renewed token', change: (session) => session.renewToken(), kept: true },
    { what: 'a rotated token', change: (session) => session.rotateToken(), kept: true },
    { what: 'clear', change: (session) => session.clear(), kept: true },
  ])('after $what the token is still valid: $kept', async ({ change, kept }) => {
    await script.run(ada, (session) => session.login({ id: 1 }));
    const token = await formOf(ada);
    await script.run(ada, change);
    expect({ old: await post(ada, token), new: await post(ada, await formOf(ada)) }).toEqual({
      old: kept ? 201 : 403,
      new: 201,
    });
  });

  it('L1: a token of before the login is no token of the user, for a visitor whose data is kept', async () => {
    const token = await formOf(ada);
    await script.run(ada, (session) => session.login({ id: 7 }));
    expect(await post(ada, token)).toBe(403);
  });

  it('gives valid tokens to requests that read the first ones at the same time', async () => {
    await ada.post('/visit');
    const [bothRead, arrived] = [door(), [] as string[]];
    store.before = async (operation) => {
      if (operation !== 'find') return;
      arrived.push(operation);
      if (arrived.length === 3) bothRead.open();
      await bothRead.opened;
    };
    const tokens = await Promise.all([formOf(ada), formOf(ada), formOf(ada)]);
    store.before = () => {};
    expect(await Promise.all(tokens.map((token) => post(ada, token)))).toEqual([201, 201, 201]);
  });

  it('refuses another site before it loads the session, whatever the token', async () => {
    const token = await formOf(ada);
    store.take();
    const { status } = await ada.post(
      '/send',
      {},
      { headers: { ...withToken(token).headers, 'sec-fetch-site': 'cross-site' } },
    );
    expect({ status, calls: store.take() }).toEqual({ status: 403, calls: [] });
  });

  it('H4: loads no session for a GET, nor for a POST without a cookie', async () => {
    await formOf(ada);
    store.take();
    await ada.get('/untouched');
    await (await visitor(app)).post('/send');
    expect(store.take()).toEqual([]);
  });

  it('names the header in Vary, and the cookie even if the client has none', async () => {
    const token = await formOf(ada);
    const varyOf = ({ headers }: Answer): string | null => headers.get('vary');
    expect({
      with: varyOf(await ada.post('/send', {}, withToken(token))),
      without: varyOf(await (await visitor(app)).post('/send')),
    }).toEqual({
      with: 'Sec-Fetch-Site, Origin, X-CSRF-Token, Cookie',
      without: 'Sec-Fetch-Site, Origin, X-CSRF-Token, Cookie',
    });
  });

  it('of a named instance asks for a token of that instance', async () => {
    const token = (await ada.get('/admin/form')).text;
    expect({
      own: statusOf(await ada.post('/admin/send', {}, withToken(token))),
      none: statusOf(await ada.post('/admin/send')),
    }).toEqual({ own: 201, none: 403 });
  });
});

/** Carries the token in a header that no browser adds by itself. */
const header: SessionTransport = {
  channel: 'header X-Session',
  sealedFor: 'header X-Session',
  vary: ['X-Session'],
  read: ({ 'x-session': value }: RequestHeaders) =>
    typeof value === 'string' ? { kind: 'token', value, transport: header } : { kind: 'none' },
  capacity: () => 4096,
  obstacle: () => null,
  write: (headers, answer) => headers.set('X-Session', answer.kind === 'issue' ? [answer.token] : []),
};

describe.each(platforms)('C16: CsrfGuard with tokens on %s', (platform) => {
  afterEach(closeApps);

  it('asks for none where the session token is not in a cookie', async () => {
    const app = await startApp({
      platform,
      options: { transport: header, csrf: { token: true, strict: true } },
      controllers: [FormController],
      providers: [everywhere],
    });
    const ada = await visitor(app);
    const token = (await ada.get('/form')).headers.get('x-session')!;
    const seen = await ada.post('/visit', {}, { headers: { 'x-session': token } });
    const sent = await ada.post('/send', {}, { headers: { 'x-session': token } });
    expect({ seen: seen.status, sent: sent.status }).toEqual({ seen: 201, sent: 201 });
  });

  it('takes the token from a field of an upload that middleware has parsed', async () => {
    const app = await startApp({
      platform,
      options: { csrf: { token: true } },
      controllers: [FormController],
      providers: [everywhere],
      configure: (it) => parseUploads(it, platform),
    });
    const ada = await visitor(app);
    const { text } = await ada.get('/form');
    expect({
      with: await sendForm(app, ada, '/send', upload({ _csrf: text })),
      without: await sendForm(app, ada, '/send', upload({})),
    }).toEqual({ with: 201, without: 403 });
  });

  it('keeps the value of a sealed session in its cookie', async () => {
    const app = await startApp({
      platform,
      options: {
        store: new SealedSessions({ keys: [KEY], revocations: new MemorySessionStore() }),
        csrf: { token: true },
      },
      controllers: [FormController],
      providers: [everywhere],
    });
    const ada = await visitor(app);
    const { text } = await ada.get('/form');
    expect({
      with: statusOf(await ada.post('/send', {}, withToken(text))),
      without: statusOf(await ada.post('/send')),
    }).toEqual({ with: 201, without: 403 });
  });
});
