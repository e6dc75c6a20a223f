import { once } from 'node:events';
import { connect, constants, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Inject, Post, Query, Res, type Type } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { FastifyReply } from 'fastify';
import { MemorySessionStore, SessionModule, SessionService, type SessionModuleOptions } from 'nestjs-tessera';
import { door, WatchedStore } from '../support/watched-store';

declare module 'nestjs-tessera' {
  interface SessionData {
    streams: number;
  }
}

let looks: Record<string, unknown> = {};

@Controller()
class StreamsController {
  constructor(@Inject(SessionService) private readonly sessions: SessionService) {}

  @Get('returned') async returned(): Promise<object> {
    (await this.sessions.current()).set('streams', 1);
    return { ok: true };
  }

  @Get('raw') async raw(@Res() { raw }: FastifyReply): Promise<void> {
    (await this.sessions.current()).set('streams', 2);
    raw.setHeader('x-set', '1');
    raw.writeHead(201, { 'set-cookie': 'other=1', 'x-given': '1' });
    looks = {
      headersSent: raw.headersSent,
      statusCode: raw.statusCode,
      setHeader: codeOf(() => raw.setHeader('x-late', '1')),
      writeHead: codeOf(() => raw.writeHead(500)),
      write: codeOf(() => raw.write(5)),
    };
    raw.write('in ');
    raw.end('pieces', () => (looks['calledBack'] = true));
    Object.assign(looks, { writableEnded: raw.writableEnded, calledBackAtOnce: 'calledBack' in looks });
  }
}

