import {
  All,
  Catch,
  Controller,
  ForbiddenException,
  HttpCode,
  Post,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import { APP_GUARD, HttpAdapterHost } from '@nestjs/core';
import {
  CsrfGuard,
  MemorySessionStore,
  Session,
  SessionEvents,
  SessionModule,
  SkipCsrf,
  type CsrfOptions,
  type SessionEvent,
} from 'nestjs-tessera';
import { closeApps, platforms, startApp, type App, type Platform } from '../support/app';
import { visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';
import { exchange, valuesOf, type Exchange } from './exchange';

declare module 'nestjs-tessera' {
  interface SessionData {
    transfers: number;
  }
}

@Catch(ForbiddenException)
class TeapotFilter implements ExceptionFilter {
  constructor(private readonly host: HttpAdapterHost) {}

  catch(_error: ForbiddenException, host: ArgumentsHost): void {
    this.host.httpAdapter.reply(host.switchToHttp().getResponse(), 'no', 418);
  }
}

@Controller()
class BankController {
  @All('transfer') @HttpCode(200) transfer(): string {
    return 'done';
  }
  @Post('count') count(@Session() session: Session): number {
    return session.update('transfers', (n = 0) => n + 1);
  }
  @SkipCsrf() @Post('webhook') webhook(): string {
    return 'heard';
  }
  @UseGuards(CsrfGuard) @SkipCsrf() @Post('both') both(): string {
    return 'guarded';
  }
  @UseFilters(TeapotFilter) @Post('teapot') teapot(): string {
    return 'tea';
  }
}

@SkipCsrf()
@Controller('hooks')
class HooksController {
  @Post() hook(): string {
    return 'heard';
  }
  @UseGuards(CsrfGuard) @Post('guarded') guarded(): string {
    return 'guarded';
  }
}

@Controller('unguarded')
class UnguardedController {
  @Post() open(): string {
    return 'open';
  }
  @UseGuards(CsrfGuard) @Post('here') here(): string {
    return 'here';
  }
  @UseGuards(CsrfGuard.for('admin')) @Post('admin') admin(): string {
    return 'admin';
  }
}

const HOST = 'example.com';
const TRUSTED = 'https://trusted.example';
const ATTACKER = 'https://attacker.example';
const everywhere = { provide: APP_GUARD, useClass: CsrfGuard };

interface Sent {
  readonly method?: string;
  readonly site?: string;
  readonly origin?: string;
  readonly headers?: Record<string, string>;
  /** Whether the client sends the cookie of a session. */
  readonly cookie?: boolean;
}

type Row = Sent & { readonly passes: boolean };

/** Rows of a table with what they show, in words. */
function titled(rows: readonly Row[]): { title: string; sent: Sent; passes: boolean }[] {
  return rows.map(({ passes, ...sent }) => {
    const { method = 'POST', site = 'absent', origin = 'absent', cookie, headers: others } = sent;
    const headers = `Sec-Fetch-Site ${site || 'empty'}, Origin ${origin}`;
    const client = cookie === undefined ? '' : `, ${cookie ? 'with' : 'without'} our cookie`;
    const more = others === undefined ? '' : `, ${Object.keys(others).join(', ')} of a trusted page`;
    return { title: `${passes ? 'allows' : 'refuses'} ${method}: ${headers}${client}${more}`, sent, passes };
  });
}

/** A request for `example.com` with these headers. */
async function send(app: App, path: string, { method = 'POST', site, origin, headers }: Sent = {}) {
  return exchange((await app.getUrl()) + path, {
    method,
    agent: false,
    headers: {
      host: HOST,
      ...(site !== undefined && { 'sec-fetch-site': site }),
      ...(origin !== undefined && { origin }),
      ...headers,
    },
  });
}

const varyOf = (answer: Exchange): string[] => valuesOf(answer, 'Vary').join(', ').split(', ');

describe.each(platforms)('CsrfGuard everywhere on %s', (platform) => {
  let app: App;
  let store: WatchedStore;
  let events: SessionEvent[];

  beforeAll(async () => {
    store = new WatchedStore(new MemorySessionStore());
    app = await startApp({
      platform,
      options: { store, csrf: { trustedOrigins: [TRUSTED, 'HTTPS://Port.Example:443'] } },
      controllers: [BankController, HooksController],
      providers: [everywhere, TeapotFilter],
    });
    app.get(SessionEvents).subscribe((event) => events.push(event));
  });
  beforeEach(() => (events = []));
  afterAll(closeApps);

  it.each(
    titled([
      { site: 'same-origin', passes: true },
      { site: 'none', passes: true },
      { site: 'cross-site', passes: false },
      { site: 'same-site', passes: false },
      { site: 'SAME-ORIGIN', passes: false },
      { site: 'same-origin, cross-site', passes: false },
      { site: 'same-origin', origin: ATTACKER, passes: true },
      { site: 'cross-site', origin: `https://${HOST}`, passes: false },
      { passes: true },
      { origin: `https://${HOST}`, passes: true },
      { origin: `http://${HOST}`, passes: true },
      { origin: `https://${HOST}:8443`, passes: false },
      { origin: ATTACKER, passes: false },
      { origin: `https://${HOST}.attacker.example`, passes: false },
      { origin: 'null', passes: false },
      { origin: HOST, passes: false },
      { site: '', origin: ATTACKER, passes: false },
      { method: 'GET', site: 'cross-site', passes: true },
      { method: 'HEAD', site: 'cross-site', passes: true },
      { method: 'OPTIONS', site: 'cross-site', passes: true },
      { method: 'PUT', site: 'cross-site', passes: false },
      { method: 'PATCH', site: 'cross-site', passes: false },
      { method: 'DELETE', site: 'cross-site', passes: false },
      { origin: TRUSTED, passes: true },
      { origin: TRUSTED, site: 'cross-site', passes: true },
      { origin: TRUSTED, site: 'same-site', passes: true },
      { origin: 'https://port.example', site: 'cross-site', passes: true },
      { origin: 'http://trusted.example', site: 'cross-site', passes: false },
      { origin: `${TRUSTED}:8443`, site: 'cross-site', passes: false },
      { origin: ATTACKER, site: 'cross-site', passes: false },
      { origin: ATTACKER, headers: { referer: `${TRUSTED}/` }, passes: false },
    ]),
  )('$title', async ({ passes, sent }) => {
    const { status } = await send(app, '/transfer', sent);
    expect(status).toBe(passes ? 200 : 403);
  });

  it('refuses with a stable code and an event that names no session', async () => {
    const answer = await send(app, '/transfer', { site: 'cross-site' });
    expect({ status: answer.status, body: JSON.parse(answer.body.toString()) as unknown }).toEqual({
      status: 403,
      body: {
        statusCode: 403,
        error: 'Forbidden',
        code: 'CSRF_REFUSED',
        message: 'The request comes from another site',
      },
    });
    expect(events).toEqual([
      expect.objectContaining({
        type: 'rejected',
        reason: 'csrf',
        sessionName: 'default',
        id: null,
        principal: null,
      }),
    ]);
  });

  it('leaves the answer to exception filters', async () => {
    const { status, body } = await send(app, '/teapot', { site: 'cross-site' });
    expect({ status, body: body.toString() }).toEqual({ status: 418, body: 'no' });
  });

  it('H4: makes no store call for a client that has a session, and says nothing of cookies', async () => {
    const ada = await visitor(app);
    await ada.post('/count');
    const cookie = `__Host-session=${await ada.token()}`;
    store.take();
    const allowed = await send(app, '/transfer', { site: 'same-origin', headers: { cookie } });
    const refused = await send(app, '/transfer', { site: 'cross-site', headers: { cookie } });
    expect({
      statuses: [allowed.status, refused.status],
      calls: store.take(),
      vary: [varyOf(allowed), varyOf(refused)],
    }).toEqual({
      statuses: [200, 403],
      calls: [],
      vary: [
        ['Sec-Fetch-Site', 'Origin'],
        ['Sec-Fetch-Site', 'Origin'],
      ],
    });
  });

  it.each([
    ['/webhook', 201],
    ['/hooks', 201],
    ['/hooks/guarded', 403],
    ['/both', 403],
  ])(
    '@SkipCsrf() exempts, unless a guard is nearer: POST %s across sites answers %i',
    async (path, status) => {
      expect((await send(app, path, { site: 'cross-site' })).status).toBe(status);
    },
  );

  it('names its headers in Vary once, with those of the session, where it has looked at them', async () => {
    const counted = await send(app, '/count', { site: 'same-origin' });
    const read = await send(app, '/transfer', { method: 'GET', site: 'cross-site' });
    const exempt = await send(app, '/webhook', { site: 'cross-site' });
    expect({
      counted: varyOf(counted),
      read: valuesOf(read, 'Vary'),
      exempt: valuesOf(exempt, 'Vary'),
    }).toEqual({
      counted: ['Sec-Fetch-Site', 'Origin', 'Cookie'],
      read: [],
      exempt: [],
    });
  });
});

describe.each(platforms)('CsrfGuard on %s', (platform) => {
  afterEach(closeApps);

  it('keeps the Vary of the application', async () => {
    const app = await startApp({
      platform,
      controllers: [BankController],
      providers: [everywhere, TeapotFilter],
      configure: (it) => void it.enableCors({ origin: [TRUSTED] }),
    });
    // CORS has named Origin.
    const answer = await send(app, '/transfer', { site: 'same-origin', origin: `https://${HOST}` });
    expect({ status: answer.status, vary: varyOf(answer) }).toEqual({
      status: 200,
      vary: ['Origin', 'Sec-Fetch-Site'],
    });
  });

  it('guards what it stands on, with the options of its instance', async () => {
    const app = await startApp({
      platform,
      imports: [SessionModule.forRoot({ name: 'admin', csrf: { trustedOrigins: [TRUSTED] } })],
      controllers: [UnguardedController],
    });
    const statuses = async (origin: string): Promise<Record<string, number>> => ({
      open: (await send(app, '/unguarded', { origin })).status,
      here: (await send(app, '/unguarded/here', { origin })).status,
      admin: (await send(app, '/unguarded/admin', { origin })).status,
    });
    expect(await statuses(ATTACKER)).toEqual({ open: 201, here: 403, admin: 403 });
    expect(await statuses(TRUSTED)).toEqual({ open: 201, here: 403, admin: 201 });
  });

  describe('in strict mode', () => {
    /** Sends the cookie of a visitor who has a session, or not. */
    async function strict(csrf: CsrfOptions, sent: Sent): Promise<Exchange> {
      const app = await startStrict(platform, csrf);
      const ada = await visitor(app);
      await ada.post('/hooks/count');
      const cookie = `__Host-session=${await ada.token()}`;
      return send(app, '/transfer', { ...sent, headers: sent.cookie ? { cookie } : {} });
    }

    it.each(
      titled([
        { cookie: true, passes: false },
        { cookie: false, passes: true },
        { cookie: true, method: 'GET', passes: true },
        { cookie: true, site: 'same-origin', passes: true },
        { cookie: true, origin: `https://${HOST}`, passes: true },
        { cookie: true, origin: ATTACKER, passes: false },
      ]),
    )('$title', async ({ passes, sent }) => {
      const { status } = await strict({ strict: true }, sent);
      expect(status).toBe(passes ? 200 : 403);
    });

    it('names the cookie in Vary, whether or not there is one', async () => {
      expect(varyOf(await strict({ strict: true }, {}))).toEqual(['Sec-Fetch-Site', 'Origin', 'Cookie']);
    });

    it('is off unless it is asked for', async () => {
      expect((await strict({}, { cookie: true })).status).toBe(200);
    });
  });
});

@SkipCsrf()
@Controller('hooks')
class CountingHook {
  @Post('count') count(@Session() session: Session): number {
    return session.update('transfers', (n = 0) => n + 1);
  }
}

function startStrict(platform: Platform, csrf: CsrfOptions): Promise<App> {
  return startApp({
    platform,
    options: { csrf },
    controllers: [BankController, CountingHook],
    providers: [everywhere, TeapotFilter],
  });
}
