import {
  Inject,
  Logger,
  Module,
  type DynamicModule,
  type OnApplicationShutdown,
  Optional,
  type OnModuleInit,
  type Provider,
} from '@nestjs/common';
import { APP_INTERCEPTOR, HttpAdapterHost } from '@nestjs/core';
import type { EmitSessionEvent } from './core/session-event';
import { SessionManager } from './core/session-manager';
import { SessionError } from './core/session.errors';
import { isClosable, isPrepared, type SessionStore } from './core/session-store';
import { StoreClient } from './core/store-client';
import { DEFAULT_SESSION } from './http/session-context';
import { SessionHub } from './http/session-hub';
import { SessionInterceptor } from './http/session.interceptor';
import { sessionEventsToken, sessionServiceToken, sessionStoreToken } from './http/session.tokens';
import { SessionEvents } from './session.events';
import {
  ASYNC_OPTIONS_TYPE,
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN,
  OPTIONS_TYPE,
  type SessionModuleExtras,
} from './session.module-definition';
import { resolveOptions, type ResolvedOptions, type SessionModuleOptions } from './session.options';
import { SessionService } from './session.service';
import { SessionSweeper } from './session.sweeper';
import { MemorySessionStore } from './stores/memory/memory-session-store';
import { CookieTransport } from './transports/cookie-transport';

const NAME = Symbol('nestjs-tessera.name');
const OPTIONS = Symbol('nestjs-tessera.options');
const EVENTS = Symbol('nestjs-tessera.events');
const STORE = Symbol('nestjs-tessera.store');

/** How many instances use a store: several may share one, and the last of them closes it. */
const users = new WeakMap<SessionStore, number>();

/**
 * Server-side sessions for the whole application. Import `SessionModule.forRoot(options)` once, in the root module; with a `name`,
 * further instances stand beside it, each with a cookie, a store and a lifetime of its own.
 */
@Module({})
export class SessionModule extends ConfigurableModuleClass implements OnModuleInit, OnApplicationShutdown {
  readonly #hub: SessionHub;
  readonly #sweeper: SessionSweeper;
  readonly #manager: SessionManager;

  constructor(
    host: HttpAdapterHost,
    @Optional() @Inject(NAME) name: string,
    @Optional() @Inject(OPTIONS) options: ResolvedOptions,
    @Optional() @Inject(STORE) private readonly store: SessionStore,
    @Optional() @Inject(EVENTS) private readonly events: SessionEvents,
  ) {
    super();
    if (name === undefined) throw withoutOptions();
    const { clock, asyncContext, sweepEvery, storeTimeout } = options;
    const logger = new Logger('SessionModule');
    const emit: EmitSessionEvent = (event) =>
      events.emit({ sessionName: name, id: null, principal: null, reason: null, at: clock(), ...event });
    const warned = new Set<string>();
    const warnObstacle = (obstacle: string): void => {
      if (!warned.has(obstacle)) logger.warn(`A session could not begin: ${obstacle}.`);
      warned.add(obstacle);
    };
    this.#manager = new SessionManager({ ...options, name, store, emit });
    this.#sweeper = new SessionSweeper(store, new StoreClient(store, storeTimeout, emit), clock, sweepEvery);
    this.#hub = SessionHub.of(host);
    this.#hub.add(
      {
        name,
        manager: this.#manager,
        transport: new CookieTransport(options.cookie),
        clock,
        asyncContext,
        emit,
        warnObstacle,
      },
      host,
    );
    if (store instanceof MemorySessionStore && process.env['NODE_ENV'] === 'production') {
      logger.warn(
        'Sessions are kept in memory: they end with the process and are not shared between processes. Give forRoot a store.',
      );
    }
  }

  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return instanceOf(super.forRoot(options), options);
  }

  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return instanceOf(super.forRootAsync(options), options);
  }

  /** Checks the store before the first request. */
  async onModuleInit(): Promise<void> {
    if (isPrepared(this.store)) await this.store.prepare();
    users.set(this.store, (users.get(this.store) ?? 0) + 1);
    this.#sweeper.start();
  }

  /** Requests have finished by now. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.#sweeper.stop(), this.#hub.idle()]);
    this.#manager.close();
    const others = (users.get(this.store) ?? 1) - 1;
    users.set(this.store, others);
    if (others === 0 && isClosable(this.store)) await this.store.close();
    this.events.complete();
  }
}

/** Everything one instance provides. What others inject has a token by name; what only the module uses stays inside. */
function instanceOf(
  definition: DynamicModule,
  { name = DEFAULT_SESSION, interceptor = true }: SessionModuleExtras,
): DynamicModule {
  const shared: Provider[] = [
    {
      provide: sessionStoreToken(name),
      useFactory: ({ store }: ResolvedOptions) => store,
      inject: [OPTIONS],
    },
    { provide: sessionEventsToken(name), useClass: SessionEvents },
    { provide: sessionServiceToken(name), useFactory: () => new SessionService(name) },
  ];
  if (name === DEFAULT_SESSION) {
    shared.push(
      { provide: SessionEvents, useExisting: sessionEventsToken() },
      { provide: SessionService, useExisting: sessionServiceToken() },
    );
  }
  return {
    ...definition,
    global: true,
    providers: [
      ...(definition.providers ?? []),
      ...shared,
      { provide: NAME, useValue: name },
      {
        provide: OPTIONS,
        useFactory: (options?: SessionModuleOptions) => resolveOptions(options, name),
        inject: [MODULE_OPTIONS_TOKEN],
      },
      { provide: STORE, useExisting: sessionStoreToken(name) },
      { provide: EVENTS, useExisting: sessionEventsToken(name) },
      ...(interceptor ? [{ provide: APP_INTERCEPTOR, useFactory: () => new SessionInterceptor(name) }] : []),
    ],
    exports: shared.map((provider) => (provider as { provide: symbol }).provide),
  };
}

/** The class alone provides nothing; Nest would only say which of our symbols it misses. */
function withoutOptions(): SessionError {
  return new SessionError(
    'SESSION_OPTIONS_INVALID',
    'Import SessionModule.forRoot(), not SessionModule itself.',
  );
}
