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
import type { ArgumentsHost, ExceptionFilter, ExecutionContext } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import {
  CsrfGuard,
  MemorySessionStore,
  Session,
  SessionEvents,
  SessionModule,
  SkipCsrf,
  type SessionEvent,
} from 'nestjs-tessera';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';
import { ATTACKER, HOST, TRUSTED, everywhere, send, titled, varyOf } from './cross-site';
import { valuesOf } from './exchange';

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

describe.each(platforms)('C16: CsrfGuard everywhere on %s', (platform) => {
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
        message: 'The request comes from a page of another origin',
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

describe('C16: CsrfGuard outside of HTTP', () => {
  const askedFor = (kind: string): Promise<boolean> =>
    new CsrfGuard().canActivate({
      getType: () => kind,
      getArgs: () => [{}, {}, {}, {}],
      getHandler: () => askedFor,
      getClass: () => BankController,
      switchToHttp: () => ({}),
    } as unknown as ExecutionContext);

  it.each(['ws', 'rpc'])('lets messages through: %s', async (kind) => {
    expect(await askedFor(kind)).toBe(true);
  });

  it('refuses an operation whose request it cannot find', async () => {
    await expect(askedFor('graphql')).rejects.toMatchObject({ code: 'SESSION_REQUEST_MISSING' });
  });
});

describe.each(platforms)('C16: CsrfGuard on %s', (platform) => {
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
});
