import { inspect } from 'node:util';
import { parse as parseDuration } from '@lukeed/ms';
import { TIMER_LIMIT, systemClock, type Clock } from './core/clock';
import { jsonCodec, type SessionCodec } from './core/session-codec';
import type { Timeouts } from './core/session-expiry';
import { isRepositoryProvider, type SessionRepositoryProvider } from './core/session-repository';
import type { SessionStore } from './core/session-store';
import { SessionError } from './core/session.errors';
import { MemorySessionStore } from './stores/memory/memory-session-store';
import { HTTP_TOKEN, resolveCookie, type CookieOptions } from './transports/cookie-options';
import { CookieTransport } from './transports/cookie-transport';
import type { SessionTransport } from './transports/session-transport';

/** A duration: milliseconds, or a string such as `'90s'`, `'30m'`, `'24h'`, `'7d'`. */
export type Duration = number | string;

/** Options of `SessionModule.forRoot`. All are optional, with safe defaults. */
export interface SessionModuleOptions {
  /**
   * The store of the sessions, or `new SealedSessions(…)` of `nestjs-tessera/sealed`, which keeps them in the cookie.
   * @default new MemorySessionStore(), which forgets everything when the process ends
   */
  readonly store?: SessionStore | SessionRepositoryProvider;
  /** Maximum duration of a session from its creation or login, regardless of activity. @default '24h' */
  readonly lifetime?: Duration;
  /** Maximum time between two requests; `false` for no limit within the lifetime. @default '30m' */
  readonly idleTimeout?: Duration | false;
  /** The same two options for sessions that survive a restart of the browser. */
  readonly rememberMe?: {
    /** @default '30d' */
    readonly lifetime?: Duration;
    /** @default false */
    readonly idleTimeout?: Duration | false;
  };
  /** The cookie that carries the token. */
  readonly cookie?: CookieOptions;
  /** Carries the token instead of the cookie. Cannot be combined with `cookie`. @default the cookie */
  readonly transport?: SessionTransport;
  /** Maximum size of an encoded session, in bytes. @default 65536 */
  readonly maxBytes?: number;
  /**
   * Maximum duration of a store call. A longer one fails, and the request is answered with 503. Time in which the event loop was blocked
   * does not count, up to the same duration.
   * @default '3s'
   */
  readonly storeTimeout?: Duration;
  /**
   * Age at which a request replaces its token: a duration, `'always'`, or `false` for never. When the old token is used after the new one
   * was, it was copied: the session ends, with an event `stolen`. Not available for sealed sessions.
   * @default false
   */
  readonly rotateEvery?: Duration | 'always' | false;
  /** Interval at which expired records are removed from a store that does not do so itself; `false` for never. @default '1m' */
  readonly sweepEvery?: Duration | false;
  /** Whether `SessionService.current()` is available. It slows down each request slightly on Node before 24. @default true */
  readonly asyncContext?: boolean;
  /**
   * Converts values to text and back. With `plainJson`, values that JSON changes are accepted, and come back changed.
   * @default JSON with Date, Map, Set, bigint, Uint8Array and undefined; other values are refused
   */
  readonly codec?: SessionCodec;
  /** The source of time, in epoch milliseconds. @default the machine's clock */
  readonly clock?: Clock;
}

/** The options with all defaults filled in. Durations are in milliseconds. */
export interface ResolvedOptions {
  readonly store: SessionStore | SessionRepositoryProvider;
  readonly timeouts: Timeouts;
  readonly rememberedTimeouts: Timeouts;
  readonly transport: SessionTransport;
  readonly persistent: boolean;
  readonly maxBytes: number;
  readonly storeTimeout: number;
  readonly rotateEvery: number | null;
  readonly sweepEvery: number | null;
  readonly asyncContext: boolean;
  readonly codec: SessionCodec;
  readonly clock: Clock;
}

const MINUTE = 60 * 1000;
const DAY = 24 * 60 * MINUTE;

/** Maximum duration, in milliseconds. Added to the current time it is still a valid instant. */
const DURATION_LIMIT = 100_000 * DAY;

