import type { Server } from 'node:http';
import {
  Inject,
  Logger,
  Module,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  Optional,
  type OnModuleInit,
  type Provider,
} from '@nestjs/common';
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { inTime } from './core/in-time';
import type { EmitSessionEvent } from './core/session-event';
import { isRepositoryProvider, type SessionRepositoryProvider } from './core/session-repository';
import { SessionManager } from './core/session-manager';
import { SessionError } from './core/session.errors';
import { type SessionStore } from './core/session-store';
import {
  STORE_LIMITS,
  isClosable,
  isLimited,
  isPrepared,
  type PrepareContext,
} from './core/store-capabilities';
import { StoreClient } from './core/store-client';
import { findOperations } from './graphql/graphql-operation';
import { noteUpgrades } from './graphql/upgrades';
import { mountSessions } from './http/session-mount';
import { exceptionOf } from './http/session.exceptions';
import { openTelemetryMeter } from './metrics/open-telemetry';
import { SessionMetrics } from './metrics/session-metrics';
import { SessionInstances } from './requests/session-instance';
import {
  DEFAULT_SESSION,
  sessionEventsToken,
  sessionManagerToken,
  sessionOptionsToken,
  sessionRegistryToken,
  sessionServiceToken,
  sessionStoreToken,
} from './requests/session.tokens';
import { SessionEvents } from './session.events';
import { subscribeHandlers } from './session.handlers';
import {
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN,
  type SessionModuleAsyncOptions,
  type SessionModuleExtras,
  type SessionModuleSyncOptions,
} from './session.module-definition';
import { resolveOptions, type ResolvedOptions, type SessionModuleOptions } from './session.options';
import { SessionRegistry } from './session.registry';
import { doubtfulDurations } from './durations';
import { SessionService } from './session.service';
import { SessionSweeper } from './session.sweeper';
import { MemorySessionStore } from './stores/memory/memory-session-store';

/** How long preparing the store may take, in milliseconds. Some clients try to connect for ever. */
const PREPARE_TIMEOUT = 30_000;

/** How many different warnings about requests an instance logs. */
const MAX_WARNINGS = 20;

const NAME = Symbol('nestjs-tessera.name');
const OPTIONS = Symbol('nestjs-tessera.options');
const EVENTS = Symbol('nestjs-tessera.events');
const STORE = Symbol('nestjs-tessera.store');
const MANAGER = Symbol('nestjs-tessera.manager');

/** Number of instances that use a store. Several may share one; the last one closes it. */
const users = new WeakMap<SessionStore, number>();

/**
 * Server-side sessions for the whole application. Import `SessionModule.forRoot(options)` once, in the root module. For further
 * instances, each with its own cookie, store and lifetime, import it again with a `name`.
 */
@Module({})
export class SessionModule
  extends ConfigurableModuleClass
  implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown
{
  readonly #instances: SessionInstances;
  /** The store to prepare, sweep and close; `null` when the server stores nothing. */
  readonly #store: SessionStore | null;
  readonly #sweeper: SessionSweeper | null;
  readonly #logger = new Logger('SessionModule');
  readonly #prepareContext: PrepareContext;
  readonly #whenReady: () => void;

