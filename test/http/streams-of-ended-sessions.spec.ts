import { once } from 'node:events';
import { Body, Controller, Get, Inject, Post, Query, Req, Res, Sse, type MessageEvent } from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  MemorySessionStore,
  Session,
  SessionError,
  SessionService,
  type SessionId,
  type SessionStore,
} from 'nestjs-tessera';
import { manualClock, type ManualClock } from 'nestjs-tessera/testing';
import { finalize, NEVER, startWith, type Observable } from 'rxjs';
import { call } from '../../lib/testing/store-suite/store-suite';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { describeFewStores, type StoreUnderTest } from '../support/stores';
import { visitor, type Visitor } from '../support/visitor';
import { door, WatchedStore } from '../support/watched-store';

declare module 'nestjs-tessera' {
  interface SessionData {
    glances: number;
  }
}

/** Within a second is the promise; the rest is for a busy machine. */
const PATIENCE = 2_000;
const DAY = 86_400_000;

/** Why the streams of the application's own ended. */
const reasons: unknown[] = [];

/** Called when the Observable of this name is unsubscribed. */
const unsubscribed = new Map<string, () => void>();

@Controller()
class LiveController {
  constructor(@Inject(SessionService) private readonly sessions: SessionService) {}

  @Post('login') async login(@Body() { id }: { id: string }): Promise<void> {
    await this.sessions.login({ id });
  }

  @Post('logout') async logout(@Body() { keepData = false }: { keepData?: boolean }): Promise<void> {
    await this.sessions.logout({ keepData });
  }

  @Post('destroy') async destroy(): Promise<void> {
    await this.sessions.destroy();
  }

  @Post('rotate') async rotate(): Promise<void> {
    await this.sessions.rotateToken();
  }

  @Post('renew') async renew(): Promise<void> {
    await this.sessions.renewToken();
  }

  @Post('elevate') async elevate(): Promise<void> {
    await this.sessions.elevate({ roles: ['admin'] });
  }

  @Post('end-all') async endAll(): Promise<void> {
    await this.sessions.endAll({ id: 'ada' });
  }

  @Post('see') see(@Session() session: Session): number {
    return session.update('glances', (n = 0) => n + 1);
  }

  @Sse('events') events(@Session() _session: Session, @Query('name') name: string): Observable<MessageEvent> {
    return NEVER.pipe(
      startWith({ data: 'begun' }),
      finalize(() => unsubscribed.get(name)?.()),
    );
  }

  @Post('enter') async enter(
    @Session() session: Session,
    @Res({ passthrough: false }) reply: Reply,
  ): Promise<void> {
    session.login({ id: 'ada' });
    await this.sessions.commit();
    this.#stream(reply, { 'content-type': 'text/event-stream' });
  }

  /** Begins to answer before its login is saved. */
  @Post('enter-at-once') enterAtOnce(@Session() session: Session, @Res() reply: Reply): void {
    session.login({ id: 'bob' });
    this.#stream(reply, { 'content-type': 'text/event-stream' });
  }

  @Get('lines') lines(@Session() _session: Session, @Res() reply: Reply): void {
    this.#stream(reply, { 'content-type': 'application/x-ndjson' });
  }

  @Get('download') download(@Session() _session: Session, @Res() reply: Reply): void {
    this.#stream(reply, { 'content-length': '1000000' });
  }

  @Get('anonymous') anonymous(@Res() reply: Reply): void {
    this.#stream(reply, { 'content-type': 'text/event-stream' });
  }

  @Get('late') async late(@Req() request: IncomingMessage, @Res() reply: Reply): Promise<void> {
    this.#stream(reply, { 'content-type': 'text/event-stream' });
    await this.sessions.of(request);
  }

  /** Waits for nothing but the end of the session. */
  @Get('wait') async wait(): Promise<{ code: unknown }> {
    const signal = await this.sessions.ended();
    if (!signal.aborted) await once(signal, 'abort');
    return { code: (signal.reason as SessionError).code };
  }

  @Get('glance') async glance(): Promise<boolean> {
    return (await this.sessions.ended()).aborted;
  }

  @Get('own') async own(@Res() reply: Reply): Promise<void> {
    const signal = await this.sessions.ended();
    const raw = this.#stream(reply, { 'content-type': 'application/x-ndjson' });
    signal.addEventListener('abort', () => {
      reasons.push((signal.reason as SessionError).code);
      raw.end('over\n');
    });
  }

