import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  VersioningType,
  type INestApplicationContext,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxyFactory, MessagePattern, Transport } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { firstValueFrom } from 'rxjs';
import {
  MemorySessionStore,
  Session,
  SESSION_STORE,
  SessionEvents,
  SessionManager,
  sessionManagerToken,
  SessionModule,
  sessionOptionsToken,
  SessionService,
  type SessionModuleOptions,
  type SessionOptionsFactory,
  type SessionStore,
} from 'nestjs-tessera';
import { manualClock } from 'nestjs-tessera/testing';
import { closeApps, platforms, startApp } from '../support/app';
import { freePort } from '../support/servers/free-port';
import '../support/session-data';
import { visitor } from '../support/visitor';

const clock = manualClock();

@Injectable()
class Settings {
  readonly lifetime = '2h';
}

@Module({ providers: [Settings], exports: [Settings] })
class SettingsModule {}

@Injectable()
class Factory implements SessionOptionsFactory {
  constructor(@Inject(Settings) private readonly settings: Settings) {}

  async createSessionOptions(): Promise<SessionModuleOptions> {
    return { lifetime: this.settings.lifetime, clock };
  }
}

@Module({ imports: [SettingsModule], providers: [Factory], exports: [Factory] })
class FactoryModule {}

@Controller('visits')
class VisitsController {
  constructor(private readonly sessions: SessionService) {}

  @Get() async visits(@Session() session: Session) {
    const visits = session.update('visits', (n = 0) => n + 1);
    const current = await this.sessions.current();
    return { visits, same: current === session, deadline: session.deadline };
  }
  @Get('of-nobody') nobody(@Session({ name: 'nobody' }) session: Session) {
    return session.id;
  }
  @MessagePattern('visits') message() {
    return this.sessions.current().then(
      () => 'a session',
      (error: { code: string }) => error.code,
    );
  }
  @MessagePattern('decorated') decorated(@Session() session: Session) {
    return session.id;
  }
  @MessagePattern('plain') plain() {
    return 'plain';
  }
}

@Controller({ path: 'versioned', version: '2' })
class VersionedController {
  @Get() versioned(@Session() session: Session) {
    return session.update('visits', (n = 0) => n + 1);
  }
}

