import { IoAdapter } from '@nestjs/platform-socket.io';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Session, SessionEvents } from 'nestjs-tessera';
import { manualClock } from 'nestjs-tessera/testing';
import { SessionSocketsModule } from 'nestjs-tessera/websockets';
import type { Namespace, Socket as ServerSocket } from 'socket.io';
import { Manager, type Socket } from 'socket.io-client';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { scripted } from '../support/scripted';
import '../support/session-data';
import { visitor, type Visitor } from '../support/visitor';

const MINUTE = 60_000;

const principalOf = ({ principal }: Session): string | null => principal?.id ?? null;

@WebSocketGateway()
class MainGateway {
  @SubscribeMessage('who')
  who(@Session() session: Session): string | null {
    return principalOf(session);
  }
}

/** Sockets that were disconnected before the gateway has seen them. */
const refused: ServerSocket[] = [];

@WebSocketGateway({ namespace: 'full' })
class FullGateway {
  afterInit(namespace: Namespace): void {
    namespace.on('connection', (socket) => {
      refused.push(socket.disconnect());
      jest.spyOn(socket, 'disconnect');
    });
  }
}

@WebSocketGateway({ namespace: 'chat' })
class ChatGateway {
  @SubscribeMessage('who')
  who(@Session() session: Session): string | null {
    return principalOf(session);
  }
}

describe.each(platforms)('a namespace that joins a connection later on %s', (platform) => {
  const http = scripted();
  const managers: Manager[] = [];
  let clock: ReturnType<typeof manualClock>;
  let app: App;
  let ada: Visitor;
  let stolen: unknown[];

  beforeEach(async () => {
    clock = manualClock();
    app = await startApp({
      platform,
      options: { clock, rotateEvery: '5m' },
      imports: [SessionSocketsModule],
      controllers: [http.controller],
      providers: [MainGateway, ChatGateway, FullGateway],
      configure: (each) => void each.useWebSocketAdapter(new IoAdapter(each)),
    });
    ada = await visitor(app);
    stolen = [];
    app.get(SessionEvents).subscribe((event) => event.type === 'stolen' && stolen.push(event));
  });
  afterEach(async () => {
    for (const each of managers.splice(0)) each._close();
    await closeApps();
  });

  async function connect(transports = ['websocket']): Promise<Manager> {
    const url = await app.getUrl();
    const cookie = await ada.jar.getCookieString(url.replace('http:', 'https:'));
    const manager = new Manager(url, { transports, extraHeaders: { cookie }, reconnectionDelay: 1 });
    managers.push(manager);
    return manager;
  }
  const once = (socket: Socket, event: string): Promise<unknown> =>
    new Promise((resolve) => socket.once(event, resolve));
  async function join(manager: Manager, namespace: string): Promise<Socket> {
    const socket = manager.socket(namespace);
    await once(socket, 'connect');
    return socket;
  }
  const visit = async (): Promise<void> => {
    clock.advance(6 * MINUTE);
    await http.run(ada, (s) => s.update('visits', (n = 0) => n + 1));
  };

  it('S2: takes no token for stolen that was rotated since the handshake', async () => {
    await http.run(ada, (s) => s.login({ id: 'ada' }));
    const manager = await connect();
    const main = await join(manager, '/');
    for (let i = 0; i < 3; i++) await visit();
    manager.socket('/chat');
    const ending = await once(main, 'disconnect');
    expect({ ending, stolen, user: await http.ask(ada, principalOf) }).toEqual({
      // Its client comes back by itself, with the cookie that it has by then.
      ending: 'transport close',
      stolen: [],
      user: 'ada',
    });
  });

  it('S1: has the session of its connection while the token of that is good, also after polling', async () => {
    await http.run(ada, (s) => s.login({ id: 'ada' }));
    const manager = await connect(['polling', 'websocket']);
    const main = await join(manager, '/');
    clock.advance(MINUTE);
    const chat = await join(manager, '/chat');
    const seen = { main: await main.emitWithAck('who'), chat: await chat.emitWithAck('who') };
    expect({ ...seen, isOneConnection: main.connected }).toEqual({
      main: 'ada',
      chat: 'ada',
      isOneConnection: true,
    });
  });

  it('S2: watches no login for a socket that was refused before its gateway saw it', async () => {
    refused.length = 0;
    await http.run(ada, (s) => s.login({ id: 'ada' }));
    const manager = await connect();
    await once(manager.socket('/full'), 'disconnect');
    const main = await join(await connect(), '/');
    const ending = once(main, 'disconnect');
    await http.run(ada, (s) => s.logout());
    await ending;
    const closings = refused.map(({ disconnect }) => (disconnect as unknown as jest.Mock).mock.calls.length);
    expect(closings).toEqual([0]);
  });
});
