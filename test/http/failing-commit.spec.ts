import { Agent, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  Catch,
  ConflictException,
  Controller,
  Get,
  Header,
  Inject,
  Logger,
  Module,
  Param,
  Post,
  Redirect,
  Render,
  Res,
  StreamableFile,
  UseFilters,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { HttpAdapterHost, NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { Response } from 'express';
import type { FastifyReply } from 'fastify';
import {
  MemorySessionStore,
  Session,
  SessionModule,
  SessionService,
  SessionUnavailableException,
} from 'nestjs-tessera';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { beforeNest } from '../support/nest';
import { itUnless } from '../support/not-run';
import { type Answer, visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';
import { exchange, valuesOf } from './exchange';

declare module 'nestjs-tessera' {
  interface SessionData {
    failing: unknown;
  }
}

type AnyResponse = Response & FastifyReply;
const rawOf = (response: AnyResponse): ServerResponse => response.raw ?? response;

@Catch(SessionUnavailableException)
class ApologyFilter implements ExceptionFilter {
  catch({ code }: SessionUnavailableException, host: ArgumentsHost): void {
    host.switchToHttp().getResponse<AnyResponse>().status(503).send({ sorry: code });
  }
}

@Catch(ConflictException)
class CarelessFilter implements ExceptionFilter {
  constructor(@Inject(HttpAdapterHost) private readonly host: HttpAdapterHost) {}

  catch(_error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<AnyResponse>();
    response.status(409);
    this.host.httpAdapter.reply(response, { careless: true });
  }
}

/** No text can be made of it. */
const circle = {
  get circle() {
    return this;
  },
};

interface AnyAdapter {
  status(response: AnyResponse, status: number): void;
  render(response: AnyResponse, view: string, options: object): unknown;
  reply(response: AnyResponse, body: unknown, status?: number): unknown;
}

let abandoned: string[] = [];

@Controller()
class FailingController {
  constructor(
    @Inject(SessionService) private readonly sessions: SessionService,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
  ) {}

  @Get('untouched') untouched(): string {
    return 'untouched';
  }

  @Post('begin') begin(@Session() session: Session): void {
    session.set('failing', { list: [] });
  }

  @Get('returned') returned(@Session() session: Session): string {
    session.set('failing', 1);
    return 'saved, allegedly';
  }

  @Get('filtered') @UseFilters(ApologyFilter) filtered(@Session() session: Session): string {
    session.set('failing', 1);
    return 'saved, allegedly';
  }

  @Get('rendered') @Render('page') @UseFilters(ApologyFilter) rendered(@Session() session: Session): object {
    session.set('failing', 1);
    return {};
  }

  @Get('redirected') @Redirect('/home') @UseFilters(ApologyFilter) redirected(
    @Session() session: Session,
  ): void {
    session.set('failing', 1);
  }

  @Get('cached') @Header('Cache-Control', 'public, max-age=60') cached(@Session() session: Session): string {
    session.set('failing', 1);
    return 'saved, allegedly';
  }

  @Get('thrown') thrown(@Session() session: Session): never {
    session.set('failing', 1);
    throw new ConflictException();
  }

  @Get('thrown/careless') @UseFilters(CarelessFilter) careless(@Session() session: Session): never {
    session.set('failing', 1);
    throw new ConflictException();
  }

  @Get('unsendable') @UseFilters(ApologyFilter) unsendable(@Session() session: Session): object {
    session.set('failing', 1);
    return circle;
  }

  @Get('reply/:how') reply(
    @Param('how') how: string,
    @Session() session: Session,
    @Res() response: AnyResponse,
  ): void {
    session.set('failing', 1);
    const adapter = this.host.httpAdapter as AnyAdapter;
    adapter.status(response, 202);
    if (how === 'rendered') adapter.render(response, 'nowhere', {});
    else if (how === 'unsendable') adapter.reply(response, circle, undefined);
    else adapter.reply(response, { fine: true }, ...(how === 'bare' ? [] : [undefined]));
    if (how === 'bare') adapter.status(response, 500);
  }

  @Get('file') file(@Session() session: Session): StreamableFile {
    session.set('failing', 1);
    return new StreamableFile(Buffer.from('saved, allegedly'));
  }

  @Get('file/broken') brokenFile(@Session() session: Session): StreamableFile {
    session.set('failing', 1);
    const file = new Readable({ read: () => {} });
    setImmediate(() => file.destroy(new Error('the disk is on fire')));
    return new StreamableFile(file);
  }

  @Get('res') res(@Session() session: Session, @Res() response: AnyResponse): void {
    session.set('failing', 1);
    const raw = rawOf(response);
    raw.setHeader('Vary', 'Origin');
    raw.setHeader('X-Secret', 'rests on the session');
    raw.writeHead(201, {
      'Access-Control-Allow-Origin': 'https://ada.example',
      'Set-Cookie': 'other=1',
      'Content-Length': '4',
    });
    raw.write('half', () => abandoned.push('written'));
    raw.end(() => abandoned.push('ended'));
  }

  @Get('piped') piped(@Session() session: Session, @Res() response: AnyResponse): void {
    session.set('failing', 1);
    const source = Readable.from(Array.from({ length: 500 }, () => Buffer.alloc(1024)));
    pipeline(source, rawOf(response)).then(
      () => abandoned.push('piped'),
      () => abandoned.push('broken off'),
    );
  }

  @Get('mutated') mutated(@Session() session: Session): string {
    (session.get('failing') as { list: unknown[] }).list.push(() => 'no value');
    return 'saved, allegedly';
  }

  @Get('mutated/res') mutatedRes(@Session() session: Session, @Res() response: AnyResponse): void {
    (session.get('failing') as { list: unknown[] }).list.push(() => 'no value');
    rawOf(response).end('saved, allegedly');
  }

  @Get('large') large(@Session() session: Session, @Res() response: AnyResponse): void {
    session.set('failing', 'x'.repeat(70_000));
    rawOf(response).end('saved, allegedly');
  }

  @Get('caught') async caught(@Session() session: Session): Promise<string> {
    session.set('failing', 1);
    return this.sessions.commit().then(
      () => 'saved',
      (error: SessionUnavailableException) => error.code,
    );
  }
}

const unavailable = {
  statusCode: 503,
  code: 'SESSION_STORE_UNAVAILABLE',
  message: 'Service Unavailable',
};

const partsOf = (answer: Answer) => ({
  status: answer.status,
  body: answer.json(),
  cookies: answer.cookies,
});

describe.each(platforms)('a commit that fails on %s', (platform) => {
  const store = new WatchedStore(new MemorySessionStore());
  let app: App;
  let url: string;

  beforeEach(async () => {
    abandoned = [];
    store.before = () => {};
    app = await startApp({ platform, options: { store }, controllers: [FailingController] });
    url = await app.getUrl();
  });
  afterEach(closeApps);

  const fails = (): void => {
    store.take();
    store.before = async (operation) => {
      await new Promise((resolve) => setImmediate(resolve));
      if (operation !== 'find') throw new Error('the disk is on fire');
    };
  };

  it('is a 503 that says no more, after one attempt', async () => {
    fails();
    const answer = await (await visitor(app)).get('/returned');
    expect(partsOf(answer)).toEqual({ status: 503, body: unavailable, cookies: [] });
    await new Promise((resolve) => setImmediate(resolve));
    expect(store.take().filter((call) => call === 'insert')).toHaveLength(1);
  });

  it('is an exception that filters answer', async () => {
    fails();
    const answer = await (await visitor(app)).get('/filtered');
    expect(partsOf(answer)).toMatchObject({ status: 503, body: { sorry: 'SESSION_STORE_UNAVAILABLE' } });
    expect(store.take().filter((call) => call === 'insert')).toHaveLength(1);
  });

  describe.each(['rendered', 'redirected'])('for what is %s', (how) => {
    const reason = how === 'redirected' ? beforeNest(12, 'does not await a redirect') : null;

    itUnless(reason, 'is an exception, too', async () => {
      fails();
      const answer = await (await visitor(app)).get(`/${how}`);
      expect(partsOf(answer)).toMatchObject({ status: 503, body: { sorry: 'SESSION_STORE_UNAVAILABLE' } });
      expect(store.take().filter((call) => call === 'insert')).toHaveLength(1);
    });
  });

  it('W1: is a 503 in place of a redirect, also where Nest does not await that', async () => {
    fails();
    const { status, headers } = await (await visitor(app)).get('/redirected');
    const inserts = store.take().filter((call) => call === 'insert').length;
    expect({ status, location: headers.get('location'), inserts }).toEqual({
      status: 503,
      location: null,
      inserts: 1,
    });
  });

  it('C11: is nothing for a cache, whatever the handler said of its own answer', async () => {
    fails();
    const { status, headers } = await (await visitor(app)).get('/cached');
    expect({ status, cacheControl: headers.get('cache-control') }).toEqual({
      status: 503,
      cacheControl: 'no-store',
    });
  });

  it.each(['/returned', '/filtered', '/redirected', '/thrown', '/file', '/res'])(
    'is logged once, with what the store said: %s',
    async (path) => {
      const log = jest.spyOn(Logger.prototype, 'error').mockImplementation();
      fails();
      await exchange(url + path, { agent: false });
      expect(log.mock.calls.filter(([message]) => /session/.test(String(message)))).toEqual([
        ['A session could not be saved', expect.objectContaining({ code: 'SESSION_STORE_UNAVAILABLE' })],
      ]);
      log.mockRestore();
    },
  );

  it('is logged as what it is, and so is a session that cannot even be opened', async () => {
    const ada = await visitor(app);
    await ada.post('/begin');
    const log = jest.spyOn(Logger.prototype, 'error').mockImplementation();
    store.before = () => {
      throw new Error('the disk is on fire');
    };
    expect((await ada.get('/returned')).status).toBe(503);
    expect(log.mock.calls).toEqual([
      ['A session could not be opened', expect.objectContaining({ code: 'SESSION_STORE_UNAVAILABLE' })],
    ]);
    log.mockRestore();
  });

  it('is the same 503 once a filter has answered for something else', async () => {
    fails();
    const answer = await (await visitor(app)).get('/thrown');
    expect(partsOf(answer)).toEqual({ status: 503, body: unavailable, cookies: [] });
    expect(store.take()).toEqual(['insert', 'find']);
  });

  it('is the same 503 when a filter answers as a handler would, and waits for nothing', async () => {
    fails();
    const answer = await (await visitor(app)).get('/thrown/careless');
    expect(partsOf(answer)).toEqual({ status: 503, body: unavailable, cookies: [] });
  });

  it.each(['bare', 'status'])('is the same 503 when a handler lets the adapter reply: %s', async (how) => {
    fails();
    const answer = await (await visitor(app)).get(`/reply/${how}`);
    expect(partsOf(answer)).toEqual({ status: 503, body: unavailable, cookies: [] });
    expect(store.take().filter((call) => call === 'insert')).toHaveLength(1);
  });

  it('leaves what the adapter was told to reply as it was then', async () => {
    const answer = await (await visitor(app)).get('/reply/bare');
    expect(partsOf(answer)).toEqual({ status: 202, body: { fine: true }, cookies: [expect.any(String)] });
  });

  it.each(['/unsendable', '/reply/unsendable', '/reply/rendered'])(
    'is one thing; that the answer cannot be sent another, which is a 500: %s',
    async (path) => {
      const answer = await (await visitor(app)).get(path);
      expect(partsOf(answer)).toEqual({
        status: 500,
        body: { statusCode: 500, message: 'Internal server error' },
        cookies: [expect.any(String)],
      });
    },
  );

  it('is the same 503 in place of a file', async () => {
    fails();
    const answer = await (await visitor(app)).get('/file');
    expect(partsOf(answer)).toEqual({ status: 503, body: unavailable, cookies: [] });
  });

  const nestCloses =
    platform === 'express' ? beforeNest(11, 'closes the connection when a file breaks') : null;
  itUnless(nestCloses, 'leaves it to Nest to answer for a file that breaks during the commit', async () => {
    store.before = async () => {
      for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve));
    };
    const broken = await (await visitor(app)).get('/file/broken');
    expect(broken.status).toBe(platform === 'express' ? 400 : 500);
    expect((await (await visitor(app)).get('/untouched')).status).toBe(200);
  });

  it('takes the place of an answer that was under way, and keeps what other origins and caches need', async () => {
    fails();
    const answer = await exchange(`${url}/res`, { agent: false });
    const { status, reason, body } = answer;
    expect({ status, reason, body: JSON.parse(body.toString()) as unknown }).toEqual({
      status: 503,
      reason: 'Service Unavailable',
      body: unavailable,
    });
    const names = ['Access-Control-Allow-Origin', 'Vary', 'Cache-Control', 'Set-Cookie', 'X-Secret'];
    expect(Object.fromEntries(names.map((name) => [name, valuesOf(answer, name).join()]))).toEqual({
      'Access-Control-Allow-Origin': 'https://ada.example',
      Vary: 'Origin, Cookie',
      'Cache-Control': 'no-store',
      'Set-Cookie': '',
      'X-Secret': '',
    });
    expect(abandoned).toEqual(['written', 'ended']);
    expect(store.take().filter((call) => call === 'insert')).toHaveLength(1);
  });

  it('answers HEAD with the same head and no body', async () => {
    fails();
    const answer = await exchange(`${url}/res`, { method: 'HEAD', agent: false });
    expect({ status: answer.status, length: answer.body.length }).toEqual({ status: 503, length: 0 });
  });

  it('lets an abandoned stream come to its end', async () => {
    fails();
    const { status, body, complete } = await exchange(`${url}/piped`, { agent: false });
    expect({ status, body: JSON.parse(body.toString()) as unknown, complete }).toEqual({
      status: 503,
      body: unavailable,
      complete: true,
    });
    for (let turns = 0; turns < 200 && abandoned.length === 0; turns++)
      await new Promise((resolve) => setImmediate(resolve));
    expect(abandoned).toEqual([expect.stringMatching(/piped|broken off/)]);
  });

  it('closes the connection, and the client goes on with another', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    fails();
    const answer = await exchange(`${url}/res`, { agent });
    expect(valuesOf(answer, 'Connection')).toEqual(['close']);
    store.before = () => {};
    expect((await exchange(`${url}/returned`, { agent })).status).toBe(200);
    agent.destroy();
  });

  it('leaves routes alone that have no use for the session', async () => {
    fails();
    expect((await (await visitor(app)).get('/untouched')).status).toBe(200);
  });

  it.each(['/mutated', '/mutated/res', '/large'])(
    'is a 500 when a value cannot be kept: %s',
    async (path) => {
      const ada = await visitor(app);
      await ada.post('/begin');
      store.take();
      const answer = await ada.get(path);
      expect(partsOf(answer)).toMatchObject({
        status: 500,
        body: { statusCode: 500, message: 'Internal server error' },
      });
      expect(store.take()).toEqual(['find']);
    },
  );

  it('is told to whoever commits by hand', async () => {
    fails();
    const { status, text } = await (await visitor(app)).get('/caught');
    expect({ status, text }).toEqual({ status: 200, text: 'SESSION_STORE_UNAVAILABLE' });
  });

  it('is a 503 when the session cannot even be read', async () => {
    const ada = await visitor(app);
    await ada.post('/begin');
    store.before = () => {
      throw new Error('the disk is on fire');
    };
    const answer = await ada.get('/returned');
    expect(partsOf(answer)).toMatchObject({ status: 503, body: unavailable });
  });
});