describe.each(platforms)('the module on %s', (platform) => {
  afterEach(closeApps);

  it.each([
    [
      'useFactory',
      SessionModule.forRootAsync({
        imports: [SettingsModule],
        inject: [Settings],
        useFactory: async (settings: Settings) => ({ lifetime: settings.lifetime, clock }),
      }),
    ],
    ['useClass', SessionModule.forRootAsync({ imports: [SettingsModule], useClass: Factory })],
    ['useExisting', SessionModule.forRootAsync({ imports: [FactoryModule], useExisting: Factory })],
    ['forRoot', SessionModule.forRoot({ lifetime: '2h', clock })],
  ])('starts by %s, with what it needs injected', async (_way, module) => {
    const app = await startApp({
      platform,
      options: false,
      imports: [module],
      controllers: [VisitsController],
    });
    const ada = await visitor(app);
    const answers = [await ada.get('/visits'), await ada.get('/visits')].map((answer) => answer.json());
    const deadline = clock() + 2 * 60 * 60_000;
    expect(answers).toEqual([
      { visits: 1, same: true, deadline },
      { visits: 2, same: true, deadline },
    ]);
  });

  it('starts without any options', async () => {
    const app = await startApp({
      platform,
      options: false,
      imports: [SessionModule.forRoot()],
      controllers: [VisitsController],
    });
    expect((await (await visitor(app)).get('/visits')).status).toBe(200);
  });

  it('refuses a factory that returns nothing: somebody has forgotten to', async () => {
    const module = SessionModule.forRootAsync({ useFactory: () => undefined as never });
    const start = startApp({ platform, options: false, imports: [module] });
    await expect(start).rejects.toThrow(/the factory returned no options; return an object/);
  });

  it('refuses to be imported without forRoot, in words', async () => {
    const start = startApp({ platform, options: false, imports: [SessionModule] });
    await expect(start).rejects.toThrow('Import SessionModule.forRoot(), not SessionModule itself.');
  });

  it('refuses impossible options at start, in words', async () => {
    const start = startApp({ platform, options: { lifetime: 'long', idleTimeout: -1 } });
    await expect(start).rejects.toMatchObject({
      code: 'SESSION_OPTIONS_INVALID',
      message: expect.stringMatching(/lifetime must be .* got "long"\n {2}- idleTimeout must be .* got -1/),
    });
  });

  it('lets a test bring a store of its own', async () => {
    const store = new MemorySessionStore();
    const module = await Test.createTestingModule({
      imports: [SessionModule.forRoot()],
      controllers: [VisitsController],
    })
      .overrideProvider(SESSION_STORE)
      .useValue(store)
      .compile();
    expect(module.get<SessionStore>(SESSION_STORE)).toBe(store);
    await module.close();
  });

  it('W4: runs no factory whose options a test overrides', async () => {
    const useFactory = jest.fn((): SessionModuleOptions => ({ lifetime: '1h' }));
    const named = jest.fn((): SessionModuleOptions => ({ lifetime: '2h' }));
    const module = await Test.createTestingModule({
      imports: [
        SessionModule.forRootAsync({ useFactory }),
        SessionModule.forRootAsync({ name: 'admin', useFactory: named }),
      ],
    })
      .overrideProvider(sessionOptionsToken())
      .useValue({ lifetime: '5m' })
      .compile();
    const lifetimes = [sessionManagerToken(), sessionManagerToken('admin')].map(
      (token) => module.get<SessionManager>(token).settings.timeouts.lifetime,
    );
    expect({ lifetimes, calls: [useFactory.mock.calls.length, named.mock.calls.length] }).toEqual({
      lifetimes: [5 * 60_000, 120 * 60_000],
      calls: [0, 1],
    });
    await module.close();
  });

  it('works below a global prefix, with versions, and by NestFactory', async () => {
    const app = await startApp({
      platform,
      controllers: [VisitsController, VersionedController],
      configure: (it) => {
        it.setGlobalPrefix('api');
        it.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
      },
    });
    const ada = await visitor(app);
    expect((await ada.get('/api/v1/visits')).json()).toMatchObject({ visits: 1 });
    expect((await ada.get('/api/v2/versioned')).text).toBe('2');
  });

  it('is missed in words by a handler that wants an instance which is not there', async () => {
    const logged: string[] = [];
    const app = await startApp({ platform, controllers: [VisitsController] });
    const logger = {
      error: (...said: unknown[]) => logged.push(String(said[0])),
      log: () => {},
      warn: () => {},
    };
    app.useLogger(logger);
    const { status } = await (await visitor(app)).get('/visits/of-nobody');
    app.useLogger(false);
    expect(status).toBe(500);
    expect(logged.join()).toContain(
      "There is no session instance 'nobody'. Import SessionModule.forRoot({ name: 'nobody', … }).",
    );
  });

  it('does no harm to a hybrid application, whose messages have no session', async () => {
    const app = await startApp({ platform, controllers: [VisitsController] });
    const port = await freePort();
    app.connectMicroservice(
      { transport: Transport.TCP, options: { host: '127.0.0.1', port } },
      { inheritAppConfig: true },
    );
    await app.startAllMicroservices();
    const client = ClientProxyFactory.create({
      transport: Transport.TCP,
      options: { host: '127.0.0.1', port },
    });
    const send = (pattern: string): Promise<unknown> => firstValueFrom(client.send<unknown>(pattern, {}));
    try {
      expect(await send('plain')).toBe('plain');
      expect(await send('visits')).toBe('SESSION_REQUEST_MISSING');
      await expect(send('decorated')).rejects.toBeDefined();
      expect((await (await visitor(app)).get('/visits')).json()).toMatchObject({ visits: 1 });
    } finally {
      client.close();
    }
  });
});

