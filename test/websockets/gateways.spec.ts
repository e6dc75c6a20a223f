import {
  Logger,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway, WsException } from '@nestjs/websockets';
import {
  AuthGuard,
  MemorySessionStore,
  Principal,
  RequireRoles,
  Session,
  SessionEvents,
  SessionRegistry,
  SessionService,
  bearer,
  composite,
  cookie,
  type LoggedInPrincipal,
  type SessionModuleOptions,
} from 'nestjs-tessera';
import { manualClock } from 'nestjs-tessera/testing';
import { SealedSessions } from 'nestjs-tessera/sealed';
import { SessionSocketsModule } from 'nestjs-tessera/websockets';
import { defer, of, type Observable } from 'rxjs';
import { KEY } from '../sealed/sealed';
import { until } from '../../lib/testing/store-suite/deadline-client';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { scripted } from '../support/scripted';
import '../support/session-data';
import { visitor, type Visitor } from '../support/visitor';
import { WatchedStore, door } from '../support/watched-store';
import { socketKinds, type Frame, type Handshake, type SocketClient } from './socket-client';

const MINUTE = 60_000;
type Work = (session: Session) => unknown;

/** Makes Nest answer with an Observable, whose subscription runs the handler. */
class Passing implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle();
  }
}

describe.each(
  platforms.flatMap((platform) => socketKinds.map((kind) => ({ platform, kind, name: kind.name }))),
)('a gateway of $name on $platform', ({ platform, kind }) => {
  const http = scripted();
  const works: Work[] = [];
  const clients: SocketClient[] = [];
  let whenConnected: Work = () => {};
  let going = door();
  let clock: ReturnType<typeof manualClock>;
  let store: WatchedStore;
  let app: App;
  let ada: Visitor;

  /** Answers with frames, which both kinds of clients understand alike. */
  @WebSocketGateway()
  class Gateway {
    constructor(private readonly sessions: SessionService) {}

    async handleConnection(): Promise<void> {
      whenConnected(await this.sessions.current());
    }

    @SubscribeMessage('several')
    several(@Session() session: Session): Observable<Frame> {
      session.set('theme', 'dark');
      return of({ event: 'done', data: 1 }, { event: 'done', data: 2 });
    }

    @SubscribeMessage('work')
    async work(@Session() session: Session, @MessageBody() number: number): Promise<Frame> {
      return { event: 'done', data: (await works[number]!(session)) ?? null };
    }

    @SubscribeMessage('current')
    async current(): Promise<Frame> {
      const { principal } = await this.sessions.current();
      return { event: 'done', data: principal?.id ?? null };
    }

    @SubscribeMessage('nothing')
    nothing(): Frame {
      return { event: 'done', data: 'nothing' };
    }

    @UseInterceptors(new Passing())
    @SubscribeMessage('intercepted')
    async intercepted(@Session() session: Session, @MessageBody() number: number): Promise<Frame> {
      return this.work(session, number);
    }

    @SubscribeMessage('lazy')
    lazy(): Observable<Frame> {
      return defer(async () => {
        (await this.sessions.current()).set('visits', 7);
        return { event: 'done', data: 1 };
      });
    }

    /** Goes on after its answer. */
    @SubscribeMessage('later')
    later(): Frame {
      void going.opened.then(async () => {
        (await this.sessions.current()).set('visits', 7);
      });
      return { event: 'done', data: 1 };
    }

    @SubscribeMessage('token')
    async token(): Promise<Frame> {
      return { event: 'done', data: await this.sessions.issueToken() };
    }

    @UseGuards(AuthGuard)
    @SubscribeMessage('guarded')
    guarded(@Principal() { id }: LoggedInPrincipal): Frame {
      return { event: 'done', data: id };
    }

    @UseGuards(AuthGuard)
    @RequireRoles('admin')
    @SubscribeMessage('admin')
    admin(): Frame {
      return { event: 'done', data: 'admin' };
    }
  }

  async function start(
    options: SessionModuleOptions = {},
    change: (adapter: ReturnType<typeof kind.adapter>) => void = () => {},
  ): Promise<void> {
    clock = manualClock();
    store = new WatchedStore(new MemorySessionStore());
    app = await startApp({
      platform,
      options: { store, clock, ...options },
      imports: [SessionSocketsModule],
      controllers: [http.controller],
      providers: [Gateway],
      configure: (each) => {
        const adapter = kind.adapter(each);
        change(adapter);
        each.useWebSocketAdapter(adapter);
      },
    });
    ada = await visitor(app);
  }
  afterEach(async () => {
    whenConnected = () => {};
    for (const client of clients.splice(0)) client.close();
    await closeApps();
  });

  async function open(handshake: Handshake = {}): Promise<SocketClient> {
    const client = await kind.connect(await app.getUrl(), handshake);
    clients.push(client);
    return client;
  }
  async function connect(who: Visitor, headers: Record<string, string> = {}): Promise<SocketClient> {
    const url = (await app.getUrl()).replace('http:', 'https:');
    return open({ headers: { cookie: await who.jar.getCookieString(url), ...headers } });
  }
  const run = (client: SocketClient, work: Work, event = 'work'): Promise<Frame> =>
    client.ask(event, works.push(work) - 1);
  const logIn = (roles: string[] = []) => http.run(ada, (s) => s.login({ id: 'ada', roles }));
  const refused = (code: string): Frame => ({
    event: 'exception',
    data: { status: 'error', code, message: expect.any(String) },
  });
  const done = (data: unknown): Frame => ({ event: 'done', data });

  it('S1: sees what HTTP wrote, and the other way round, at once', async () => {
    await start();
    await logIn();
    const socket = await connect(ada);
    await http.run(ada, (s) => s.set('visits', 1));
    const seen = await run(socket, (s) => s.update('visits', (n = 0) => n + 1));
    const back = await http.ask(ada, (s) => s.get('visits'));
    expect({ seen, back, current: await socket.ask('current') }).toEqual({
      seen: done(2),
      back: 2,
      current: done('ada'),
    });
  });

  it('S1: loads the session once for a message that uses it, and never for another', async () => {
    await start();
    await logIn();
    const socket = await connect(ada);
    await socket.ask('current');
    store.take();
    await socket.ask('nothing');
    const unused = store.take();
    await socket.ask('guarded');
    const read = store.take();
    await run(socket, (s) => s.set('visits', 1));
    expect({ unused, read, written: store.take() }).toEqual({
      unused: [],
      read: ['find'],
      written: ['find', 'update'],
    });
  });

  it('S1: loses nothing of parallel messages', async () => {
    await start();
    await logIn();
    const sockets = await Promise.all(Array.from({ length: 20 }, () => connect(ada)));
    await Promise.all(sockets.map((each) => run(each, (s) => s.update('visits', (n = 0) => n + 1))));
    expect(await http.ask(ada, (s) => s.get('visits'))).toBe(20);
  });

  it('S1: has a scope for each message, also when several are under way on one socket', async () => {
    await start();
    await logIn();
    const socket = await connect(ada);
    const [arrived, going] = [door(), door()];
    const slow = run(socket, async (s) => {
      s.set('theme', 'dark');
      arrived.open();
      await going.opened;
    });
    await arrived.opened;
    const before = await http.ask(ada, (s) => s.get('theme') ?? null);
    going.open();
    await slow;
    expect({ before, after: await http.ask(ada, (s) => s.get('theme')) }).toEqual({
      before: null,
      after: 'dark',
    });
  });

  it('S1: has the session when a socket connects, and saves what changes there', async () => {
    await start();
    await logIn();
    const connected: (string | null)[] = [];
    whenConnected = (s) => {
      connected.push(s.principal?.id ?? null);
      if (s.principal !== null) s.set('visits', 1);
    };
    const socket = await connect(ada);
    const nobody = await open();
    await Promise.all([socket, nobody].map((each) => each.ask('current')));
    expect({ connected, visits: await run(socket, (s) => s.get('visits')) }).toEqual({
      connected: ['ada', null],
      visits: done(1),
    });
  });

  it('S1: commits before the first of several answers, and what was set before an error', async () => {
    await start();
    await logIn();
    const socket = await connect(ada);
    await socket.ask('several');
    const theme = await http.ask(ada, (s) => s.get('theme'));
    const failed = await run(socket, (s) => {
      s.set('cart', ['pear']);
      throw new WsException({ status: 'error', code: 'MINE', message: 'no' });
    });
    expect({ theme, failed, cart: await http.ask(ada, (s) => s.get('cart')) }).toEqual({
      theme: 'dark',
      failed: refused('MINE'),
      cart: ['pear'],
    });
  });

  it('S1: has its session behind an interceptor, and commits before the answer', async () => {
    await start();
    await logIn();
    const socket = await connect(ada);
    const written = await run(socket, (s) => void s.set('visits', 7), 'intercepted');
    const visits = await http.ask(ada, (s) => s.get('visits'));
    const refusedLogin = await run(socket, (s) => s.login({ id: 'eve' }), 'intercepted');
    const left = await run(socket, (s) => s.logout(), 'intercepted');
    expect({ written, visits, refusedLogin, left, user: await http.ask(ada, (s) => s.principal) }).toEqual({
      written: done(null),
      visits: 7,
      refusedLogin: refused('SESSION_TOKEN_UNDELIVERABLE'),
      left: done(null),
      user: null,
    });
  });

  it('S1: saves what a lazy answer changes before it, and what changes after the answer', async () => {
    await start();
    await logIn();
    const socket = await connect(ada);
    await socket.ask('lazy');
    const lazy = await http.ask(ada, (s) => s.get('visits'));
    await http.run(ada, (s) => s.set('visits', 0));
    going = door();
    await socket.ask('later');
    going.open();
    await until(async () => (await http.ask(ada, (s) => s.get('visits'))) === 7, 'the late change is saved');
    expect(lazy).toBe(7);
  });

  it('S3: tells no token to a message', async () => {
    await start({ transport: composite(cookie(), bearer()) });
    await logIn();
    const answer = await (await connect(ada)).ask('token');
    expect({ event: answer.event, isTold: JSON.stringify(answer).includes((await ada.token())!) }).toEqual({
      event: 'exception',
      isTold: false,
    });
  });

  it('S1: has the stored session of a visitor, who may write to it', async () => {
    await start();
    await http.run(ada, (s) => s.set('visits', 1));
    const socket = await connect(ada);
    await run(socket, (s) => s.set('visits', 7));
    expect(await http.ask(ada, (s) => s.get('visits'))).toBe(7);
  });

  it('S3: reads a sealed session as it was at the handshake, refuses to write it, and is closed by its end', async () => {
    const revocations = new MemorySessionStore();
    await start({ store: new SealedSessions({ keys: [KEY], revocations }) });
    await http.run(ada, (s) => {
      s.login({ id: 'ada' });
      s.set('theme', 'dark');
    });
    const socket = await connect(ada);
    const [read, written] = [
      await run(socket, (s) => s.get('theme')),
      await run(socket, (s) => s.set('theme', 'light')),
    ];
    await http.run(ada, (s) => s.logout());
    expect({ read, written, ending: await socket.closed }).toEqual({
      read: done('dark'),
      written: refused('SESSION_TOKEN_UNDELIVERABLE'),
      ending: kind.ending,
    });
  });

  it('is refused by guards with their code', async () => {
    await start();
    const nobody = await open();
    await logIn(['user']);
    const member = await connect(ada);
    expect({
      nobody: await nobody.ask('guarded'),
      member: await member.ask('guarded'),
      role: await member.ask('admin'),
    }).toEqual({
      nobody: refused('LOGIN_REQUIRED'),
      member: done('ada'),
      role: refused('ROLE_REQUIRED'),
    });
  });

  it.each<{ what: string; work: Work; loggedIn: boolean }>([
    { what: 'a login', work: (s) => s.login({ id: 'eve' }), loggedIn: false },
    { what: 'another login', work: (s) => s.login({ id: 'eve' }), loggedIn: true },
    { what: 'a renewal', work: (s) => s.renewToken(), loggedIn: true },
    { what: 'an elevation', work: (s) => s.elevate({ level: 2 }), loggedIn: true },
    { what: 'the first write of a visitor', work: (s) => s.set('visits', 1), loggedIn: false },
  ])('S3: refuses $what, and stores nothing', async ({ work, loggedIn }) => {
    await start();
    if (loggedIn) await logIn();
    const socket = await connect(ada);
    await socket.ask('current');
    store.take();
    const log = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const answer = await run(socket, work);
    const logged = log.mock.calls.length;
    log.mockRestore();
    const writes = store.take().filter((call) => call !== 'find');
    const after = await socket.ask('current');
    expect({ answer, writes, logged, after }).toEqual({
      answer: refused('SESSION_TOKEN_UNDELIVERABLE'),
      writes: [],
      // A client could fill the log.
      logged: 0,
      after: done(loggedIn ? 'ada' : null),
    });
  });

  it.each<{ what: string; end: () => unknown }>([
    { what: 'a logout', end: () => http.run(ada, (s) => s.logout()) },
    { what: 'a logout that keeps the data', end: () => http.run(ada, (s) => s.logout({ keepData: true })) },
    { what: 'another login', end: () => http.run(ada, (s) => s.login({ id: 'eve' })) },
    { what: 'an impersonation', end: () => http.run(ada, (s) => s.actAs({ id: 'eve' })) },
    { what: 'a revocation', end: () => app.get(SessionRegistry).endAll({ id: 'ada' }) },
    { what: 'its idle timeout', end: () => clock.advance(31 * MINUTE) },
  ])('S2: is closed by $what', async ({ end }) => {
    await start();
    await logIn();
    const socket = await connect(ada);
    expect(await socket.ask('guarded')).toEqual(done('ada'));
    await end();
    expect(await socket.closed).toBe(kind.ending);
  });

  it('S2: is closed by its own logout', async () => {
    await start();
    await logIn();
    const socket = await connect(ada);
    await run(socket, (s) => s.logout());
    expect({ ending: await socket.closed, user: await http.ask(ada, (s) => s.principal) }).toEqual({
      ending: kind.ending,
      user: null,
    });
  });

  it.each<{ what: string; replace: () => unknown }>([
    { what: 'an elevation', replace: () => http.run(ada, (s) => s.elevate({ level: 2 })) },
    { what: 'a renewal', replace: () => http.run(ada, (s) => s.renewToken()) },
    {
      what: 'the end of all other sessions',
      replace: () =>
        http.run(ada, async () => app.get(SessionService).endAll({ id: 'ada' }, { except: 'current' })),
    },
  ])('S2: is closed by $what, as it may have been opened with a copied token', async ({ replace }) => {
    await start();
    await logIn();
    const socket = await connect(await ada.twin());
    await socket.ask('current');
    clock.advance(1000);
    await replace();
    expect({ ending: await socket.closed, user: await http.ask(ada, (s) => s.principal?.id) }).toEqual({
      ending: kind.ending,
      user: 'ada',
    });
  });

  it('S2: stays open over rotations, long after its token is dead', async () => {
    await start({ rotateEvery: '5m' });
    const stolen: unknown[] = [];
    app.get(SessionEvents).subscribe((event) => event.type === 'stolen' && stolen.push(event));
    await logIn();
    const socket = await connect(ada);
    for (let i = 0; i < 6; i++) {
      clock.advance(6 * MINUTE);
      await http.run(ada, (s) => s.set('visits', i));
    }
    const seen = await run(socket, (s) => s.update('visits', (n = 0) => n + 1));
    const back = await http.ask(ada, (s) => s.get('visits'));
    expect({ seen, back, stolen }).toEqual({ seen: done(6), back: 6, stolen: [] });
  });

  it('E2: keeps its session alive by messages', async () => {
    await start();
    await logIn();
    const socket = await connect(ada);
    for (let i = 0; i < 5; i++) {
      clock.advance(20 * MINUTE);
      await socket.ask('guarded');
    }
    expect(await http.ask(ada, (s) => s.principal?.id)).toBe('ada');
  });

  it('S4: is refused from pages of other sites before the session is read', async () => {
    await start({ csrf: { trustedOrigins: ['https://app.example'] } });
    await logIn();
    store.take();
    await expect(connect(ada, { origin: 'https://evil.example' })).rejects.toThrow();
    const calls = store.take();
    const trusted = await connect(ada, { origin: 'https://app.example' });
    expect({ calls, trusted: await trusted.ask('guarded') }).toEqual({ calls: [], trusted: done('ada') });
  });

  it('S4: is closed at once where an adapter drops the options of its servers', async () => {
    const connected: string[] = [];
    await start({}, (adapter) => {
      const { create } = adapter;
      adapter.create = (port: number) => create.call(adapter, port, {} as never) as never;
    });
    whenConnected = (s) => connected.push(s.principal?.id ?? 'nobody');
    await logIn();
    store.take();
    const socket = await connect(ada, { origin: 'https://evil.example' }).catch(() => null);
    expect({ ending: await socket?.closed, connected, calls: store.take() }).toEqual({
      ending: kind.ending,
      connected: [],
      calls: [],
    });
  });

  it('F1: is closed when its session cannot be read at the handshake, for it could not be closed by its end', async () => {
    await start();
    await logIn();
    const went: string[] = [];
    whenConnected = () => went.push('on');
    store.before = () => Promise.reject(new Error('the store is down'));
    const socket = await connect(ada);
    expect({ ending: await socket.closed, went }).toEqual({ ending: kind.failing, went: [] });
    store.before = () => {};
  });

  it('C18: has no session when the two tokens of its handshake differ', async () => {
    await start({ transport: composite(cookie(), bearer()) });
    await logIn();
    const eve = await visitor(app);
    await http.run(eve, (s) => s.login({ id: 'eve' }));
    const [a, e] = [(await ada.token())!, (await eve.token())!];
    const authorization = `Bearer ${a}`;
    const handshake: Handshake =
      kind.name === 'ws'
        ? { headers: { authorization, cookie: `__Host-session=${e}` } }
        : { headers: { authorization }, auth: { token: e } };
    expect(await (await open(handshake)).ask('current')).toEqual(done(null));
  });

  it('C18: has the session of a bearer token', async () => {
    await start({ transport: composite(cookie(), bearer()) });
    await logIn();
    const token = (await ada.token())!;
    const inHeader = await open({ headers: { authorization: `Bearer ${token}` } });
    const handshakes = [inHeader, ...(kind.name === 'ws' ? [] : [await open({ auth: { token } })])];
    const answers = await Promise.all(handshakes.map((each) => each.ask('guarded')));
    expect(answers).toEqual(handshakes.map(() => done('ada')));
  });

  it('F1: answers with an error while the store is down, and goes on afterwards', async () => {
    await start();
    await logIn();
    const socket = await connect(ada);
    await socket.ask('current');
    store.before = () => Promise.reject(new Error('the store is down'));
    const [read, guarded] = [await run(socket, () => 1), await socket.ask('guarded')];
    store.before = (call) => (call === 'find' ? undefined : Promise.reject(new Error('the store is down')));
    const written = await run(socket, (s) => s.set('visits', 1));
    store.before = () => {};
    const unavailable = refused('SESSION_STORE_UNAVAILABLE');
    expect({ read, guarded, written, after: await socket.ask('guarded') }).toEqual({
      read: unavailable,
      guarded: unavailable,
      written: unavailable,
      after: done('ada'),
    });
  });
});
