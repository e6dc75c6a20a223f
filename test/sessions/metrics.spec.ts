import { Body, Controller, Get, Post } from '@nestjs/common';
import { metrics } from '@opentelemetry/api';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import {
  MemorySessionStore,
  Session,
  sessionEventsToken,
  sessionManagerToken,
  SessionModule,
  SessionService,
  type SessionEvents,
  type SessionManager,
} from 'nestjs-tessera';
import { closeApps, platforms, startApp } from '../support/app';
import { core } from '../support/core';
import '../support/session-data';
import { visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';

/** A reader that a test asks for what the SDK has collected so far. */
class Reader extends MetricReader {
  protected async onForceFlush(): Promise<void> {}
  protected async onShutdown(): Promise<void> {}
}

interface Point {
  readonly attributes: Record<string, unknown>;
  /** The sum of a counter, or the number of durations in a histogram. */
  readonly value: number;
}

interface Metric {
  readonly unit: string;
  readonly points: Point[];
}

/** A real SDK, registered as an application's instrumentation does before it loads the application. */
function startOpenTelemetry(): { collected(): Promise<Map<string, Metric>> } {
  const reader = new Reader();
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  const collected = async (): Promise<Map<string, Metric>> => {
    const { resourceMetrics } = await reader.collect();
    const scope = resourceMetrics.scopeMetrics.find(({ scope: { name } }) => name === 'nestjs-tessera');
    return new Map(
      (scope?.metrics ?? []).map(({ descriptor: { name, unit }, dataPoints }) => {
        const points = dataPoints.map(({ attributes, value }) => ({
          attributes,
          value: typeof value === 'number' ? value : (value as { count: number }).count,
        }));
        return [name, { unit, points }];
      }),
    );
  };
  return { collected };
}

@Controller()
class ShopController {
  constructor(private readonly sessions: SessionService) {}

  @Get() read(@Session('visits') visits = 0) {
    return { visits };
  }
  @Post() write(@Session() session: Session) {
    session.set('visits', 1);
  }
  @Post('login') async login(@Body() { id }: { id: string }) {
    await this.sessions.login({ id });
  }
  @Post('logout') async logout() {
    await this.sessions.logout();
  }
  @Post('admin') admin(@Session({ name: 'admin' }) session: Session) {
    session.set('visits', 1);
  }
}

const controllers = [ShopController];
const ofDefault = { 'tessera.session.name': 'default' };

describe.each(platforms)('with OpenTelemetry, an application on %s', (platform) => {
  let sdk: ReturnType<typeof startOpenTelemetry>;
  beforeEach(() => {
    sdk = startOpenTelemetry();
  });
  afterEach(async () => {
    await closeApps();
    metrics.disable();
  });

  it('counts what happens to sessions, and why', async () => {
    const app = await startApp({ platform, controllers });
    const ada = await visitor(app);
    await ada.post('/login', { id: 'ada' });
    await ada.get('/');
    await ada.post('/logout');
    const eve = await visitor(app);
    await eve.get('/', { headers: { cookie: `__Host-session=${'a'.repeat(22)}.${'b'.repeat(43)}` } });

    const collected = await sdk.collected();
    const counted = (name: string): Metric | undefined => collected.get(name);
    expect({
      created: counted('tessera.session.created'),
      signIns: counted('tessera.session.sign_ins'),
      ended: counted('tessera.session.ended'),
      rejected: counted('tessera.session.rejected'),
    }).toEqual({
      created: { unit: '{session}', points: [{ attributes: ofDefault, value: 1 }] },
      signIns: { unit: '{sign_in}', points: [{ attributes: ofDefault, value: 1 }] },
      ended: { unit: '{session}', points: [{ attributes: { ...ofDefault, reason: 'logout' }, value: 1 }] },
      rejected: {
        unit: '{request}',
        points: [{ attributes: { ...ofDefault, reason: 'unknown' }, value: 1 }],
      },
    });
  });

  it('measures in seconds how long commits and store calls take', async () => {
    const app = await startApp({ platform, controllers });
    const ada = await visitor(app);
    await ada.post('/');
    await ada.get('/');

    const collected = await sdk.collected();
    expect({
      commits: collected.get('tessera.session.commit.duration'),
      operations: collected.get('tessera.store.operation.duration'),
    }).toEqual({
      commits: { unit: 's', points: [{ attributes: ofDefault, value: 1 }] },
      operations: {
        unit: 's',
        points: [
          { attributes: { ...ofDefault, operation: 'insert' }, value: 1 },
          { attributes: { ...ofDefault, operation: 'find' }, value: 1 },
        ],
      },
    });
  });

  it('counts a reason of the application as other, so that attributes stay few', async () => {
    const app = await startApp({ platform, controllers });
    const events = app.get<SessionEvents>(sessionEventsToken());
    const ended = { sessionName: 'default', id: null, principal: null, subject: null, at: 0 };
    events.emit({ ...ended, type: 'destroyed', reason: 'asked by user 7' });
    events.emit({ ...ended, type: 'stolen', reason: null });
    const points = (await sdk.collected()).get('tessera.session.ended')?.points;
    expect(points).toEqual([
      { attributes: { ...ofDefault, reason: 'other' }, value: 1 },
      { attributes: { ...ofDefault, reason: 'stolen' }, value: 1 },
    ]);
  });

  it('tells instances apart', async () => {
    const admin = SessionModule.forRoot({ name: 'admin' });
    const app = await startApp({ platform, controllers, imports: [admin] });
    await (await visitor(app)).post('/admin');
    const created = (await sdk.collected()).get('tessera.session.created');
    expect(created?.points).toEqual([{ attributes: { 'tessera.session.name': 'admin' }, value: 1 }]);
  });

  it('says of a failed store call what the driver said, and of a silent store that it did not answer', async () => {
    const store = new WatchedStore(new MemorySessionStore());
    const app = await startApp({ platform, controllers, options: { store, storeTimeout: 50 } });
    const ada = await visitor(app);
    store.before = () => {
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    };
    const refused = await ada.post('/');
    store.before = () => new Promise(() => {});
    const silent = await ada.post('/');

    const collected = await sdk.collected();
    const errorsOf = (name: string): Set<unknown> =>
      new Set(collected.get(name)!.points.map(({ attributes }) => attributes['error.type']));
    expect({
      statuses: [refused.status, silent.status],
      operations: errorsOf('tessera.store.operation.duration'),
      commits: errorsOf('tessera.session.commit.duration'),
    }).toEqual({
      statuses: [503, 503],
      operations: new Set(['ECONNREFUSED', 'timeout']),
      commits: new Set(['ECONNREFUSED', 'timeout']),
    });
  });

  it('T3: puts no id, no token and no principal into an attribute', async () => {
    const app = await startApp({ platform, controllers });
    const ada = await visitor(app);
    await ada.post('/login', { id: 'ada-lovelace' });
    const [id, secret] = (await ada.token())!.split('.');
    await ada.post('/logout');
    await ada.get('/');
    const points = [...(await sdk.collected()).values()].flatMap((metric) => metric.points);
    const keys = new Set(points.flatMap(({ attributes }) => Object.keys(attributes)));
    const text = JSON.stringify(points);
    expect({
      keys: [...keys].sort(),
      leaked: [id, secret, 'ada-lovelace'].filter((each) => text.includes(each!)),
    }).toEqual({ keys: ['operation', 'reason', 'tessera.session.name'], leaked: [] });
  });
});

describe('the measurements of a session manager', () => {
  const measured = { storeOperation: jest.fn(), commit: jest.fn(), conflict: jest.fn() };
  beforeEach(() => jest.clearAllMocks());

  it('count a conflict for each write that another request has overtaken', async () => {
    const { manager, store, issued } = core({ meter: measured });
    const token = await issued(null, (session) => session.set('visits', 1));
    const [first, second] = [await manager.open(token), await manager.open(token)];
    first.set('visits', 2);
    second.set('theme', 'dark');
    await manager.commit(first);
    store.take();
    await manager.commit(second);
    expect({ calls: store.take(), conflicts: measured.conflict.mock.calls.length }).toEqual({
      calls: ['update', 'find', 'update'],
      conflicts: 1,
    });
  });

  it('count none for an extension that comes second', async () => {
    const { manager, store, clock, issued } = core({ meter: measured });
    const token = await issued(null, (session) => session.set('visits', 1));
    clock.advance('10m');
    const [first, second] = [await manager.open(token), await manager.open(token)];
    first.set('visits', 2);
    await manager.commit(first);
    store.take();
    await manager.commit(second);
    expect({ calls: store.take(), conflicts: measured.conflict.mock.calls.length }).toEqual({
      calls: ['extend'],
      conflicts: 0,
    });
  });

  it('leave out commits that have nothing to write', async () => {
    const { manager, issued } = core({ meter: measured });
    const token = await issued(null, (session) => session.set('visits', 1));
    measured.commit.mockClear();
    await manager.commit(await manager.open(token));
    expect(measured.commit).not.toHaveBeenCalled();
  });
});

describe('F5: an SDK that throws', () => {
  afterEach(async () => {
    await closeApps();
    metrics.disable();
  });

  it('fails no request', async () => {
    const bad = (): never => {
      throw new Error('a bad SDK');
    };
    const instrument = { add: bad, record: bad };
    const meter = { createCounter: () => instrument, createHistogram: () => instrument };
    metrics.setGlobalMeterProvider({ getMeter: () => meter as never });
    const app = await startApp({ platform: 'express', controllers });
    const { status } = await (await visitor(app)).post('/login', { id: 'ada' });
    expect(status).toBe(201);
  });
});

describe('without OpenTelemetry', () => {
  afterEach(async () => {
    jest.dontMock('@opentelemetry/api');
    await closeApps();
  });

  it.each([
    ['is not installed', true],
    ['has no SDK', false],
  ])('when its API %s, an application works, and measures nothing', async (_what, isAbsent) => {
    if (isAbsent)
      jest.doMock('@opentelemetry/api', () => {
        throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' });
      });
    const app = await startApp({ platform: 'express', controllers, options: {} });
    const { settings } = app.get<SessionManager>(sessionManagerToken());
    const { status } = await (await visitor(app)).post('/login', { id: 'ada' });
    expect({ status, meter: settings.meter }).toEqual({ status: 201, meter: undefined });
  });
});