  @Post('login-own') async loginOwn(@Res() reply: Reply): Promise<void> {
    const signal = await this.sessions.ended();
    await this.sessions.login({ id: 'bob' });
    await this.sessions.commit();
    const raw = this.#stream(reply, { 'content-type': 'application/x-ndjson' });
    signal.addEventListener('abort', () => raw.end('over\n'));
  }

  #stream(reply: Reply, headers: Record<string, string>): ServerResponse {
    const raw = reply.raw ?? reply;
    (reply as { hijack?: () => void }).hijack?.();
    raw.writeHead(200, headers);
    raw.write('begun\n');
    return raw;
  }
}

type Reply = ServerResponse & { readonly raw?: ServerResponse };

/** A stream that a client reads until it ends. */
interface Stream {
  /** Resolves with what came in the end: the text, or `null` when the connection broke. */
  readonly over: Promise<string | null>;
  /** Whether it is over by now. */
  isOver(): boolean;
  leave(): void;
}

const streams = new Set<Stream>();

/** Opens a stream, and waits for its beginning. */
async function open(client: Visitor, url: string, path: string, method = 'GET'): Promise<Stream> {
  const leaving = new AbortController();
  const cookie = await client.jar.getCookieString(url.replace('http:', 'https:'));
  const headers = { ...(cookie !== '' && { cookie }), 'content-type': 'application/json' };
  const body = method === 'POST' ? '{}' : null;
  const response = await fetch(url + path, { method, headers, body, signal: leaving.signal });
  for (const line of response.headers.getSetCookie())
    await client.jar.setCookie(line, url.replace('http:', 'https:'), { ignoreError: true });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = (await reader.read()).value ?? '';
  let isOver = false;
  const read = async (): Promise<string | null> => {
    try {
      for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
      return text;
    } catch {
      return null;
    } finally {
      isOver = true;
    }
  };
  const stream = { over: read(), isOver: () => isOver, leave: () => leaving.abort() };
  streams.add(stream);
  return stream;
}

/** The end of a stream, or an error when it does not come in time. */
function endOf({ over }: Stream): Promise<string | null> {
  return inTime(over);
}

