import { once } from 'node:events';
import { request, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { Controller, Get, Header, Inject, Query, Req, Res, Sse, type MessageEvent } from '@nestjs/common';
import type { Response } from 'express';
import type { FastifyReply } from 'fastify';
import { MemorySessionStore, Session, SessionService, type SessionError } from 'nestjs-tessera';
import { Subject, type Observable } from 'rxjs';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { visitor } from '../support/visitor';
import { door, WatchedStore } from '../support/watched-store';
import { exchange } from './exchange';

declare module 'nestjs-tessera' {
  interface SessionData {
    flying: number;
    seen: number[];
  }
}

type AnyResponse = Response & FastifyReply;
const rawOf = (response: AnyResponse): ServerResponse => response.raw ?? response;

const piece = Buffer.alloc(64 * 1024, 'x');
const PIECES = 80;

/** What the handlers found out, for the tests to look at. */
const found = {
  written: 0,
  error: undefined as SessionError | undefined,
  events: new Subject<MessageEvent>(),
};

@Controller()
class FlyingController {
  constructor(@Inject(SessionService) private readonly sessions: SessionService) {}

  @Get('saved') async saved(@Query('n') n: string): Promise<string> {
    (await this.sessions.current()).set('flying', Number(n));
    return `saved ${n};`;
  }

  @Get('read') async read(): Promise<string> {
    return `read ${(await this.sessions.current()).get('flying')};`;
  }

  @Get('untouched') @Header('X-Untouched', 'yes') untouched(): string {
    return 'untouched;';
  }

  @Get('big') async big(@Res() response: AnyResponse): Promise<void> {
    (await this.sessions.current()).set('flying', 5);
    found.written = 0;
    Readable.from(
      (function* () {
        for (let i = 0; i < PIECES; i++) {
          found.written += piece.length;
          yield piece;
        }
      })(),
    ).pipe(rawOf(response));
  }

  @Get('late') async late(@Req() incoming: object, @Res() response: AnyResponse): Promise<void> {
    const session = await this.sessions.of(incoming);
    session.get('flying');
    const raw = rawOf(response);
    raw.write('begun, ');
    try {
      session.set('flying', 6);
    } catch (error) {
      found.error = error as SessionError;
    }
    raw.end('done');
  }

  @Get('late/opened') async lateOpened(@Req() incoming: object, @Res() response: AnyResponse): Promise<void> {
    const raw = rawOf(response);
    raw.write('begun, ');
    const session = await this.sessions.of(incoming);
    try {
      session.set('flying', 6);
    } catch (error) {
      found.error = error as SessionError;
    }
    raw.end(String(session.get('flying')));
  }

  @Get('late/in-place') async lateInPlace(
    @Session() session: Session,
    @Res() response: AnyResponse,
  ): Promise<void> {
    const seen = session.get('seen');
    if (seen === undefined) session.set('seen', []);
    const raw = rawOf(response);
    raw.write('begun, ');
    seen?.push(seen.length);
    raw.end('done');
  }

  @Sse('events') async events(): Promise<Observable<MessageEvent>> {
    (await this.sessions.current()).set('flying', 7);
    return found.events;
  }
}

/** What a socket has received so far, and a way to wait for more. */
class Wire {
  received = '';

  constructor(readonly socket: Socket) {
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => (this.received += text));
    socket.on('error', () => {});
  }

  static async to(app: App): Promise<Wire> {
    const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Wire(socket);
  }

  async until(text: string): Promise<void> {
    while (!this.received.includes(text)) await once(this.socket, 'data');
  }
}

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