describe('the module in an application without HTTP', () => {
  @Injectable()
  class Job {
    constructor(
      readonly sessions: SessionService,
      readonly events: SessionEvents,
    ) {}
  }

  @Module({ imports: [SessionModule.forRoot({ sweepEvery: '1m' })], providers: [Job] })
  class WorkerModule {}

  const contexts: [string, () => Promise<INestApplicationContext>][] = [
    ['standalone', () => NestFactory.createApplicationContext(WorkerModule, { logger: false })],
    [
      'a testing module',
      () =>
        Test.createTestingModule({ imports: [WorkerModule] })
          .compile()
          .then((module) => module.init()),
    ],
    [
      'a microservice',
      () =>
        NestFactory.createMicroservice(WorkerModule, {
          logger: false,
          transport: Transport.TCP,
          options: { port: 0 },
        }).then((service) => service.init()),
    ],
  ];

  it.each(contexts)('does no harm: %s', async (_kind, create) => {
    const context = await create();
    const job = context.get(Job);
    await expect(job.sessions.current()).rejects.toMatchObject({ code: 'SESSION_REQUEST_MISSING' });
    expect(context.get<SessionStore>(SESSION_STORE)).toBeInstanceOf(MemorySessionStore);
    let completed = false;
    job.events.subscribe({ complete: () => (completed = true) });
    await context.close();
    expect(completed).toBe(true);
  });

  it('closes its store once, after it was prepared', async () => {
    const order: string[] = [];
    const store = Object.assign(new MemorySessionStore(), {
      prepare: async () => void order.push('prepare'),
      close: async () => void order.push('close'),
    });
    @Module({ imports: [SessionModule.forRoot({ store })] })
    class StoredModule {}
    const context = await NestFactory.createApplicationContext(StoredModule, { logger: false });
    expect(order).toEqual(['prepare']);
    await context.close();
    expect(order).toEqual(['prepare', 'close']);
  });

  it('closes a store that two instances share once, when both are done with it', async () => {
    const close = jest.fn(async () => {});
    const store = Object.assign(new MemorySessionStore(), { close });
    @Module({ imports: [SessionModule.forRoot({ store }), SessionModule.forRoot({ name: 'admin', store })] })
    class SharedModule {}
    const context = await NestFactory.createApplicationContext(SharedModule, { logger: false });
    await context.close();
    expect(close).toHaveBeenCalledTimes(1);
  });

  it('F7: does not start on a store that is not ready, and says why', async () => {
    const store = Object.assign(new MemorySessionStore(), {
      prepare: () => Promise.reject(new Error('the table is missing')),
    });
    @Module({ imports: [SessionModule.forRoot({ store })] })
    class UnpreparedModule {}
    const start = NestFactory.createApplicationContext(UnpreparedModule, {
      logger: false,
      abortOnError: false,
    });
    await expect(start).rejects.toThrow('the table is missing');
  });

  it('F7: does not wait for ever for a store whose client tries to connect', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    try {
      let start: Promise<unknown> | undefined;
      const begun = new Promise<void>((resolve) => {
        const store = Object.assign(new MemorySessionStore(), {
          prepare: () => new Promise<void>(() => resolve()),
        });
        @Module({ imports: [SessionModule.forRoot({ store })] })
        class ConnectingModule {}
        const options = { logger: false, abortOnError: false } as const;
        start = NestFactory.createApplicationContext(ConnectingModule, options);
      });
      const refused = expect(start).rejects.toThrow("failed at 'prepare': no answer within 30000 ms");
      await begun;
      await jest.advanceTimersByTimeAsync(30_000);
      await refused;
    } finally {
      jest.useRealTimers();
    }
  });
});
