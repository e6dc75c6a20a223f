import { Controller, Get, Injectable, Post, Query, Req, Body, Scope, ValidationPipe } from '@nestjs/common';
import type { ArgumentsHost, ExecutionContext } from '@nestjs/common';
import { createParamDecorator } from '@nestjs/common';
import { MemorySessionStore, Principal, Session, SessionService } from 'nestjs-tessera';
import { closeApps, platforms, startApp, type App } from '../support/app';
import '../support/session-data';
import { visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

@Injectable()
class Ledger {
  constructor(private readonly sessions: SessionService) {}

  async add(item: string): Promise<string> {
    await turn();
    const session = await this.sessions.current();
    await turn();
    session.update('cart', (cart = []) => [...cart, item]);
    return (await this.sessions.current()).id;
  }
}

@Injectable({ scope: Scope.REQUEST })
class Clerk {
  constructor(private readonly ledger: Ledger) {}

  add(item: string): Promise<string> {
    return this.ledger.add(item);
  }
}

const Context = createParamDecorator((_: unknown, context: ExecutionContext) => context);

@Controller()
class ContextController {
  constructor(
    private readonly sessions: SessionService,
    private readonly ledger: Ledger,
    private readonly clerk: Clerk,
  ) {}

  @Post('add') async add(@Body() { item }: { item: string }) {
    const ids = await Promise.all([this.ledger.add(item), this.clerk.add(`${item} twice`)]);
    return { one: new Set(ids).size === 1, cart: (await this.sessions.current()).get('cart') };
  }
  @Get('of') async of(@Context() context: ArgumentsHost, @Req() request: { raw?: object }) {
    const first = await this.sessions.of(context);
    first.set('theme', 'dark');
    const others = await Promise.all([this.sessions.of(request), this.sessions.of(request.raw ?? request)]);
    return others.every((session) => session === first);
  }
  @Get('current') async current() {
    try {
      return (await this.sessions.current()).keys();
    } catch (error) {
      return { code: (error as { code: string }).code, message: (error as Error).message };
    }
  }
  @Get('decorated') decorated(@Session() session: Session, @Principal() who: Principal | null) {
    return { visits: session.update('visits', (n = 0) => n + 1), who };
  }
  @Get('timer') timer() {
    return new Promise((resolve, reject) => {
      setTimeout(() => void this.sessions.current().then((session) => resolve(session.isNew), reject), 1);
    });
  }
  @Post('login') async login() {
    await this.sessions.login({ id: 7 });
    await this.sessions.elevate({ roles: ['admin'] });
    await this.sessions.renewToken();
    await this.sessions.commit();
    return (await this.sessions.current()).status;
  }
  @Post('logout') logout() {
    return this.sessions.logout();
  }
  @Post('destroy') destroy() {
    return this.sessions.destroy();
  }
  @Get('peek') async peek(@Context() context: ArgumentsHost, @Query('load') load?: string) {
    if (load !== undefined) await this.sessions.of(context);
    return { theme: this.sessions.peek(context)?.get('theme') ?? null };
  }
  @Get('untouched') untouched(@Req() request: { session?: unknown; raw?: { session?: unknown } }) {
    return { here: 'session' in request, raw: request.raw !== undefined && 'session' in request.raw };
  }
  @Get('commit') async commit() {
    await this.sessions.commit();
    return 'committed';
  }
}

describe.each(platforms)('SessionService on %s', (platform) => {
  let app: App;
  const start = async (
    asyncContext = true,
    store = new WatchedStore(new MemorySessionStore()),
  ): Promise<WatchedStore> => {
    app = await startApp({
      platform,
      options: { store, asyncContext },
      controllers: [ContextController],
      providers: [Ledger, Clerk],
    });
    return store;
  };
  afterEach(closeApps);

  it('finds the current session after awaits, in nested and in request-scoped providers, once the body was read', async () => {
    await start();
    const ada = await visitor(app);
    const answer = await ada.post('/add', { item: 'amphora'.repeat(20_000).slice(0, 20_000) });
    expect(answer.json<{ one: boolean; cart: string[] }>().one).toBe(true);
    expect(answer.json<{ cart: string[] }>().cart).toHaveLength(2);
  });

  it('keeps the sessions of parallel requests apart', async () => {
    await start();
    const people = await Promise.all(Array.from({ length: 20 }, () => visitor(app)));
    const carts = await Promise.all(people.map((person, n) => person.post('/add', { item: `item ${n}` })));
    expect(carts.map((answer) => answer.json<{ cart: string[] }>().cart.sort())).toEqual(
      carts.map((_, n) => [`item ${n}`, `item ${n} twice`]),
    );
  });

  it('finds it in timers that the request has set', async () => {
    await start();
    expect((await (await visitor(app)).get('/timer')).text).toBe('true');
  });

  it('logs in and out, and commits at once when asked', async () => {
    const store = await start();
    const ada = await visitor(app);
    expect((await ada.post('/login')).text).toBe('unchanged');
    expect(store.take()).toEqual(['insert']);
    await ada.post('/logout');
    expect(store.take()).toEqual(['find', 'delete']);
    await ada.post('/login');
    await ada.post('/destroy');
    expect(await ada.token()).toBeUndefined();
  });

  it('H4: commits nothing, and loads nothing, for a session that nobody touched', async () => {
    const store = await start();
    const answer = await (
      await visitor(app)
    ).get('/commit', { headers: { cookie: `__Host-session=${'A'.repeat(22)}.${'B'.repeat(43)}` } });
    expect({ text: answer.text, calls: store.calls, cookies: answer.cookies }).toEqual({
      text: 'committed',
      calls: [],
      cookies: [],
    });
  });

  it('takes a context or a request for the same session', async () => {
    await start();
    expect((await (await visitor(app)).get('/of')).text).toBe('true');
  });

  it('without async context still does so, and says what is missing where it cannot', async () => {
    await start(false);
    const ada = await visitor(app);
    expect((await ada.get('/of')).text).toBe('true');
    expect((await ada.get('/current')).json()).toEqual({
      code: 'SESSION_REQUEST_MISSING',
      message: expect.stringMatching(/asyncContext turned on, or use of\(context\)/),
    });
  });

  it.each<[string, (sessions: SessionService) => Promise<unknown>]>([
    ['current()', (sessions) => sessions.current()],
    ['login()', (sessions) => sessions.login({ id: 1 })],
    ['of(undefined)', (sessions) => sessions.of(undefined as never)],
  ])('outside of a request %s is missing one', async (_call, ask) => {
    await start();
    await expect(ask(app.get(SessionService))).rejects.toMatchObject({ code: 'SESSION_REQUEST_MISSING' });
  });

  it('outside of a request says how to get inside', async () => {
    await start();
    await expect(app.get(SessionService).of({})).rejects.toThrow('SessionModule.forRoot()');
  });

  it('lets a validating pipe be global: a session is not a body', async () => {
    app = await startApp({
      platform,
      controllers: [ContextController],
      providers: [Ledger, Clerk],
      configure: (it) =>
        void it.useGlobalPipes(
          new ValidationPipe({ transform: true, whitelist: true, forbidNonWhitelisted: true }),
        ),
    });
    expect((await (await visitor(app)).get('/decorated')).json()).toEqual({ visits: 1, who: null });
  });

  it.each([
    ['ws', "Import SessionSocketsModule of 'nestjs-tessera/websockets'."],
    ['rpc', 'Open a token with SessionManager.'],
    [
      'graphql',
      'The context of the operation needs the HTTP request as `req`: let the option `context` be a function. Over a socket it needs what graphql-ws passes to that function, or the `request` of Mercurius.',
    ],
  ])('W7: says of a context of the kind %s what works there', async (kind, wayOut) => {
    await start();
    const context = {
      getType: () => kind,
      getArgs: () => [{}, {}, {}, {}],
      switchToHttp: () => ({ getRequest: () => ({}) }),
    };
    await expect(app.get(SessionService).of(context)).rejects.toMatchObject({
      code: 'SESSION_REQUEST_MISSING',
      message: `No session is found in this context of the kind '${kind}'. ${wayOut}`,
    });
  });

  it('W31: is passed as it is where custom decorators are validated, whatever type the compiler noted for it', async () => {
    app = await startApp({
      platform,
      controllers: [ContextController],
      providers: [Ledger, Clerk],
      configure: (it) =>
        void it.useGlobalPipes(new ValidationPipe({ transform: true, validateCustomDecorators: true })),
    });
    const ada = await visitor(app);
    await ada.post('/login');
    expect((await ada.get('/decorated')).json()).toMatchObject({ visits: 1, who: { id: '7' } });
  });

  it('W38: peek returns a session that is loaded, and null for any other, without loading it', async () => {
    const store = await start();
    const ada = await visitor(app);
    await ada.get('/of');
    store.take();
    expect({
      before: (await ada.get('/peek')).json(),
      calls: store.take(),
      after: (await ada.get('/peek?load=1')).json(),
      foreign: app.get(SessionService).peek({}),
    }).toEqual({ before: { theme: null }, calls: [], after: { theme: 'dark' }, foreign: null });
  });

  it('leaves req.session to whoever owns it', async () => {
    await start();
    expect((await (await visitor(app)).get('/untouched')).json()).toEqual({ here: false, raw: false });
  });
});
