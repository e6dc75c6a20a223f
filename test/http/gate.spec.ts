import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  Catch,
  Controller,
  Get,
  Inject,
  Param,
  Res,
  UseFilters,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import type { Response } from 'express';
import type { FastifyReply } from 'fastify';
import { MemorySessionStore, Session, SessionService } from 'nestjs-tessera';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';
import { exchange, valuesOf } from './exchange';

declare module 'nestjs-tessera' {
  interface SessionData {
    gate: string;
  }
}

type AnyResponse = Response & FastifyReply;
type Next = (error?: unknown) => void;
const rawOf = (response: AnyResponse): ServerResponse => response.raw ?? response;

@Catch()
class RememberingFilter implements ExceptionFilter {
  constructor(@Inject(SessionService) private readonly sessions: SessionService) {}

  async catch(error: NodeJS.ErrnoException, host: ArgumentsHost): Promise<void> {
    (await this.sessions.of(host)).set('gate', error.code!);
    rawOf(host.switchToHttp().getResponse<AnyResponse>()).writeHead(409, { 'X-Mended': '1' }).end('mended');
  }
}

@Controller()
class GateController {
  constructor(@Inject(SessionService) private readonly sessions: SessionService) {}

  @Get('set') async set(@Session() session: Session): Promise<string> {
    session.set('gate', 'set');
    return 'set';
  }

  @Get('get') get(@Session('gate') gate?: string): string {
    return gate ?? 'none';
  }

  @Get('turns/:n') async turns(
    @Param('n') n: string,
    @Session() session: Session,
    @Res() response: AnyResponse,
  ): Promise<void> {
    session.set('gate', n);
    void this.sessions.commit();
    for (let turns = 0; turns < Number(n); turns++) await Promise.resolve();
    rawOf(response).end(n);
  }

  @Get('refused/reading') @UseFilters(RememberingFilter) refusedReading(
    @Session() session: Session,
    @Res() response: AnyResponse,
  ): void {
    session.get('gate');
    rawOf(response).writeHead(99);
  }

  @Get('refused/writing') @UseFilters(RememberingFilter) refusedWriting(
    @Session() session: Session,
    @Res() response: AnyResponse,
  ): void {
    session.set('gate', 'first');
    rawOf(response).writeHead(99);
  }

  @Get('refused/committed') @UseFilters(RememberingFilter) async refusedCommitted(
    @Session() session: Session,
    @Res() response: AnyResponse,
  ): Promise<void> {
    session.set('gate', 'first');
    await this.sessions.commit();
    rawOf(response).writeHead(99, { 'X-First': '1' });
  }

  @Get('refilled') refilled(@Session() session: Session, @Res() response: AnyResponse): void {
    session.set('gate', 'refilled');
    const raw = rawOf(response);
    const looks = () => ({ needsDrain: raw.writableNeedDrain, holdsAll: raw.writableLength >= 2 ** 20 });
    raw.write('first');
    this.looks = { before: looks(), takesMore: raw.write(Buffer.alloc(2 ** 20)), after: looks() };
    raw.once('drain', () => raw.end());
  }

  looks: unknown;

  @Get('written') written(@Session() session: Session, @Res() response: AnyResponse): void {
    session.set('gate', 'written');
    rawOf(response).write('written');
  }
}

describe.each(platforms)('the gate on %s', (platform) => {
  const store = new WatchedStore(new MemorySessionStore());
  const start = (middleware?: (request: IncomingMessage, response: ServerResponse, next: Next) => void) =>
    startApp({
      platform,
      options: { store },
      controllers: [GateController],
      configure: (app: App) => void (middleware && app.use(middleware)),
    });

  beforeEach(() => {
    store.take();
    store.before = () => {};
  });
  afterEach(closeApps);

  it('loses no cookie when the answer begins while somebody else has it commit', async () => {
    const url = await (await start()).getUrl();
    const cookies = [];
    for (let n = 0; n < 40; n++)
      cookies.push(valuesOf(await exchange(`${url}/turns/${n}`, { agent: false }), 'Set-Cookie'));
    expect(cookies).toEqual(Array(40).fill([expect.any(String)]));
    expect(store.take()).toEqual(Array(40).fill('insert'));
  });

  it.each(['reading', 'writing', 'committed'])(
    'lets whoever mends a refused answer change the session: %s',
    async (how) => {
      const ada = await visitor(await start());
      const { status, text, cookies, headers } = await ada.get(`/refused/${how}`);
      expect({ status, text, cookies }).toEqual({
        status: 409,
        text: 'mended',
        cookies: [expect.any(String)],
      });
      expect({ mended: headers.get('x-mended'), first: headers.get('x-first') }).toEqual({
        mended: '1',
        first: null,
      });
      expect((await ada.get('/get')).text).toBe('ERR_HTTP_INVALID_STATUS_CODE');
    },
  );

  it('H2: shows a writer that what waits for the commit has to drain', async () => {
    const app = await start();
    const answer = await exchange(`${await app.getUrl()}/refilled`, { agent: false });
    expect({ complete: answer.complete, length: answer.body.length }).toEqual({
      complete: true,
      length: 'first'.length + 2 ** 20,
    });
    expect(app.get(GateController).looks).toEqual({
      before: { needsDrain: false, holdsAll: false },
      takesMore: false,
      after: { needsDrain: true, holdsAll: true },
    });
  });

  it('answers with a 500 when a wrapper refuses what it is given at last', async () => {
    const app = await start((_request, response, next) => {
      response.write = () => {
        throw new TypeError('not to my taste');
      };
      next();
    });
    const answer = await exchange(`${await app.getUrl()}/written`, { agent: false });
    const { status, complete } = answer;
    expect({ status, complete, cookies: valuesOf(answer, 'Set-Cookie') }).toEqual({
      status: 500,
      complete: true,
      cookies: [expect.any(String)],
    });
  });

  it('ends the connection when somebody writes past it while the commit is under way', async () => {
    let writePast = (): void => {};
    const app = await start((_request, response, next) => {
      const end = response.end.bind(response);
      writePast = () => void end('past everything');
      next();
    });
    store.before = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      writePast();
    };
    const answer = await exchange(`${await app.getUrl()}/written`, { agent: false }).catch(() => null);
    expect(answer === null || valuesOf(answer, 'Connection').join() === 'close').toBe(true);
    expect(answer?.status ?? 500).toBe(500);
  });

  it('stands a request that keeps something of its own under `raw`', async () => {
    const app = await start((request, _response, next) => {
      if (platform === 'express') Object.assign(request, { raw: Buffer.from('the body, say') });
      next();
    });
    const ada = await visitor(app);
    expect((await ada.get('/set')).text).toBe('set');
    expect((await ada.get('/get')).text).toBe('set');
  });
});
