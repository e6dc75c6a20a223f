import { randomBytes } from 'node:crypto';
import { Controller, Get, Post, Query } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { MemorySessionStore, Session, SessionEvents, SessionModule } from 'nestjs-tessera';
import { SealedSessions } from 'nestjs-tessera/sealed';
import { SqlSessionStore, fromPg } from 'nestjs-tessera/sql';
import { SessionHealthIndicator } from 'nestjs-tessera/terminus';
import { Pool } from 'pg';
import { closeApps, platforms, startApp, type AppUnderTest } from '../support/app';
import { freePort } from '../support/servers/free-port';
import '../support/session-data';
import { visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';

@Controller()
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly sessions: SessionHealthIndicator,
  ) {}

  @HealthCheck()
  @Get('health')
  check(@Query('name') name?: string, @Query('timeout') timeout = '100') {
    return this.health.check([
      () => this.sessions.pingCheck('sessions', { timeout: Number(timeout), ...(name && { name }) }),
    ]);
  }

  @Post() write(@Session() session: Session) {
    session.set('visits', 1);
  }
}

describe.each(platforms)('SessionHealthIndicator on %s', (platform) => {
  afterEach(closeApps);

  const start = (store: AppUnderTest['options'], ...imports: NonNullable<AppUnderTest['imports']>) =>
    startApp({
      platform,
      options: store ?? {},
      controllers: [HealthController],
      providers: [SessionHealthIndicator],
      imports: [TerminusModule.forRoot({ logger: false }), ...imports],
    });
  const watched = () => new WatchedStore(new MemorySessionStore());
  const details = (answer: { json<T>(): T }): unknown =>
    answer.json<{ details: { sessions: unknown } }>().details.sessions;

  it('is up while the store answers, and costs one call of it', async () => {
    const store = watched();
    const app = await start({ store });
    store.take();
    const answer = await (await visitor(app)).get('/health');
    expect({ status: answer.status, details: details(answer), calls: store.take() }).toEqual({
      status: 200,
      details: { status: 'up' },
      calls: ['find'],
    });
  });

  it('F1: is down with the code of the driver, and nothing else that it said, when the store refuses', async () => {
    const store = watched();
    const app = await start({ store });
    store.before = () => {
      throw Object.assign(new Error('connect ECONNREFUSED redis://:secret@db:6379'), {
        code: 'ECONNREFUSED',
      });
    };
    const answer = await (await visitor(app)).get('/health');
    expect({
      status: answer.status,
      details: details(answer),
      leaks: answer.text.includes('secret'),
    }).toEqual({
      status: 503,
      details: {
        status: 'down',
        code: 'SESSION_STORE_UNAVAILABLE',
        instances: { default: 'ECONNREFUSED' },
      },
      leaks: false,
    });
  });

  it('F1: is down with the code of the driver of a SQL database that cannot be reached', async () => {
    const pool = new Pool({ host: '127.0.0.1', port: await freePort(), connectionTimeoutMillis: 3000 });
    const store = Object.assign(new SqlSessionStore(fromPg(pool)), { prepare: undefined });
    const app = await start({ store });
    const answer = await (await visitor(app)).get('/health?timeout=5000');
    await pool.end();
    expect(details(answer)).toMatchObject({ instances: { default: 'ECONNREFUSED' } });
  });

  it('F1: is down within its own deadline when the store hangs, and up again when it answers', async () => {
    const store = watched();
    const app = await start({ store, storeTimeout: '1h' });
    const probe = await visitor(app);
    store.before = () => new Promise(() => {});
    const begun = performance.now();
    const silent = await probe.get('/health?timeout=50');
    const took = performance.now() - begun;
    store.before = () => {};
    const again = await probe.get('/health');
    expect({ status: silent.status, details: details(silent), again: again.status }).toEqual({
      status: 503,
      details: { status: 'down', code: 'SESSION_STORE_UNAVAILABLE', instances: { default: 'timeout' } },
      again: 200,
    });
    expect(took).toBeLessThan(5_000);
  });

  it('emits no event: the requests that need the store do', async () => {
    const store = watched();
    const app = await start({ store });
    const heard: string[] = [];
    app.get(SessionEvents).subscribe(({ type }) => heard.push(type));
    store.before = () => {
      throw new Error('down');
    };
    const probe = await visitor(app);
    await probe.get('/health');
    const quiet = [...heard];
    await probe.post('/');
    expect({ quiet, heard: heard.length > 0 }).toEqual({ quiet: [], heard: true });
  });

  it('asks the stores of all instances, each once, or that of one', async () => {
    const [shared, other] = [watched(), watched()];
    const app = await start(
      { store: shared },
      SessionModule.forRoot({ name: 'admin', store: shared }),
      SessionModule.forRoot({ name: 'kiosk', store: other }),
    );
    other.before = () => {
      throw new TypeError('down');
    };
    const probe = await visitor(app);
    shared.take();
    const all = await probe.get('/health');
    const calls = shared.take();
    const one = await probe.get('/health?name=admin');
    expect({ status: all.status, details: details(all), calls, one: one.status }).toEqual({
      status: 503,
      details: {
        status: 'down',
        code: 'SESSION_STORE_UNAVAILABLE',
        instances: { default: 'up', admin: 'up', kiosk: 'TypeError' },
      },
      calls: ['find'],
      one: 200,
    });
  });

  it('asks of sealed sessions the store of their revocations', async () => {
    const revocations = watched();
    const app = await start({ store: new SealedSessions({ keys: [randomBytes(32)], revocations }) });
    revocations.take();
    const { status } = await (await visitor(app)).get('/health');
    expect({ status, calls: revocations.take() }).toEqual({ status: 200, calls: ['find'] });
  });

  it('is up for sealed sessions without a store', async () => {
    const store = new SealedSessions({ keys: [randomBytes(32)], dangerouslyWithoutRevocation: true });
    const app = await start({ store });
    expect((await (await visitor(app)).get('/health')).status).toBe(200);
  });

  it.each([
    ['an instance that does not exist', { name: 'admin' }, 'SESSION_MODULE_MISSING'],
    ['no duration', { timeout: 0 }, 'SESSION_OPTIONS_INVALID'],
    ['no number', { timeout: NaN }, 'SESSION_OPTIONS_INVALID'],
  ])('refuses %s', async (_what, options, code) => {
    const app = await start({});
    const indicator = app.get(SessionHealthIndicator);
    await expect(indicator.pingCheck('sessions', options)).rejects.toMatchObject({ code });
  });
});
