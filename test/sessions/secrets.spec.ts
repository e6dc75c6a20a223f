import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import {
  Catch,
  Controller,
  Get,
  Logger,
  Post,
  Req,
  Res,
  type ArgumentsHost,
  type LoggerService,
} from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import {
  isEnumerable,
  Session,
  SESSION_STORE,
  SessionEvents,
  SessionModule,
  SessionService,
  type EnumerableStore,
  type SessionEvent,
} from 'nestjs-tessera';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { scripted, type Scripted } from '../support/scripted';
import '../support/session-data';
import { describeLocalStores, type StoreUnderTest } from '../support/stores';
import { visitor, type Visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';

const call = { signal: new AbortController().signal };
const hashOf = (token: string): string =>
  createHash('sha256')
    .update(`default.${token.slice(23)}`)
    .digest('base64url');

/**
 * Everything a person with a debugger and bad intentions could print of it.
 * @param getters `'get'` for what Node has made: it leaves out properties that can be set too, among which are the deprecated ones
 */
const prints = (thing: unknown, depth: number | null = null, getters: true | 'get' = true): string =>
  [
    inspect(thing, { depth, showHidden: true, getters, maxArrayLength: null }),
    String(thing),
    safeJson(thing),
  ].join('\n');

function safeJson(thing: unknown): string {
  try {
    return JSON.stringify(thing) ?? '';
  } catch {
    return ''; // circular
  }
}

class Listening implements LoggerService {
  readonly lines: string[] = [];
  log = (...said: unknown[]): unknown => this.lines.push(said.map((each) => prints(each)).join(' '));
  error = this.log;
  warn = this.log;
  debug = this.log;
  verbose = this.log;
  fatal = this.log;
}

const exceptions: unknown[] = [];

@Catch()
class Collector extends BaseExceptionFilter {
  override catch(exception: unknown, host: ArgumentsHost): void {
    exceptions.push(exception);
    super.catch(exception, host);
  }
}

let requests: unknown[] = [];

@Controller()
class PrintController {
  @Get('print') print(
    @Session() session: Session,
    @Req() request: object,
    @Res({ passthrough: true }) response: object,
  ) {
    requests = [request, response];
    return prints(session);
  }
  @Get('visits') visits(@Session('visits') visits?: number) {
    return { visits: visits ?? 'none' };
  }
  @Post('visits') change(@Session() session: Session) {
    return { visits: session.update('visits', (n = 0) => n + 1) };
  }
}

describe.each(platforms)('secrets on %s', (platform) => {
  describeLocalStores('with', ({ create }) => {
    let under: StoreUnderTest;
    let store: WatchedStore;
    let app: App;
    let session: Scripted;
    let ada: Visitor;
    let events: SessionEvent[];
    const logger = new Listening();

    beforeEach(async () => {
      under = await create();
      store = new WatchedStore(under.store);
      session = scripted();
      app = await startApp({
        platform,
        options: { store, maxBytes: 2000 },
        controllers: [PrintController, session.controller],
        configure: (it) => void it.useGlobalFilters(new Collector(it.getHttpAdapter())),
      });
      ada = await visitor(app);
      events = [];
      app.get(SessionEvents).subscribe((event) => events.push(event));
      exceptions.length = logger.lines.length = 0;
      Logger.overrideLogger(logger);
    });
    afterEach(async () => {
      Logger.overrideLogger(false);
      await closeApps();
      await under.close();
    });

    /** A life with everything in it; every token that was issued. */
    async function live(): Promise<string[]> {
      const tokens: string[] = [];
      const other = await visitor(app);
      await session.run(other, (s) => s.set('theme', 'dark'));
      tokens.push((await other.token())!);
      for (const work of [
        (s) => s.set('cart', ['a']),
        (s) => s.login({ id: 7 }, { rememberMe: true, constants: { tenant: 'acme' } }),
        (s) => s.elevate({ roles: ['admin'] }),
        (s) => s.renewToken(),
        (s) => s.merge(tokens[0]!),
        (s) => s.flash('notice', 'hello'),
      ] as Parameters<Scripted['run']>[1][]) {
        expect((await session.run(ada, work)).status).toBe(201);
        tokens.push((await ada.token())!);
      }
      return tokens;
    }

    it('T2: a dump of the store has no token and no secret', async () => {
      const tokens = await live();
      expect(new Set(tokens).size).toBe(5);
      let dump = '';
      if (isEnumerable(under.store))
        for await (const record of (under.store as EnumerableStore).records(call))
          dump += JSON.stringify(record);
      expect(dump).toContain(tokens.at(-1)!.slice(0, 22));
      if (under.folder !== undefined) {
        const files = await readdir(under.folder);
        expect(files.some((file) => file.endsWith('-wal'))).toBe(true);
        for (const file of files) dump += (await readFile(join(under.folder, file))).toString('latin1');
      }
      const secrets = tokens.flatMap((token) => {
        const secret = token.slice(23);
        return [token, secret, Buffer.from(secret, 'base64url').toString('latin1')];
      });
      expect(secrets.filter((secret) => dump.includes(secret))).toEqual([]);
    });

    it('T3: nothing that is handed out, told, thrown or logged prints a token or its hash', async () => {
      const tokens = await live();
      const printed = [(await ada.get('/print')).text];
      // Requests and responses carry the cookie; what we filed under them must not add the hash.
      const filed = requests.map((each) => prints(each, 5, 'get')).join('\n');
      for (const handedOut of [
        app.get(SessionService),
        app.get(SessionEvents),
        app.get(SESSION_STORE),
        under.store,
        app.get(SessionModule),
      ])
        printed.push(prints(handedOut));

      await session.run(ada, (s) => s.set('value', { token: (() => 1) as never }));
      await session.run(ada, (s) => s.set('value', 'x'.repeat(5000)));
      await session.run(ada, (s) => s.merge(`${tokens[1]}x`));
      await session.run(ada, (s) => (s.get('cart') as unknown[]).push(() => 1));
      const stranger = await visitor(app);
      for (const token of tokens.slice(0, -1)) {
        await session.run(stranger, (s) => s.principal, { headers: { cookie: `__Host-session=${token}` } });
      }
      const twice = `__Host-session=${tokens[0]}; __Host-session=${tokens[1]}`;
      await session.run(stranger, (s) => s.principal, { headers: { cookie: twice } });
      store.before = () => {
        throw Object.assign(new Error('down'), { query: 'UPDATE …', parameters: [hashOf(tokens.at(-1)!)] });
      };
      expect((await session.run(ada, (s) => s.set('theme', 'light'))).status).toBe(503);
      store.before = (operation) => {
        if (operation === 'update')
          throw Object.assign(new Error('down'), { parameters: [hashOf(tokens.at(-1)!)] });
      };
      expect((await session.run(ada, (s) => s.set('theme', 'light'))).status).toBe(503);

      expect(events.map(({ type }) => type)).toEqual(
        expect.arrayContaining(['created', 'renewed', 'rejected', 'storeFailed']),
      );
      expect(exceptions.length).toBeGreaterThanOrEqual(5);
      expect(logger.lines.length).toBeGreaterThan(0);
      const all = [
        ...printed,
        ...events.map((each) => prints(each)),
        ...exceptions.map((each) => prints(each)),
        ...logger.lines,
      ].join('\n');
      const hashes = tokens.map(hashOf);
      const secrets = [...tokens, ...tokens.map((token) => token.slice(23)), ...hashes];
      expect({
        printed: secrets.filter((secret) => all.includes(secret)),
        filed: hashes.filter((hash) => filed.includes(hash)),
      }).toEqual({ printed: [], filed: [] });
    });

    it('T4: rubbish in the cookie is a visitor, asks no store, and is no error', async () => {
      const rubbish = [
        '',
        'x',
        'a'.repeat(10_000),
        '../../etc/passwd',
        '*',
        '{}',
        '"',
        '%00',
        'caf%C3%A9',
        'é',
        '.',
      ];
      const { token } = { token: 'A'.repeat(22) + '.' + 'B'.repeat(43) };
      for (const value of [...rubbish, `${token}x`, ` x${token}`, `"${token}"`, token.replace('.', '%2e')]) {
        const answer = await ada.get('/visits', { headers: { cookie: `__Host-session=${value}` } });
        const { status, cookies } = answer;
        expect({ value, status, body: answer.json(), cookies }).toEqual({
          value,
          status: 200,
          body: { visits: 'none' },
          cookies: [],
        });
      }
      expect({ calls: store.calls, events }).toEqual({ calls: [], events: [] });
    });

    it('T5: an unknown token is a visitor after one read; it is left alone and never adopted', async () => {
      const unknown = `${'A'.repeat(22)}.${'B'.repeat(43)}`;
      const headers = { cookie: `__Host-session=${unknown}` };
      const read = await ada.get('/visits', { headers });
      expect(read.json()).toEqual({ visits: 'none' });
      expect(store.take()).toEqual(['find']);
      expect(read.cookies).toEqual([]);
      const written = await ada.post('/visits', {}, { headers });
      expect(store.take()).toEqual(['find', 'insert']);
      expect(written.cookies).toHaveLength(1);
      expect((await ada.token())!.slice(0, 22)).not.toBe('A'.repeat(22));
      expect(await under.store.find('A'.repeat(22) as never, call)).toBeNull();
    });

    it('T7: a token in the query string, the body or another header is ignored', async () => {
      await ada.post('/visits');
      const token = (await ada.token())!;
      store.take();
      const stranger = await visitor(app);
      const ways = ['__Host-session', 'session', 'sid', 'token', 'access_token'];
      const query = ways.map((name) => `${name}=${token}`).join('&');
      const headers = { authorization: `Bearer ${token}`, 'x-session': token, 'x-auth-token': token };
      expect((await stranger.get(`/visits?${query}`, { headers })).json()).toEqual({ visits: 'none' });
      const body = Object.fromEntries(ways.map((name) => [name, token]));
      expect((await stranger.post(`/visits?${query}`, body, { headers })).json()).toEqual({ visits: 1 });
      expect(store.take()).toEqual(['insert']);
    });
  });
});