describe.each(platforms)('while a commit is under way on %s', (platform) => {
  const store = new WatchedStore(new MemorySessionStore());
  let app: App;

  beforeEach(async () => {
    Object.assign(found, { error: undefined, events: new Subject<MessageEvent>() });
    Object.assign(store, { before: () => {}, after: () => {} });
    app = await startApp({ platform, options: { store }, controllers: [FlyingController] });
  });
  afterEach(closeApps);

  it('H2: pipelined requests are answered in order', async () => {
    const slow = door();
    let inserts = 0;
    store.before = (operation) => (operation === 'insert' && inserts++ === 0 ? slow.opened : undefined);
    const wire = await Wire.to(app);
    const paths = ['/saved?n=1', '/untouched', '/saved?n=2', '/read'];
    wire.socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`).join(''));
    while (inserts < 2) await turns(1);
    await turns(20);
    expect(wire.received).toBe('');
    slow.open();
    await wire.until('read undefined;');
    expect(wire.received.match(/(saved \d|untouched|read undefined);/g)).toEqual([
      'saved 1;',
      'untouched;',
      'saved 2;',
      'read undefined;',
    ]);
    expect(wire.received.match(/HTTP\/1\.1 200/g)).toHaveLength(4);
    expect(wire.received.match(/^Set-Cookie: __Host-session=/gim)).toHaveLength(2);
    wire.socket.destroy();
  });

  it('H5: a client that leaves aborts neither the commit nor anybody else', async () => {
    const slow = door();
    const began = door();
    store.before = async (operation) => {
      if (operation !== 'update') return;
      began.open();
      await slow.opened;
    };
    const ada = await visitor(app);
    await ada.get('/saved?n=1');
    const cookie = `__Host-session=${await ada.token()}`;
    const leaving = request(`${await app.getUrl()}/saved?n=2`, { headers: { cookie }, agent: false });
    leaving.on('error', () => {});
    leaving.end();
    await began.opened;
    leaving.destroy();
    expect((await (await visitor(app)).get('/saved?n=9')).text).toBe('saved 9;');
    slow.open();
    await turns(20);
    store.before = () => {};
    expect((await ada.get('/read')).text).toBe('read 2;');
    expect(store.take().filter((call) => call === 'update')).toHaveLength(1);
  });

  it('F6: a shutdown waits for the commit of a client that has left', async () => {
    const slow = door();
    const began = door();
    let inserted = false;
    store.before = async () => {
      began.open();
      await slow.opened;
    };
    store.after = () => void (inserted = true);
    const leaving = request(`${await app.getUrl()}/late/in-place`, { agent: false });
    leaving.on('error', () => {});
    leaving.end();
    await began.opened;
    leaving.destroy();
    await turns(20);
    const closed = closeApps().then(() => inserted);
    await turns(20);
    slow.open();
    expect(await closed).toBe(true);
  });

  it('H2: five megabytes through a pipe arrive whole, and wait at their source', async () => {
    const slow = door();
    const began = door();
    store.before = async () => {
      began.open();
      await slow.opened;
    };
    const answer = exchange(`${await app.getUrl()}/big`, { agent: false });
    await began.opened;
    await turns(50);
    expect(found.written).toBeLessThan(16 * piece.length);
    slow.open();
    const { body, complete } = await answer;
    const isIntact = body.equals(Buffer.alloc(body.length, 'x'));
    expect({ length: body.length, complete, isIntact }).toEqual({
      length: PIECES * piece.length,
      complete: true,
      isIntact: true,
    });
  });

  it.each(['/late', '/late/opened'])(
    'H6: changing a session after the first byte is an error with its own code: %s',
    async (path) => {
      const ada = await visitor(app);
      await ada.get('/saved?n=1');
      expect((await ada.get(path)).text).toMatch(/^begun, /);
      expect(found.error).toMatchObject({ code: 'SESSION_RESPONSE_STARTED' });
      expect((await ada.get('/read')).text).toBe('read 1;');
    },
  );

  it('what a stream changes in place is saved when the response is over', async () => {
    const ada = await visitor(app);
    for (let i = 0; i < 3; i++) {
      await ada.get('/late/in-place');
      await turns(20);
    }
    const record = await store.inner.find((await ada.token())!.slice(0, 22) as never, {} as never);
    expect(record!.body).toContain('[0,1]');
  });

  it('H1: an event stream begins committed, before its first event', async () => {
    const wire = await Wire.to(app);
    wire.socket.write('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await wire.until('\r\n\r\n');
    expect(wire.received).toMatch(/^Set-Cookie: __Host-session=/im);
    found.events.next({ data: 'one' });
    await wire.until('data: one');
    wire.socket.destroy();
  });

  it('H2: a client that waits for 100 Continue gets it at once', async () => {
    const wire = await Wire.to(app);
    wire.socket.write(
      'GET /saved?n=4 HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n',
    );
    await wire.until('100 Continue');
    wire.socket.write('{}');
    await wire.until('saved 4;');
    wire.socket.destroy();
  });

  it('H2: a client of HTTP/1.0 is answered and let go', async () => {
    const wire = await Wire.to(app);
    wire.socket.write('GET /saved?n=3 HTTP/1.0\r\nHost: localhost\r\n\r\n');
    await once(wire.socket, 'close');
    expect(wire.received).toMatch(/saved 3;$/);
  });

  it('leaves no listener and no handle behind on a connection that is kept alive', async () => {
    const wire = await Wire.to(app);
    let server: Socket | undefined;
    (app.getHttpServer() as { on(event: string, listener: (request: IncomingMessage) => void): void }).on(
      'request',
      ({ socket }) => (server = socket),
    );
    const listeners: number[] = [];
    for (let i = 0; i < 30; i++) {
      wire.received = '';
      wire.socket.write(`GET /saved?n=${i} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      await wire.until(`saved ${i};`);
      await turns(2);
      listeners.push(
        server!.eventNames().reduce((count, event) => count + server!.listenerCount(event as string), 0),
      );
    }
    expect(listeners.at(-1)).toBe(listeners[1]);
    wire.socket.destroy();
  });
});