@Controller()
class TwoInstancesController {
  @Get() both(
    @Session() session: Session,
    @Session({ name: 'admin' }) admin: Session,
    @Res() response: AnyResponse,
  ): void {
    session.set('failing', 1);
    admin.set('failing', 1);
    rawOf(response).end('both saved, allegedly');
  }
}

it.each(['/returned', '/reply/status', '/thrown/careless'])(
  'is the same where an adapter has served another application before: %s',
  async (path) => {
    const store = new WatchedStore(new MemorySessionStore());
    @Module({ imports: [SessionModule.forRoot({ store })], controllers: [FailingController] })
    class AppModule {}
    const adapter = new ExpressAdapter();
    await NestFactory.create(AppModule, adapter, { logger: false });
    const app = await NestFactory.create(AppModule, adapter, { logger: false });
    await app.listen(0, '127.0.0.1');
    try {
      store.before = async () => {
        await new Promise((resolve) => setImmediate(resolve));
        throw new Error('the disk is on fire');
      };
      const { status, body } = await exchange((await app.getUrl()) + path, { agent: false });
      expect({ status, body: JSON.parse(body.toString()) as unknown }).toEqual({
        status: 503,
        body: unavailable,
      });
    } finally {
      await app.close();
    }
  },
);

describe.each(platforms)('a commit of two sessions, of which one fails, on %s', (platform) => {
  afterEach(closeApps);

  it('tells the client what the other one has committed', async () => {
    const store = new WatchedStore(new MemorySessionStore());
    store.before = () => {
      throw new Error('the disk is on fire');
    };
    const app = await startApp({
      platform,
      options: { store },
      imports: [SessionModule.forRoot({ name: 'admin' })],
      controllers: [TwoInstancesController],
    });
    const { status, cookies } = await (await visitor(app)).get('/');
    expect({ status, cookies }).toEqual({
      status: 503,
      cookies: [expect.stringMatching(/^__Host-session-admin=[\w-]{22}\./)],
    });
  });
});