/** A number without a unit. Seconds and milliseconds are both likely, and differ by a thousand. */
const DIGITS = /^\s*\d+(\.\d+)?\s*$/;

const MODULE_OPTIONS: Record<keyof SessionModuleOptions, true> = {
  store: true,
  lifetime: true,
  idleTimeout: true,
  rememberMe: true,
  cookie: true,
  transport: true,
  maxBytes: true,
  storeTimeout: true,
  rotateEvery: true,
  sweepEvery: true,
  asyncContext: true,
  codec: true,
  clock: true,
};

const REMEMBER_ME_OPTIONS: Record<keyof NonNullable<SessionModuleOptions['rememberMe']>, true> = {
  lifetime: true,
  idleTimeout: true,
};

/** Returns a warning for each number of milliseconds that was probably meant to be seconds. */
export function doubtfulDurations({
  lifetime,
  idleTimeout,
  rememberMe = {},
}: SessionModuleOptions): string[] {
  const remembered = {
    'rememberMe.lifetime': rememberMe.lifetime,
    'rememberMe.idleTimeout': rememberMe.idleTimeout,
  };
  return Object.entries({ lifetime, idleTimeout, ...remembered })
    .filter(([, duration]) => typeof duration === 'number' && duration < MINUTE)
    .map(([option, duration]) => `${option} is ${duration} milliseconds. For seconds write '${duration}s'.`);
}

/**
 * Fills in the defaults, and reports all invalid options in one error.
 * @throws SessionError `SESSION_OPTIONS_INVALID`
 */
export function resolveOptions(options: SessionModuleOptions | undefined, name: string): ResolvedOptions {
  if (options === undefined || options === null)
    throw invalidOptions(name, ['the factory returned no options; return an object, {} for the defaults']);
  const problems: string[] = [];
  const duration = (option: string, value: Duration, limit = DURATION_LIMIT): number => {
    if (typeof value === 'string' && DIGITS.test(value)) {
      problems.push(
        `${option} must say its unit, got ${show(value)}: write '${value.trim()}s' for seconds, or the number ${value.trim()} for milliseconds`,
      );
      return limit;
    }
    const milliseconds =
      typeof value === 'number' ? value : typeof value === 'string' ? parseDuration(value) : undefined;
    if (milliseconds !== undefined && milliseconds >= 1 && milliseconds <= limit)
      return Math.floor(milliseconds);
    problems.push(
      `${option} must be a duration in milliseconds or such as '30m', '24h', '7d', at most ${limit} ms, got ${show(value)}`,
    );
    return limit;
  };
  const durationOrNull = (option: string, value: Duration | false, limit?: number): number | null =>
    value === false ? null : duration(option, value, limit);

  const optionsOf = <T extends object>(option: string, value: T | undefined): T => {
    if (value === undefined || isOptions(value)) return value ?? ({} as T);
    problems.push(`${option} must be an object, got ${show(value)}`);
    return {} as T;
  };

  if (!isOptions(options))
    throw invalidOptions(name, [`the options must be an object, got ${show(options)}`]);
  const rememberMe = optionsOf('rememberMe', options.rememberMe);
  problems.push(
    ...unknownKeys(options, MODULE_OPTIONS),
    ...unknownKeys(rememberMe, REMEMBER_ME_OPTIONS, 'rememberMe.'),
  );
  const { maxBytes = 64 * 1024, asyncContext = true, codec = jsonCodec, clock = systemClock } = options;
  const { cookie, problems: cookieProblems } = resolveCookie(optionsOf('cookie', options.cookie), name);
  problems.push(...cookieProblems);
  const resolved: ResolvedOptions = {
    store: options.store ?? new MemorySessionStore(),
    timeouts: {
      lifetime: duration('lifetime', options.lifetime ?? DAY),
      idleTimeout: durationOrNull('idleTimeout', options.idleTimeout ?? DAY / 48),
    },
    rememberedTimeouts: {
      lifetime: duration('rememberMe.lifetime', rememberMe.lifetime ?? 30 * DAY),
      idleTimeout: durationOrNull('rememberMe.idleTimeout', rememberMe.idleTimeout ?? false),
    },
    transport: options.transport ?? new CookieTransport(cookie),
    persistent: cookie.persistent,
    maxBytes,
    storeTimeout: duration('storeTimeout', options.storeTimeout ?? 3000, TIMER_LIMIT),
    rotateEvery:
      options.rotateEvery === 'always' ? 0 : durationOrNull('rotateEvery', options.rotateEvery ?? false),
    sweepEvery: durationOrNull('sweepEvery', options.sweepEvery ?? 60_000, DAY),
    asyncContext,
    codec,
    clock,
  };
  if (resolved.rotateEvery !== null && isRepositoryProvider(resolved.store))
    problems.push(
      'rotateEvery needs a store: sealed sessions cannot distinguish a copied token from a slow request; leave it out',
    );
  problems.push(...storeProblems(resolved.store), ...transportProblems(resolved.transport));
  if (options.transport !== undefined && options.cookie !== undefined)
    problems.push('transport and cookie cannot be combined; remove one of them');
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 256)
    problems.push(`maxBytes must be a whole number from 256 up, got ${show(maxBytes)}`);
  if (typeof asyncContext !== 'boolean')
    problems.push(`asyncContext must be true or false, got ${show(asyncContext)}`);
  if (typeof clock !== 'function') problems.push('clock must be a function that returns epoch milliseconds');
  if (typeof codec?.encode !== 'function' || typeof codec.decode !== 'function')
    problems.push('codec must have encode() and decode()');
  if (problems.length > 0) throw invalidOptions(name, problems);
  return resolved;
}