  /** @internal Nest calls it. */
  constructor(
    host: HttpAdapterHost,
    modules: ModulesContainer,
    @Optional() @Inject(NAME) name: string,
    @Optional() @Inject(OPTIONS) options: ResolvedOptions,
    @Optional() @Inject(STORE) store: SessionStore | SessionRepositoryProvider,
    @Optional() @Inject(MANAGER) private readonly manager: SessionManager,
    @Optional() @Inject(EVENTS) private readonly events: SessionEvents,
  ) {
    super();
    if (name === undefined) throw withoutOptions();
    const { clock, sweepEvery, storeTimeout } = options;
    const { emit, meter } = manager.settings;
    this.#prepareContext = { clock, warn: (message) => this.#logger.warn(message) };
    const warned = new Set<string>();
    const warnOnce = (message: string): void => {
      if (warned.has(message) || warned.size >= MAX_WARNINGS) return;
      warned.add(message);
      this.#logger.warn(message);
    };
    const managedStore = isRepositoryProvider(store) ? store.restsOn : store;
    this.#store = managedStore;
    this.#sweeper =
      managedStore &&
      new SessionSweeper(
        managedStore,
        new StoreClient(managedStore, storeTimeout, emit, meter),
        clock,
        sweepEvery,
      );
    this.#instances = SessionInstances.of(host);
    const { closeStreamsOnEnd: closesStreams } = options;
    this.#instances.add({ ...options, name, manager, closesStreams, emit, warnOnce });
    SessionEvents.of(host).include(events);
    this.#whenReady = () => {
      subscribeHandlers(SessionEvents.of(host), modules, this.#instances);
      noteUpgrades(this.#instances, host.httpAdapter?.getHttpServer?.() as Server | undefined);
    };
    mountSessions(this.#instances, host);
    findOperations(exceptionOf);
    if (managedStore instanceof MemorySessionStore && process.env['NODE_ENV'] === 'production') {
      this.#logger.warn(
        isRepositoryProvider(store)
          ? 'Revocations are kept in memory: after a restart, and in other processes, sessions that were logged out are valid again. Pass SealedSessions a persistent store.'
          : 'Sessions are kept in memory: they end with the process and are not shared between processes. Pass forRoot a store.',
      );
    }
  }

  /**
   * Returns the module of one instance with these options, each of which has a default. The application does not start when one is invalid.
   * @throws SessionError at the start: `SESSION_OPTIONS_INVALID`, which lists every invalid option; `SESSION_NAME_TAKEN` when another instance has
   * this name, cookie or header; and what `prepare` of the store rejects with
   */
  static override forRoot(options: SessionModuleSyncOptions = {}): DynamicModule {
    return instanceOf(super.forRoot(options), options);
  }

  /**
   * Same as `forRoot`, with options that a factory or a class returns, which may inject providers: `useFactory`, `useClass` or `useExisting`, as in
   * other modules of Nest. A `name` stands beside these, since it must be known before injection.
   * @throws SessionError at the start, as with `forRoot`
   */
  static override forRootAsync(options: SessionModuleAsyncOptions): DynamicModule {
    return instanceOf(super.forRootAsync(options), options);
  }

  /** Checks the store before the first request. */
  async onModuleInit(): Promise<void> {
    const store = this.#store;
    if (store === null) return;
    if (isPrepared(store)) await inTime('prepare', PREPARE_TIMEOUT, store.prepare(this.#prepareContext));
    const others = users.get(store) ?? 0;
    users.set(store, others + 1);
    if (others === 0) this.#warnOfLimits(store);
    this.#sweeper?.start();
  }

  /** Subscribes the handlers of events, when every provider is ready, and the servers of sockets listen for requests. */
  onApplicationBootstrap(): void {
    this.#whenReady();
  }

  /** Called after the last request has finished. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.#sweeper?.stop(), this.#instances.idle()]);
    this.manager.close();
    if (this.#store !== null) await this.#release(this.#store);
    this.events.complete();
  }

  /** Closes the store when no other instance uses it. */
  async #release(store: SessionStore): Promise<void> {
    const others = (users.get(store) ?? 1) - 1;
    users.set(store, others);
    if (others === 0 && isClosable(store)) await store.close();
  }

  #warnOfLimits(store: SessionStore): void {
    if (!isLimited(store)) return;
    for (const limit of store.limits) {
      const { promise, consequence, wayOut } = STORE_LIMITS[limit];
      this.#logger.warn(`The session store cannot promise ${promise}: ${consequence}. ${wayOut}`);
    }
  }
}

/** The providers of one instance. Exported ones have a token per name; the others are internal to the module. */
function instanceOf(
  definition: DynamicModule,
  { name = DEFAULT_SESSION }: SessionModuleExtras,
): DynamicModule {
  const shared: Provider[] = [
    {
      provide: sessionStoreToken(name),
      useFactory: ({ store }: ResolvedOptions) => store,
      inject: [OPTIONS],
    },
    { provide: sessionEventsToken(name), useClass: SessionEvents },
    {
      provide: SessionEvents,
      useFactory: (host: HttpAdapterHost) => SessionEvents.of(host),
      inject: [HttpAdapterHost],
    },
    {
      provide: sessionManagerToken(name),
      useFactory: managerOf,
      inject: [NAME, OPTIONS, STORE, EVENTS],
    },
    {
      provide: sessionServiceToken(name),
      useFactory: (host: HttpAdapterHost) => new SessionService(name, SessionInstances.of(host)),
      inject: [HttpAdapterHost],
    },
  ];
  shared.push({
    provide: sessionRegistryToken(name),
    useFactory: ({ registry }: SessionService) => registry,
    inject: [sessionServiceToken(name)],
  });
  if (name === DEFAULT_SESSION) {
    shared.push(
      { provide: SessionRegistry, useExisting: sessionRegistryToken() },
      { provide: SessionManager, useExisting: sessionManagerToken() },
      { provide: SessionService, useExisting: sessionServiceToken() },
    );
  }
  return {
    ...definition,
    global: true,
    providers: [
      ...(definition.providers ?? []).map((provider) => withOptionsToken(provider, name)),
      ...shared,
      { provide: NAME, useValue: name },
      {
        provide: OPTIONS,
        useFactory: (options?: SessionModuleOptions) => resolved(options, name),
        inject: [sessionOptionsToken(name)],
      },
      { provide: STORE, useExisting: sessionStoreToken(name) },
      { provide: MANAGER, useExisting: sessionManagerToken(name) },
      { provide: EVENTS, useExisting: sessionEventsToken(name) },
    ],
    exports: shared.map((provider) => (provider as { provide: symbol }).provide),
  };
}

/** Nest's builder has one token for the options of all instances. */
function withOptionsToken(provider: Provider, name: string): Provider {
  const isOptions = 'provide' in provider && provider.provide === MODULE_OPTIONS_TOKEN;
  return isOptions ? { ...provider, provide: sessionOptionsToken(name) } : provider;
}

function resolved(options: SessionModuleOptions | undefined, name: string): ResolvedOptions {
  const settings = resolveOptions(options, name);
  if (process.env['NODE_ENV'] === 'production') {
    const logger = new Logger('SessionModule');
    for (const warning of doubtfulDurations(options!)) logger.warn(warning);
  }
  return settings;
}

function managerOf(
  name: string,
  { transport, ...options }: ResolvedOptions,
  store: SessionStore | SessionRepositoryProvider,
  events: SessionEvents,
): SessionManager {
  const blank = { sessionName: name, id: null, principal: null, subject: null, reason: null };
  const emit: EmitSessionEvent = (event) => events.emit({ ...blank, at: options.clock(), ...event });
  const meter = metricsOf(name, events);
  return new SessionManager(store, { ...options, name, sealedFor: transport.sealedFor, emit, ...meter });
}

/** Measures an instance, if the process has started OpenTelemetry. */
function metricsOf(name: string, events: SessionEvents): { readonly meter?: SessionMetrics } {
  const openTelemetry = openTelemetryMeter();
  if (openTelemetry === null) return {};
  const meter = new SessionMetrics(openTelemetry, name);
  events.subscribe((event) => meter.count(event));
  return { meter };
}

/** Without this error Nest would only report an internal symbol that it cannot resolve. */
function withoutOptions(): SessionError {
  return new SessionError(
    'SESSION_OPTIONS_INVALID',
    'Import SessionModule.forRoot(), not SessionModule itself.',
  );
}
