import { once } from 'node:events';
import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Inject, Res, type Type } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { FastifyReply } from 'fastify';
import { MemorySessionStore, SessionModule, SessionService } from 'nestjs-tessera';
import { door, WatchedStore } from '../support/watched-store';

declare module 'nestjs-tessera' {
  interface SessionData {
    streams: number;
  }
}

const looks: unknown[] = [];

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
    looks.push(raw.headersSent, raw.statusCode);
    for (const late of [() => raw.setHeader('x-late', '1'), () => raw.writeHead(500), () => raw.write(5)]) {
      try {
        late();
        looks.push('nothing thrown');
      } catch (error) {
        looks.push((error as NodeJS.ErrnoException).code);
      }
    }
    raw.write('in ');
    raw.end('pieces', () => looks.push('ended'));
    looks.push(raw.writableEnded);
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

async function start(store: WatchedStore, controllers: Type[]): Promise<NestFastifyApplication> {
  const module = await Test.createTestingModule({
    imports: [SessionModule.forRoot({ store })],
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
    looks.length = 0;
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
    expect([headers[':status'], body, headers['set-cookie']]).toEqual([
      200,
      '{"ok":true}',
      [expect.stringMatching(/^__Host-session=/)],
    ]);
  });

  it('a raw answer looks sent while it waits, and keeps its headers', async () => {
    const { headers, body } = await ask(client, '/raw');
    expect(looks).toEqual([
      true,
      201,
      'ERR_HTTP2_HEADERS_SENT',
      'ERR_HTTP2_HEADERS_SENT',
      'ERR_INVALID_ARG_TYPE',
      true,
      'ended',
    ]);
    expect([headers[':status'], body, headers['x-set'], headers['x-given']]).toEqual([
      201,
      'in pieces',
      '1',
      '1',
    ]);
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
    expect([headers[':status'], headers['set-cookie'], JSON.parse(body)]).toEqual([
      503,
      undefined,
      { statusCode: 503, code: 'SESSION_STORE_UNAVAILABLE', message: 'Service Unavailable' },
    ]);
  });
});
