import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  MemorySessionStore,
  SessionEvents,
  SessionService,
  type Session,
  type SessionModuleOptions,
} from 'nestjs-tessera';
import { manualClock } from 'nestjs-tessera/testing';
import { SessionSocketsModule } from 'nestjs-tessera/websockets';
import { of, type Observable } from 'rxjs';
import { until } from '../../lib/testing/store-suite/deadline-client';
import { closeApps, startApp, type App } from '../support/app';
import { scripted } from '../support/scripted';
import '../support/session-data';
import { Visitor, visitor } from '../support/visitor';
import { WatchedStore, door } from '../support/watched-store';
import { socketKinds, type Frame, type SocketClient } from './socket-client';

const MINUTE = 60_000;
type Work = (session: Session) => unknown;

describe.each(socketKinds)('what meets a message or a handshake of $name under way', (kind) => {
  const http = scripted();
  const works: Work[] = [];
  const clients: SocketClient[] = [];
  let clock: ReturnType<typeof manualClock>;
  let store: WatchedStore;
  let app: App;
  let ada: Visitor;
  /** Her browser, at another process of the application. */
  let elsewhere: Visitor;
  let gone: ReturnType<typeof door>;

  @WebSocketGateway()
  class Gateway {
    constructor(private readonly sessions: SessionService) {}

    handleDisconnect(): void {
      gone.open();
    }

    @SubscribeMessage('work')
    async work(@MessageBody() number: number): Promise<Frame> {
      const result = await works[number]!(await this.sessions.current());
      return { event: 'done', data: result ?? null };
    }

    @SubscribeMessage('stream')
    async stream(@MessageBody() number: number): Promise<Observable<Frame>> {
      await works[number]!(await this.sessions.current());
      return of({ event: 'done', data: 1 });
    }
  }

  async function start(options: SessionModuleOptions = {}): Promise<void> {
    clock = manualClock();
    gone = door();
    const inner = new MemorySessionStore();
    store = new WatchedStore(inner);
    app = await startApp({
      platform: 'express',
      options: { store, clock, ...options },
      imports: [SessionSocketsModule],
      controllers: [http.controller],
      providers: [Gateway],
      configure: (each) => void each.useWebSocketAdapter(kind.adapter(each)),
    });
    ada = await visitor(app);
    const other = await startApp({
      platform: 'express',
      options: { store: inner, clock, ...options },
      controllers: [http.controller],
    });
    elsewhere = new Visitor(await other.getUrl(), ada.jar);
    await http.run(ada, (s) => s.login({ id: 'ada' }));
  }
  afterEach(async () => {
    store.before = store.after = () => {};
    for (const client of clients.splice(0)) client.close();
    await closeApps();
  });

  async function connect(who = ada): Promise<SocketClient> {
    const url = await app.getUrl();
    const cookie = await who.jar.getCookieString(url.replace('http:', 'https:'));
    const client = await kind.connect(url, { headers: { cookie } });
    clients.push(client);
    return client;
  }
  const run = (client: SocketClient, work: Work, event = 'work'): Promise<Frame> =>
    client.ask(event, works.push(work) - 1);

  /** Holds the next call of this kind. Returns when it has come, and what lets it go on. */
  function hold(
    operation: string,
    when: 'before' | 'after' = 'before',
  ): { arrived: Promise<void>; go(): void } {
    const [arrived, going] = [door(), door()];
    store[when] = (each) => {
      if (each !== operation) return undefined;
      store[when] = () => {};
      arrived.open();
      return going.opened;
    };
    return { arrived: arrived.opened, go: going.open };
  }

  it.each<{ what: string; work: Work }>([
    { what: 'a renewal', work: (s) => s.renewToken() },
    { what: 'an elevation', work: (s) => s.elevate({ level: 2 }) },
    { what: 'another login', work: (s) => s.login({ id: 'ada' }) },
    { what: 'an impersonation', work: (s) => s.actAs({ id: 'eve' }) },
    { what: 'a logout', work: (s) => s.logout() },
  ])('S2: $what before the handshake has noted its use closes the socket', async ({ work }) => {
    await start({ rotateEvery: '5m' });
    clock.advance(6 * MINUTE);
    await http.run(ada, () => {});
    const noting = hold('update');
    const socket = await connect(await ada.twin());
    await noting.arrived;
    clock.advance(1000);
    await http.run(elsewhere, work);
    noting.go();
    expect(await socket.closed).toBe(kind.ending);
  });

  it.each<{ what: string; work: Work }>([
    { what: 'a renewal', work: (s) => s.renewToken() },
    { what: 'an elevation', work: (s) => s.elevate({ level: 2 }) },
    { what: 'another login', work: (s) => s.login({ id: 'ada' }) },
    { what: 'a logout', work: (s) => s.logout() },
  ])('S2: $what between the read of the handshake and the watch closes the socket', async ({ work }) => {
    await start();
    const reading = hold('find', 'after');
    const socket = await connect(await ada.twin());
    await reading.arrived;
    clock.advance(1000);
    await http.run(elsewhere, work);
    reading.go();
    expect(await socket.closed).toBe(kind.ending);
  });

  it('R1: a message whose socket closes while it is handled is saved', async () => {
    await start();
    const [arrived, going] = [door(), door()];
    const socket = await connect();
    void run(socket, async (s) => {
      s.set('visits', 7);
      arrived.open();
      await going.opened;
    });
    await arrived.opened;
    socket.close();
    await gone.opened;
    going.open();
    await until(async () => (await http.ask(ada, (s) => s.get('visits'))) === 7, 'it is saved');
  });

  it('R1: so is one that answers with an Observable', async () => {
    await start();
    const [arrived, going] = [door(), door()];
    const socket = await connect();
    void run(
      socket,
      async (s) => {
        s.set('visits', 7);
        arrived.open();
        await going.opened;
      },
      'stream',
    );
    await arrived.opened;
    socket.close();
    await gone.opened;
    going.open();
    await until(async () => (await http.ask(ada, (s) => s.get('visits'))) === 7, 'it is saved');
  });

  it('F6: the shutdown waits for the commit of a message', async () => {
    await start();
    const socket = await connect();
    const writing = hold('update');
    void run(socket, (s) => s.set('visits', 7));
    await writing.arrived;
    let isClosed = false;
    const closing = app.close().then(() => (isClosed = true));
    await socket.closed;
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    const before = isClosed;
    writing.go();
    await closing;
    expect({ before, isClosed }).toEqual({ before: false, isClosed: true });
  });

  it('R3: a message under way writes nothing among the data of a principal that is acted as', async () => {
    await start();
    const [arrived, going] = [door(), door()];
    const socket = await connect();
    void run(socket, async (s) => {
      s.set('theme', 'dark');
      arrived.open();
      await going.opened;
    });
    await arrived.opened;
    await http.run(elsewhere, (s) => s.actAs({ id: 'eve' }));
    const rejected = new Promise((resolve) => {
      app.get(SessionEvents).subscribe((event) => event.type === 'rejected' && resolve(event.reason));
    });
    going.open();
    const acting = await rejected.then(() => http.ask(ada, (s) => [s.principal?.id, s.get('theme') ?? null]));
    expect({ reason: await rejected, acting }).toEqual({ reason: 'superseded', acting: ['eve', null] });
  });
});