async function inTime<T>(expected: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${PATIENCE} ms`)), PATIENCE);
  });
  return Promise.race([expected, late]).finally(() => clearTimeout(timer));
}

afterEach(async () => {
  for (const stream of streams) stream.leave();
  streams.clear();
  await closeApps();
  reasons.length = 0;
});

/** An application over a store, as one process of several. */
async function start(platform: (typeof platforms)[number], store: SessionStore, options: object = {}) {
  const app = await startApp({
    platform,
    options: { store, closeStreamsOnEnd: true, ...options },
    controllers: [LiveController],
  });
  return { app, url: await app.getUrl() };
}

/** A visitor who is logged in, on each of two processes. */
async function loggedIn(app: App, other: App): Promise<{ here: Visitor; there: Visitor }> {
  const here = await visitor(app);
  await here.post('/login', { id: 'ada' });
  const there = await visitor(other);
  for (const cookie of await here.jar.getCookies((await app.getUrl()).replace('http:', 'https:')))
    await there.jar.setCookie(cookie.toString(), (await other.getUrl()).replace('http:', 'https:'));
  return { here, there };
}

/** Resolves when the streams so far are watched: a later one is closed. */
async function watched({ app, url }: Awaited<ReturnType<typeof start>>): Promise<void> {
  const eve = await visitor(app);
  await eve.post('/login', { id: 'eve' });
  const stream = await open(eve, url, '/events');
  await eve.post('/destroy');
  await endOf(stream);
}

describe.each(platforms)('streams of ended sessions on %s', (platform) => {
  describeFewStores('kept in', ({ create }) => {
    let behind: StoreUnderTest;
    let beside: Awaited<ReturnType<StoreUnderTest['beside']>>;
    let clock: ManualClock;
    let one: Awaited<ReturnType<typeof start>>;
    let two: Awaited<ReturnType<typeof start>>;

    beforeEach(async () => {
      behind = await create();
      beside = await behind.beside();
      clock = manualClock(Date.now());
      one = await start(platform, behind.store, { clock });
      two = await start(platform, beside.store, { clock });
    });
    afterEach(async () => {
      await closeApps();
      await beside.close();
      await behind.close();
    });

    it.each([
      ['a logout', '/logout', {}],
      ['a logout that keeps the data', '/logout', { keepData: true }],
      ['a login as another principal', '/login', { id: 'bob' }],
      ['another login of the same principal', '/login', { id: 'ada' }],
      ['the end of the session', '/destroy', {}],
      ['the end of all sessions of the principal', '/end-all', {}],
    ])('S2: are closed within a second by %s in another process', async (_, path, body) => {
      const { here, there } = await loggedIn(one.app, two.app);
      const stream = await open(here, one.url, '/events');
      await watched(one);
      clock.advance(1);
      await there.post(path, body);
      expect(await endOf(stream)).toContain('begun');
    });

    it('S2: are closed within a second by expiry', async () => {
      const { here } = await loggedIn(one.app, two.app);
      const stream = await open(here, one.url, '/events');
      await watched(one);
      clock.advance(DAY);
      expect(await endOf(stream)).toContain('begun');
    });

    it('S2: stay open after a rotation, a renewal, more rights, other data and an extension', async () => {
      const { here, there } = await loggedIn(one.app, two.app);
      const stream = await open(here, one.url, '/events');
      await watched(one);
      const other = await visitor(one.app);
      await other.post('/login', { id: 'eve' });
      const control = await open(other, one.url, '/events');
      for (const path of ['/rotate', '/renew', '/elevate', '/see']) await there.post(path);
      clock.advance(1_200_000);
      await Promise.all([there.post('/see'), other.post('/see')]);
      clock.advance(1_200_000);
      // A stream that is closed later than any of these would have closed the first.
      await other.post('/logout');
      await endOf(control);
      const isOver = stream.isOver();
      // Before Nest 12 an application on Fastify waits for open streams when it closes.
      await there.post('/logout');
      await endOf(stream);
      expect({ isOver }).toEqual({ isOver: false });
    });
  });
});

describe.each(platforms)('a stream of an ended session on %s', (platform) => {
  let store: WatchedStore;
  let app: App;
  let url: string;
  let ada: Visitor;

  beforeEach(async () => {
    store = new WatchedStore(new MemorySessionStore());
    ({ app, url } = await start(platform, store));
    ada = await visitor(app);
    await ada.post('/login', { id: 'ada' });
  });

  it('has its Observable unsubscribed, which may write meanwhile', async () => {
    const heard = new Promise<string>((resolve) => unsubscribed.set(platform, () => resolve('unsubscribed')));
    const stream = await open(ada, url, `/events?name=${platform}`);
    await ada.post('/logout');
    await endOf(stream);
    expect(await inTime(heard)).toBe('unsubscribed');
  });

  it('belongs to the login of its own request', async () => {
    const bob = await visitor(app);
    const stream = await open(bob, url, '/enter', 'POST');
    const control = await open(ada, url, '/events');
    await ada.post('/logout');
    await endOf(control);
    const before = stream.isOver();
    await bob.post('/logout');
    expect({ before, text: await endOf(stream) }).toEqual({ before: false, text: 'begun\n' });
  });

  it('belongs to the login that its answer waits for', async () => {
    const bob = await visitor(app);
    await bob.post('/see');
    const saving = door();
    store.before = (operation) => (operation === 'update' ? saving.opened : undefined);
    const opening = open(bob, url, '/enter-at-once', 'POST');
    await watched({ app, url });
    saving.open();
    const stream = await opening;
    await watched({ app, url });
    expect({ isOver: stream.isOver() }).toEqual({ isOver: false });
  });

  it('is broken off when it is not of events, so that no client takes its part for the whole', async () => {
    const stream = await open(ada, url, '/lines');
    await ada.post('/logout');
    expect(await endOf(stream)).toBeNull();
  });

  it('is closed when its session was used after the first byte', async () => {
    const stream = await open(ada, url, '/late');
    await ada.post('/logout');
    expect(await endOf(stream)).toBe('begun\n');
  });

  it('is left alone when its length is known, or its request used no session', async () => {
    const download = await open(ada, url, '/download');
    const anonymous = await open(ada, url, '/anonymous');
    const control = await open(ada, url, '/events');
    await ada.post('/logout');
    await endOf(control);
    expect([download, anonymous].map((stream) => stream.isOver())).toEqual([false, false]);
  });

  it('is closed when its session had ended before it was watched', async () => {
    const stream = await open(ada, url, '/events');
    await ada.post('/logout');
    expect(await endOf(stream)).toContain('begun');
  });

  it('is left alone while the store fails, and closed when it answers again', async () => {
    const stream = await open(ada, url, '/events');
    let failures = 0;
    const failing = new Promise<void>((resolve) => {
      store.before = () => {
        if (++failures > 3) resolve();
        throw new Error('down');
      };
    });
    await failing;
    const during = stream.isOver();
    store.before = () => {};
    await ada.post('/logout');
    expect({ during, text: await endOf(stream) }).toEqual({
      during: false,
      text: expect.stringContaining('begun'),
    });
  });

  it('makes no call of its own for requests that are answered at once', async () => {
    store.take();
    await ada.post('/see');
    expect(store.take()).toEqual(['find', 'update']);
  });
});

describe.each(platforms)('a stream of a login that its idle timeout locks on %s', (platform) => {
  const MINUTE = 60_000;
  let clock: ManualClock;
  let one: Awaited<ReturnType<typeof start>>;
  let ada: Visitor;

  beforeEach(async () => {
    clock = manualClock(Date.now());
    const times = { clock, onIdle: 'lock', idleTimeout: '15m', lifetime: '12h' };
    one = await start(platform, new MemorySessionStore(), times);
    ada = await visitor(one.app);
    await ada.post('/login', { id: 'ada' });
  });

  it('S2: is closed within a second, unless other requests use the session', async () => {
    const stream = await open(ada, one.url, '/events');
    await watched(one);
    clock.advance(10 * MINUTE);
    await ada.post('/see');
    clock.advance(10 * MINUTE);
    await watched(one);
    const before = stream.isOver();
    clock.advance(5 * MINUTE);
    expect({ before, text: await endOf(stream) }).toEqual({
      before: false,
      text: expect.stringContaining('begun'),
    });
  });

  it('goes on if it was opened while the login was locked, so that its client does not connect for ever', async () => {
    clock.advance(15 * MINUTE);
    const stream = await open(ada, one.url, '/events?of=locked');
    await watched(one);
    await watched(one);
    expect({ isOver: stream.isOver() }).toEqual({ isOver: false });
  });
});

describe.each(platforms)('the signal of ended() on %s', (platform) => {
  let store: WatchedStore;
  let app: App;
  let url: string;
  let ada: Visitor;

  beforeEach(async () => {
    store = new WatchedStore(new MemorySessionStore());
    ({ app, url } = await start(platform, store, { closeStreamsOnEnd: false }));
    ada = await visitor(app);
    await ada.post('/login', { id: 'ada' });
  });

  it('ends a stream of the application’s own, without the option', async () => {
    const stream = await open(ada, url, '/own');
    await ada.post('/logout');
    expect({ text: await endOf(stream), reasons }).toEqual({
      text: 'begun\nover\n',
      reasons: ['SESSION_ENDED'],
    });
  });

  it('ends a wait before the answer begins', async () => {
    const waiting = ada.get('/wait');
    await (await ada.twin()).post('/logout');
    expect((await waiting).json()).toEqual({ code: 'SESSION_ENDED' });
  });

  it('follows a login of its own request', async () => {
    const bob = await visitor(app);
    const stream = await open(bob, url, '/login-own', 'POST');
    const control = await open(ada, url, '/own');
    await ada.post('/logout');
    await endOf(control);
    const before = stream.isOver();
    await bob.post('/logout');
    expect({ before, text: await endOf(stream) }).toEqual({ before: false, text: 'begun\nover\n' });
  });

  it('waits for the answer to a login of its own request', async () => {
    const bob = await visitor(app);
    await bob.post('/see');
    const [written, saving] = [door(), door()];
    store.after = (operation) => {
      if (operation === 'update') written.open();
      return operation === 'update' ? saving.opened : undefined;
    };
    const opening = open(bob, url, '/login-own', 'POST');
    await written.opened;
    const control = await open(ada, url, '/own');
    await ada.post('/logout');
    await endOf(control);
    saving.open();
    const stream = await opening;
    const before = stream.isOver();
    await bob.post('/logout');
    expect({ before, text: await endOf(stream) }).toEqual({ before: false, text: 'begun\nover\n' });
  });

  it('watches nothing after the answer is over', async () => {
    const bob = await visitor(app);
    await bob.post('/login', { id: 'bob' });
    await bob.get('/glance');
    const id = (await bob.token())!.slice(0, 22);
    const read = new Set<string>();
    store.before = (_, of) => void read.add(of);
    const control = await open(ada, url, '/own');
    // Reads whatever is watched.
    await store.inner.delete(id as SessionId, call);
    await ada.post('/logout');
    await endOf(control);
    expect({ isRead: read.has(id) }).toEqual({ isRead: false });
  });

  it('is all there is without the option: other streams stay open', async () => {
    const stream = await open(ada, url, '/events');
    const control = await open(ada, url, '/own');
    await ada.post('/logout');
    await endOf(control);
    expect({ isOver: stream.isOver() }).toEqual({ isOver: false });
  });
});
