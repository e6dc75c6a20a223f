import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  Controller,
  Get,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { WsAdapter } from '@nestjs/platform-ws';
import { ConnectedSocket, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Session, SessionService, type SessionModuleOptions } from 'nestjs-tessera';
import { SessionSocketsModule } from 'nestjs-tessera/websockets';
import type { Observable } from 'rxjs';
import { WebSocket } from 'ws';
import { until } from '../../lib/testing/store-suite/deadline-client';
import { closeApps, startApp, type App } from '../support/app';
import { scripted } from '../support/scripted';
import { visitor, type Visitor } from '../support/visitor';
import type { Frame } from './socket-client';

class Passing implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle();
  }
}

/** ws queues the compression of all sockets, and a job may run in the async context of the one before. */
const perMessageDeflate = { concurrencyLimit: 1, threshold: 1024 };
const MESSAGES = 10;

describe('the async context of a socket', () => {
  const http = scripted();
  let app: App;
  let handled = 0;

  const whoAsks = (sessions: SessionService): Promise<string | null> =>
    sessions.current().then(
      ({ principal }) => principal?.id ?? null,
      ({ code }: { code: string }) => code,
    );

  @WebSocketGateway({ perMessageDeflate })
  class Gateway {
    constructor(private readonly sessions: SessionService) {}

    @SubscribeMessage('flood')
    flood(@ConnectedSocket() client: WebSocket, @Session() _session: Session): void {
      for (let i = 0; i < 40; i++) client.send(randomBytes(1_000_000));
    }

    @UseInterceptors(new Passing())
    @SubscribeMessage('current')
    async current(): Promise<Frame> {
      return { event: 'done', data: await whoAsks(this.sessions) };
    }

    @UseInterceptors(new Passing())
    @SubscribeMessage('param')
    param(@Session() { principal }: Session): Frame {
      return { event: 'done', data: principal?.id ?? null };
    }

    @SubscribeMessage('inject')
    async inject(): Promise<Frame> {
      const { payload } = await (app as NestFastifyApplication).inject({ method: 'GET', url: '/current' });
      return { event: 'done', data: payload };
    }

    /** Asks for the session of a context, as a guard does: its own, or one of another client. */
    @SubscribeMessage('context')
    async context(@ConnectedSocket() client: WebSocket): Promise<Frame> {
      const of = (each: object): Promise<string | null> =>
        this.sessions
          .of({
            getType: () => 'ws',
            switchToHttp: () => ({}),
            switchToWs: () => ({ getClient: () => each }),
          })
          .then(
            ({ principal }) => principal?.id ?? null,
            ({ code }: { code: string }) => code,
          );
      return { event: 'done', data: { own: await of(client), other: await of({}) } };
    }

    @SubscribeMessage('count')
    count(): void {
      handled++;
    }
  }

  @Controller()
  class CurrentController {
    constructor(private readonly sessions: SessionService) {}

    @Get('current') current(): Promise<string | null> {
      return whoAsks(this.sessions);
    }
  }

  async function start(options: SessionModuleOptions = {}): Promise<void> {
    app = await startApp({
      platform: 'fastify',
      options,
      imports: [SessionSocketsModule],
      controllers: [http.controller, CurrentController],
      providers: [Gateway],
      configure: (each) => void each.useWebSocketAdapter(new WsAdapter(each)),
    });
  }
  afterEach(closeApps);

  async function connect(id: string): Promise<{ socket: WebSocket; who: Visitor }> {
    const who = await visitor(app);
    await http.run(who, (s) => s.login({ id }));
    const url = await app.getUrl();
    const cookie = await who.jar.getCookieString(url.replace('http:', 'https:'));
    const socket = new WebSocket(url.replace('http:', 'ws:'), {
      headers: { cookie },
      perMessageDeflate: { ...perMessageDeflate, threshold: 0 },
    });
    await once(socket, 'open');
    return { socket, who };
  }

  it.each(['current', 'param'])(
    'S1: is that of its own messages while others are busy (%s)',
    async (event) => {
      await start();
      const [{ socket: ada }, { socket: eve }] = [await connect('ada'), await connect('eve')];
      const seen: unknown[] = [];
      eve.on('message', (text: Buffer) => seen.push((JSON.parse(String(text)) as Frame).data));
      ada.send(JSON.stringify({ event: 'flood' }));
      await once(ada, 'message');
      for (let sent = 1; sent <= MESSAGES; sent++) {
        eve.send(JSON.stringify({ event, data: 'x'.repeat(2000) }));
        await until(() => seen.length === sent, 'the answer comes');
      }
      ada.terminate();
      eve.terminate();
      expect(seen).toEqual(Array.from({ length: MESSAGES }, () => 'eve'));
    },
  );

  it('S1: serves no context of another client', async () => {
    await start();
    const { socket } = await connect('ada');
    socket.send(JSON.stringify({ event: 'context' }));
    const [text] = (await once(socket, 'message')) as [Buffer];
    socket.terminate();
    expect(JSON.parse(String(text))).toEqual({
      event: 'done',
      data: { own: 'ada', other: 'SESSION_REQUEST_MISSING' },
    });
  });

  it('S1: is none of a request that a message makes in its process, without asyncContext either', async () => {
    await start({ asyncContext: false });
    const { socket } = await connect('ada');
    socket.send(JSON.stringify({ event: 'inject' }));
    const [text] = (await once(socket, 'message')) as [Buffer];
    socket.terminate();
    expect(JSON.parse(String(text))).toEqual({ event: 'done', data: 'SESSION_REQUEST_MISSING' });
  });

  it('S2: handles no message of a client that does not answer the close, and drops it', async () => {
    await start();
    const { socket, who } = await connect('ada');
    const { _receiver: receiver } = socket as unknown as { _receiver: NodeJS.EventEmitter };
    const told = new Promise((resolve) => {
      receiver.removeAllListeners('conclude').once('conclude', resolve);
    });
    handled = 0;
    await http.run(who, (s) => s.logout());
    await told;
    const dropped = once(socket, 'close');
    socket.send(JSON.stringify({ event: 'count' }));
    await dropped;
    expect(handled).toBe(0);
  });
});