function isOptions(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknownKeys(options: object, known: object, prefix = ''): string[] {
  const unexpected = Object.keys(options).filter((key) => !Object.hasOwn(known, key));
  return unexpected.map(
    (key) => `${prefix}${key} is not an option; known are ${Object.keys(known).join(', ')}`,
  );
}

function storeProblems(store: unknown): string[] {
  if (typeof store === 'function') return [`store is a class; pass an instance: new ${store.name}(…)`];
  if (typeof store === 'object' && store !== null && isRepositoryProvider(store)) return [];
  const missing = (['find', 'insert', 'update', 'extend', 'delete'] as const).filter(
    (method) => typeof (store as Partial<SessionStore> | null)?.[method] !== 'function',
  );
  const { then, get, destroy } = Object(store) as Record<string, unknown>;
  if (missing.length > 0 && typeof then === 'function')
    return ['store is a promise; await it, with forRootAsync({ useFactory: async () => … })'];
  if (missing.length > 0 && typeof get === 'function' && typeof destroy === 'function')
    return ["store is an express-session store; pass fromExpressStore(store) of 'nestjs-tessera/bridges'"];
  return missing.map((method) => `store has no method ${method}(); pass a SessionStore`);
}

function transportProblems(transport: unknown): string[] {
  if (typeof transport === 'function')
    return [`transport is a class; pass an instance: new ${transport.name}(…)`];
  const given = Object(transport) as Partial<SessionTransport>;
  const problems = (['read', 'capacity', 'obstacle', 'write'] as const)
    .filter((method) => typeof given[method] !== 'function')
    .map((method) => `transport has no method ${method}(); pass a SessionTransport`);
  for (const key of ['channel', 'sealedFor'] as const) {
    if (typeof given[key] !== 'string' || given[key] === '')
      problems.push(
        `transport.${key} must be a non-empty string that names what carries the token, got ${show(given[key])}`,
      );
  }
  const { vary } = given;
  if (!Array.isArray(vary) || !vary.every((name) => typeof name === 'string' && HTTP_TOKEN.test(name)))
    problems.push(`transport.vary must be an array of names of request headers, got ${show(vary)}`);
  return problems;
}

function invalidOptions(name: string, problems: string[]): SessionError {
  const instance = name === 'default' ? '' : ` '${name}'`;
  return new SessionError(
    'SESSION_OPTIONS_INVALID',
    `The options of SessionModule${instance} are invalid:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
  );
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : inspect(value, { depth: 0 });
}
