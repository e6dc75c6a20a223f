import {
  Catch,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
  type Type,
} from '@nestjs/common';
import type { WsAdapter } from '@nestjs/platform-ws';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  AuthGuard,
  MemorySessionStore,
  Principal,
  RequireRoles,
  Session,
  SessionService,
  type LoggedInPrincipal,
  type SessionModuleOptions,
} from 'nestjs-tessera';
import { manualClock, type ManualClock } from 'nestjs-tessera/testing';
import { SessionSocketsModule } from 'nestjs-tessera/websockets';
import { defer, of, type Observable } from 'rxjs';
import { closeApps, startApp, type App, type Platform } from '../support/app';
import { scripted } from '../support/scripted';
import '../support/session-data';
import { visitor, type Visitor } from '../support/visitor';
import { WatchedStore, door } from '../support/watched-store';
import type { Frame, Handshake, SocketClient, socketKinds } from './socket-client';

export const MINUTE = 60_000;
export type Work = (session: Session) => unknown;
export type MessageHandler = Parameters<WsAdapter['bindMessageHandlers']>[1][number];
type SocketKind = (typeof socketKinds)[number];

export const refused = (code: string): Frame => ({
  event: 'exception',
  data: { status: 'error', code, message: expect.any(String) },
});
export const done = (data: unknown): Frame => ({ event: 'done', data });

/** Makes Nest answer with an Observable, whose subscription runs the handler. */
class Passing implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle();
  }
}

@Catch()
class ThrowingFilter implements ExceptionFilter {
  catch(): never {
    throw new Error('of the filter');
  }
}

/** An application with a gateway, a browser of Ada's, and clients of the gateway. */
export class GatewayFixture {
  readonly http = scripted();
  readonly works: Work[] = [];
  whenConnected: Work = () => {};
  going = door();
  clock!: ManualClock;
  store!: WatchedStore;
  app!: App;
  ada!: Visitor;
  readonly #clients: SocketClient[] = [];

  constructor(
    private readonly platform: Platform,
    private readonly kind: SocketKind,
  ) {}

  readonly start = async (
    options: SessionModuleOptions = {},
    change: (adapter: ReturnType<SocketKind['adapter']>) => void = () => {},
  ): Promise<void> => {
    this.clock = manualClock();
    this.store = new WatchedStore(new MemorySessionStore());
    this.app = await startApp({
      platform: this.platform,
      options: { store: this.store, clock: this.clock, ...options },
      imports: [SessionSocketsModule],
      controllers: [this.http.controller],
      providers: [gatewayOf(this)],
      configure: (each) => {
        const adapter = this.kind.adapter(each);
        change(adapter);
        each.useWebSocketAdapter(adapter);
      },
    });
    this.ada = await visitor(this.app);
  };

  readonly close = async (): Promise<void> => {
    this.whenConnected = () => {};
    for (const client of this.#clients.splice(0)) client.close();
    await closeApps();
  };

  async open(handshake: Handshake = {}): Promise<SocketClient> {
    const client = await this.kind.connect(await this.app.getUrl(), handshake);
    this.#clients.push(client);
    return client;
  }

  async connect(who: Visitor, headers: Record<string, string> = {}): Promise<SocketClient> {
    const url = (await this.app.getUrl()).replace('http:', 'https:');
    return this.open({ headers: { cookie: await who.jar.getCookieString(url), ...headers } });
  }

  run(client: SocketClient, work: Work, event = 'work'): Promise<Frame> {
    return client.ask(event, this.works.push(work) - 1);
  }

  logIn(roles: string[] = []) {
    return this.http.run(this.ada, (s) => s.login({ id: 'ada', roles }));
  }
}

function gatewayOf(fixture: GatewayFixture): Type {
  /** Answers with frames, which both kinds of clients understand alike. */
  @WebSocketGateway()
  class Gateway {
    constructor(private readonly sessions: SessionService) {}

    async handleConnection(): Promise<void> {
      fixture.whenConnected(await this.sessions.current());
    }

    @SubscribeMessage('several')
    several(@Session() session: Session): Observable<Frame> {
      session.set('theme', 'dark');
      return of({ event: 'done', data: 1 }, { event: 'done', data: 2 });
    }

    @SubscribeMessage('work')
    async work(@Session() session: Session, @MessageBody() number: number): Promise<Frame> {
      return { event: 'done', data: (await fixture.works[number]!(session)) ?? null };
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
      void fixture.going.opened.then(async () => {
        (await this.sessions.current()).set('visits', 7);
      });
      return { event: 'done', data: 1 };
    }

    @SubscribeMessage('token')
    async token(): Promise<Frame> {
      return { event: 'done', data: await this.sessions.issueToken() };
    }

    @SubscribeMessage('end all others')
    async endAllOthers(): Promise<Frame> {
      await this.sessions.endAll({ id: 'ada' }, { except: 'current' });
      return { event: 'done', data: 'ended' };
    }

    @UseFilters(new ThrowingFilter())
    @SubscribeMessage('failing')
    failing(@Session() session: Session): never {
      session.set('visits', 7);
      throw new Error('of the handler');
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
  return Gateway;
}
