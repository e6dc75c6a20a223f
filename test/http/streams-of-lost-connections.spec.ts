import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { Controller, Get, Inject, Post, Req, Res } from '@nestjs/common';
import { MemorySessionStore, Session, SessionService, type SessionId } from 'nestjs-tessera';
import { call } from '../../lib/testing/store-suite/store-suite';
import { until } from '../stores/redis-until';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { visitor, type Visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';

type Reply = ServerResponse & { readonly raw?: ServerResponse; readonly hijack?: () => void };

/** Number of requests that have reached their handlers, and of those that have used their session. */
const reached = { begun: 0, used: 0 };

@Controller()
class LiveController {
  constructor(@Inject(SessionService) private readonly sessions: SessionService) {}

  @Post('login') async login(): Promise<void> {
    await this.sessions.login({ id: 'ada' });
  }

  @Post('logout') async logout(): Promise<void> {
    await this.sessions.logout();
  }

  @Get('stream') stream(@Session() _session: Session, @Res() reply: Reply): void {
    begin(reply);
  }

  @Get('own') async own(@Res() reply: Reply): Promise<void> {
    await this.sessions.ended();
    begin(reply);
  }

  /** Uses the session after its client has left. */
  @Get('after') async after(@Req() request: IncomingMessage, @Res() reply: Reply): Promise<void> {
    const raw = begin(reply);
    await once(raw, 'close');
    await this.sessions.of(request);
    reached.used++;
  }

  /** Begins to answer, waits until the connection is lost, and asks for the signal. */
  @Get('own-after') async ownAfter(@Req() request: IncomingMessage, @Res() reply: Reply): Promise<void> {
    const raw = begin(reply);
    if (!raw.req.socket.destroyed) await once(raw.req.socket, 'close');
    await this.sessions.ended(request);
    reached.used++;
  }
}

function begin(reply: Reply): ServerResponse {
  const raw = reply.raw ?? reply;
  reply.hijack?.();
  raw.writeHead(200, { 'content-type': 'text/event-stream' });
  raw.write('begun\n');
  reached.begun++;
  return raw;
}

describe.each(platforms)('a stream whose connection was lost on %s', (platform) => {
  let store: WatchedStore;
  let app: App;
  let ada: Visitor;

  beforeEach(async () => {
    Object.assign(reached, { begun: 0, used: 0 });
    store = new WatchedStore(new MemorySessionStore());
    app = await startApp({
      platform,
      options: { store, closeStreamsOnEnd: true },
      controllers: [LiveController],
    });
    ada = await visitor(app);
    await ada.post('/login');
  });
  afterEach(closeApps);

  /** Sends requests over one connection without waiting for answers, and cuts it when all have begun. */
  async function loseAfter(paths: readonly string[]): Promise<void> {
    const url = await app.getUrl();
    const cookie = await ada.jar.getCookieString(url.replace('http:', 'https:'));
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    for (const path of paths) socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nCookie: ${cookie}\r\n\r\n`);
    await until(() => reached.begun === paths.length, 'all requests have begun');
    socket.destroy();
  }

  /** Opens another stream, and ends its session. Resolves when it is closed: all streams so far have been looked at by then. */
  async function closeAnother(): Promise<void> {
    const eve = await visitor(app);
    await eve.post('/login');
    const url = await app.getUrl();
    const cookie = await eve.jar.getCookieString(url.replace('http:', 'https:'));
    const stream = await fetch(`${url}/stream`, { headers: { cookie } });
    await eve.post('/logout');
    await stream.text();
  }

  /** Whether the session of the lost streams is read when it may have ended. */
  async function isWatched(): Promise<boolean> {
    await closeAnother();
    const id = (await ada.token())!.slice(0, 22) as SessionId;
    let isRead = false;
    store.before = (_, of) => void (isRead ||= of === id);
    await store.inner.delete(id, call);
    await closeAnother();
    return isRead;
  }

  it.each([
    ['has begun', ['/stream']],
    ['waits for its turn behind another', ['/stream', '/stream', '/stream']],
    ['waits for its turn, and has asked for its signal', ['/own', '/own', '/own']],
  ])('is not watched any more when it %s', async (_, paths) => {
    await loseAfter(paths);
    expect({ isWatched: await isWatched() }).toEqual({ isWatched: false });
  });

  it.each([
    ['its session is used afterwards', ['/after']],
    ['its signal is asked for afterwards', ['/own-after', '/own-after']],
  ])('is not watched when %s', async (_, paths) => {
    await loseAfter(paths);
    await until(() => reached.used === paths.length, 'all have used their session');
    expect({ isWatched: await isWatched() }).toEqual({ isWatched: false });
  });

  it('makes no listeners pile up, however many requests wait for their turn', async () => {
    const warnings: unknown[] = [];
    const note = (warning: Error) => warnings.push(warning.name);
    process.on('warning', note);
    await loseAfter(Array.from({ length: 20 }, () => '/own'));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });
});