/** The code of the error that it throws. */
function codeOf(late: () => unknown): string | undefined {
  try {
    late();
    return 'nothing thrown';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function ask(client: ClientHttp2Session, path: string): Promise<Answer> {
  const stream = client.request({ ':path': path });
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  let body = '';
  for await (const chunk of stream) body += String(chunk);
  return { headers, body };
}

async function start(
  store: WatchedStore,
  controllers: Type[],
  options: SessionModuleOptions = {},
): Promise<NestFastifyApplication> {
  const module = await Test.createTestingModule({
    imports: [SessionModule.forRoot({ store, ...options })],
    controllers,
  }).compile();
  const adapter = new FastifyAdapter({ http2: true });
  const app = module.createNestApplication<NestFastifyApplication>(adapter, { logger: false });
  await app.listen(0, '127.0.0.1');
  return app;
}

describe('H1: on fastify over HTTP/2', () => {
  let store: WatchedStore;
  let app: NestFastifyApplication;
  let client: ClientHttp2Session;

  beforeEach(async () => {
    looks = {};
    store = new WatchedStore(new MemorySessionStore());
    app = await start(store, [StreamsController]);
    client = connect(`http://localhost:${(app.getHttpServer().address() as AddressInfo).port}`);
  });
  afterEach(async () => {
    client.destroy();
    await app.close();
  });

  it('a returned value waits for the commit', async () => {
    const { headers, body } = await ask(client, '/returned');
    expect({ status: headers[':status'], body, cookies: headers['set-cookie'] }).toEqual({
      status: 200,
      body: '{"ok":true}',
      cookies: [expect.stringMatching(/^__Host-session=/)],
    });
  });

  it('a raw answer looks sent while it waits, and keeps its headers', async () => {
    const { headers, body } = await ask(client, '/raw');
    expect(looks).toEqual({
      headersSent: true,
      statusCode: 201,
      setHeader: 'ERR_HTTP2_HEADERS_SENT',
      writeHead: 'ERR_HTTP2_HEADERS_SENT',
      write: 'ERR_INVALID_ARG_TYPE',
      writableEnded: true,
      calledBackAtOnce: false,
      calledBack: true,
    });
    const { ':status': status, 'x-set': set, 'x-given': given } = headers;
    expect({ status, body, set, given }).toEqual({ status: 201, body: 'in pieces', set: '1', given: '1' });
    expect(headers['set-cookie']).toEqual(['other=1', expect.stringMatching(/^__Host-session=/)]);
  });

  it('a commit that fails is a 503, and other streams of the connection go on', async () => {
    const slow = door();
    let first = true;
    store.before = async () => {
      if (!first) return;
      first = false;
      await slow.opened;
      throw new Error('the disk is on fire');
    };
    const failing = ask(client, '/raw');
    while (first) await new Promise((resolve) => setImmediate(resolve));
    expect((await ask(client, '/raw')).headers[':status']).toBe(201);
    slow.open();
    const { headers, body } = await failing;
    const { ':status': status, 'set-cookie': cookies } = headers;
    expect({ status, cookies, body: JSON.parse(body) as unknown }).toEqual({
      status: 503,
      cookies: undefined,
      body: { statusCode: 503, code: 'SESSION_STORE_UNAVAILABLE', message: 'Service Unavailable' },
    });
  });
});

describe('a client that leaves before its answer, on fastify over HTTP/2', () => {
  /** What the handler does when its client has left, and what comes of it. */
  let work: (sessions: SessionService) => Promise<unknown>;
  let arrived: () => void;
  let report: (result: unknown) => void;

  @Controller()
  class PartingController {
    constructor(@Inject(SessionService) private readonly sessions: SessionService) {}

    @Get('in') async in(): Promise<void> {
      await this.sessions.login({ id: 'ada' });
    }

    @Get('parting') async parting(@Res({ passthrough: true }) { raw }: FastifyReply): Promise<void> {
      const closed = once(raw, 'close');
      arrived();
      await closed;
      report(await work(this.sessions));
    }

    @Get('until-end') async untilEnd(): Promise<string> {
      const ended = await this.sessions.ended();
      arrived();
      await once(ended, 'abort');
      return 'ended';
    }
  }

  let store: MemorySessionStore;
  let app: NestFastifyApplication;
  let client: ClientHttp2Session;

  beforeEach(async () => {
    store = new MemorySessionStore();
    app = await start(new WatchedStore(store), [PartingController]);
    client = connect(`http://localhost:${(app.getHttpServer().address() as AddressInfo).port}`);
  });
  afterEach(async () => {
    client.destroy();
    await app.close();
  });

  /** Asks for `/parting`, and leaves. */
  async function leave<T>(cookie: string, afterwards: (sessions: SessionService) => Promise<T>): Promise<T> {
    const reported = new Promise((resolve) => (report = resolve));
    const hasArrived = new Promise<void>((resolve) => (arrived = resolve));
    work = afterwards;
    const stream = client.request({ ':path': '/parting', cookie });
    stream.on('error', () => {});
    await hasArrived;
    stream.close(constants.NGHTTP2_CANCEL);
    return (await reported) as T;
  }

  it('R17: is not logged in', async () => {
    await leave('', async (sessions) => {
      await sessions.login({ id: 'ada' });
      await sessions.commit();
    });
    expect(store.size).toBe(0);
  });

  it('S2: leaves nothing behind that watches its session', async () => {
    const { headers } = await ask(client, '/in');
    const cookie = headers['set-cookie']![0]!.split(';')[0]!;
    const left = await leave(cookie, (sessions) => sessions.ended());
    const hasArrived = new Promise<void>((resolve) => (arrived = resolve));
    const stream = client.request({ ':path': '/until-end', cookie });
    await hasArrived;
    await app.get(SessionService).endAll({ id: 'ada' });
    await once(stream.resume(), 'close');
    expect({ isAborted: left.aborted }).toEqual({ isAborted: false });
  });
});

describe('S2: a stream whose session ends, on fastify over HTTP/2', () => {
  @Controller()
  class LiveController {
    constructor(@Inject(SessionService) private readonly sessions: SessionService) {}

    @Post('login') async login(): Promise<void> {
      await this.sessions.login({ id: 'ada' });
    }
    @Post('logout') async logout(): Promise<void> {
      await this.sessions.logout();
    }
    @Get('live') async live(@Query('type') type: string, @Res() reply: FastifyReply): Promise<void> {
      await this.sessions.current();
      reply.hijack();
      reply.raw.writeHead(200, { 'content-type': type });
      reply.raw.write('begun');
    }
  }

  let app: NestFastifyApplication;
  let client: ClientHttp2Session;

  beforeEach(async () => {
    app = await start(new WatchedStore(new MemorySessionStore()), [LiveController], {
      closeStreamsOnEnd: true,
    });
    client = connect(`http://localhost:${(app.getHttpServer().address() as AddressInfo).port}`);
  });
  afterEach(async () => {
    client.destroy();
    await app.close();
  });

  async function post(path: string, cookie = ''): Promise<string> {
    const stream = client.request({ ':method': 'POST', ':path': path, cookie });
    const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    await once(stream.resume(), 'close');
    return headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  }

  it.each([
    ['ends, if it is of events', 'text/event-stream', constants.NGHTTP2_NO_ERROR],
    [
      'is broken off otherwise, so that no client takes its part for the whole',
      'application/x-ndjson',
      constants.NGHTTP2_INTERNAL_ERROR,
    ],
  ])('%s', async (_, type, code) => {
    const cookie = await post('/login');
    const stream = client.request({ ':path': `/live?type=${encodeURIComponent(type)}`, cookie });
    stream.on('error', () => {});
    await once(stream, 'data');
    await post('/logout', cookie);
    await new Promise((resolve) => stream.once('close', resolve));
    expect({ code: stream.rstCode, isConnected: !client.closed }).toEqual({ code, isConnected: true });
  });
});
