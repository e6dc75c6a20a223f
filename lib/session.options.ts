import { inspect } from 'node:util';
import { parse as parseDuration } from '@lukeed/ms';
import { systemClock, type Clock } from './core/clock';
import { jsonCodec, type SessionCodec } from './core/session-codec';
import type { Timeouts } from './core/session-expiry';
import { isRepositoryProvider, type SessionRepositoryProvider } from './core/session-repository';
import type { SessionStore } from './core/session-store';
import { SessionError } from './core/session.errors';
import { MemorySessionStore } from './stores/memory/memory-session-store';
import { resolveCookie, type CookieOptions } from './transports/cookie-options';
import { CookieTransport } from './transports/cookie-transport';
import type { SessionTransport } from './transports/session-transport';

/** A length of time: milliseconds, or words such as `'90s'`, `'30m'`, `'24h'`, `'7d'`. */
export type Duration = number | string;

/** Options of `SessionModule.forRoot`. All have a default that is safe. */
export interface SessionModuleOptions {
  /**
   * Where sessions rest: a store, or `new SealedSessions(…)` of `nestjs-tessera/sealed`, which leaves them with the client.
   * @default new MemorySessionStore(), which forgets everything when the process ends
   */
  readonly store?: SessionStore | SessionRepositoryProvider;
  /** The absolute end: how long a session lasts from its creation or its login, however busy it is. @default '24h' */
  readonly lifetime?: Duration;
  /** How long a session may rest between two requests; `false` for as long as its lifetime. @default '30m' */
  readonly idleTimeout?: Duration | false;
  /** The same two for sessions that outlive the browser. */
  readonly rememberMe?: {
    /** @default '30d' */
    readonly lifetime?: Duration;
    /** @default false */
    readonly idleTimeout?: Duration | false;
  };
  /** The cookie that carries the token. */
  readonly cookie?: CookieOptions;
  /** What carries the token in the cookie's place. Give either of the two. @default the cookie */
  readonly transport?: SessionTransport;
  /** Largest encoded session, in bytes. @default 65536 */
  readonly maxBytes?: number;
  /** How long a call to the store may take before the request gets a 503. @default '3s' */
  readonly storeTimeout?: Duration;
  /**
   * After how long a request replaces the token that it came with: a duration, `'always'`, or `false` for never. A copied token that is used
   * after its successor ends the session, event `stolen`. Not for sealed sessions.
   * @default false
   */
  readonly rotateEvery?: Duration | 'always' | false;
  /** How often expired records are removed from a store that does not do so by itself; `false` for never. @default '1m' */
  readonly sweepEvery?: Duration | false;
  /** Whether `SessionService.current()` works anywhere. It costs a little for each request on Node before 24. @default true */
  readonly asyncContext?: boolean;
  /** How values become text. @default JSON with Date, Map, Set, bigint, Uint8Array and undefined */
  readonly codec?: SessionCodec;
  /** The source of time, in epoch milliseconds. @default the machine's clock */
  readonly clock?: Clock;
}

/** Options with nothing left to decide: lengths in milliseconds. */
export interface ResolvedOptions {
  readonly store: SessionStore | SessionRepositoryProvider;
  readonly timeouts: Timeouts;
  readonly rememberedTimeouts: Timeouts;
  readonly transport: SessionTransport;
  readonly maxBytes: number;
  readonly storeTimeout: number;
  readonly rotateEvery: number | null;
  readonly sweepEvery: number | null;
  readonly asyncContext: boolean;
  readonly codec: SessionCodec;
  readonly clock: Clock;
}

const DAY = 24 * 60 * 60 * 1000;

/** Longest a Node timer can wait. */
const TIMER_LIMIT = 2 ** 31 - 1;

/** So far away that adding it to the present still gives an exact instant. */
const DURATION_LIMIT = 100_000 * DAY;

/** RFC 9110 token: what a header's name may consist of. */
const HEADER = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

const KNOWN: Record<keyof SessionModuleOptions, true> = {
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

const REMEMBER_ME: Record<keyof NonNullable<SessionModuleOptions['rememberMe']>, true> = {
  lifetime: true,
  idleTimeout: true,
};

/**
 * Fills in the defaults, and refuses what cannot work, everything at once.
 * @throws SessionError `SESSION_OPTIONS_INVALID`
 */
export function resolveOptions(options: SessionModuleOptions | undefined, name: string): ResolvedOptions {
  if (options === undefined || options === null)
    throw refusal(name, ['the factory returned none; return an object, {} for the defaults']);
  const problems: string[] = [];
  const length = (option: string, value: Duration, limit = DURATION_LIMIT): number => {
    const milliseconds =
      typeof value === 'number' ? value : typeof value === 'string' ? parseDuration(value) : undefined;
    if (milliseconds !== undefined && milliseconds >= 1 && milliseconds <= limit)
      return Math.floor(milliseconds);
    problems.push(
      `${option} ${show(value)} is no length of time; give milliseconds or words such as '30m', '24h', '7d', at most ${limit} ms`,
    );
    return limit;
  };
  const lengthOrNone = (option: string, value: Duration | false, limit?: number): number | null =>
    value === false ? null : length(option, value, limit);

  const group = <T extends object>(option: string, value: T | undefined): T => {
    if (value === undefined || isGroup(value)) return value ?? ({} as T);
    problems.push(`${option} ${show(value)} must be an object of options`);
    return {} as T;
  };

  if (!isGroup(options)) throw refusal(name, [`${show(options)} is no object of options`]);
  const rememberMe = group('rememberMe', options.rememberMe);
  problems.push(...unknown(options, KNOWN), ...unknown(rememberMe, REMEMBER_ME, 'rememberMe.'));
  const { maxBytes = 64 * 1024, asyncContext = true, codec = jsonCodec, clock = systemClock } = options;
  const { cookie, problems: cookieProblems } = resolveCookie(group('cookie', options.cookie), name);
  problems.push(...cookieProblems);
  const resolved: ResolvedOptions = {
    store: options.store ?? new MemorySessionStore(),
    timeouts: {
      lifetime: length('lifetime', options.lifetime ?? DAY),
      idleTimeout: lengthOrNone('idleTimeout', options.idleTimeout ?? DAY / 48),
    },
    rememberedTimeouts: {
      lifetime: length('rememberMe.lifetime', rememberMe.lifetime ?? 30 * DAY),
      idleTimeout: lengthOrNone('rememberMe.idleTimeout', rememberMe.idleTimeout ?? false),
    },
    transport: options.transport ?? new CookieTransport(cookie),
    maxBytes,
    storeTimeout: length('storeTimeout', options.storeTimeout ?? 3000, TIMER_LIMIT),
    rotateEvery:
      options.rotateEvery === 'always' ? 0 : lengthOrNone('rotateEvery', options.rotateEvery ?? false),
    sweepEvery: lengthOrNone('sweepEvery', options.sweepEvery ?? 60_000, DAY),
    asyncContext,
    codec,
    clock,
  };
  if (resolved.rotateEvery !== null && isRepositoryProvider(resolved.store))
    problems.push(
      'rotateEvery needs a store: sealed sessions cannot tell a copy of a token from a slow request; leave it out',
    );
  problems.push(...storeProblems(resolved.store), ...transportProblems(resolved.transport));
  if (options.transport !== undefined && options.cookie !== undefined)
    problems.push('transport takes the place of the cookie; give transport or cookie, not both');
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 256)
    problems.push(`maxBytes ${show(maxBytes)} must be a whole number of at least 256`);
  if (typeof asyncContext !== 'boolean')
    problems.push(`asyncContext ${show(asyncContext)} must be true or false`);
  if (typeof clock !== 'function') problems.push('clock must be a function that returns epoch milliseconds');
  if (typeof codec?.encode !== 'function' || typeof codec.decode !== 'function')
    problems.push('codec must have encode() and decode()');
  if (problems.length > 0) throw refusal(name, problems);
  return resolved;
}

function isGroup(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknown(options: object, known: object, prefix = ''): string[] {
  const strangers = Object.keys(options).filter((key) => !Object.hasOwn(known, key));
  return strangers.map(
    (key) => `${prefix}${key} is not an option; known are ${Object.keys(known).join(', ')}`,
  );
}

function storeProblems(store: unknown): string[] {
  if (typeof store === 'function') return [`store is a class; give an instance: new ${store.name}(…)`];
  if (typeof store === 'object' && store !== null && isRepositoryProvider(store)) return [];
  return (['find', 'insert', 'update', 'extend', 'delete'] as const)
    .filter((method) => typeof (store as Partial<SessionStore> | null)?.[method] !== 'function')
    .map((method) => `store has no method ${method}(); give a SessionStore`);
}

function transportProblems(transport: unknown): string[] {
  if (typeof transport === 'function')
    return [`transport is a class; give an instance: new ${transport.name}(…)`];
  const given = Object(transport) as Partial<SessionTransport>;
  const problems = (['read', 'capacity', 'obstacle', 'write'] as const)
    .filter((method) => typeof given[method] !== 'function')
    .map((method) => `transport has no method ${method}(); give a SessionTransport`);
  for (const key of ['channel', 'sealedFor'] as const) {
    if (typeof given[key] !== 'string' || given[key] === '')
      problems.push(`transport.${key} ${show(given[key])} must be a text that names what carries the token`);
  }
  const { vary } = given;
  if (!Array.isArray(vary) || !vary.every((name) => typeof name === 'string' && HEADER.test(name)))
    problems.push(`transport.vary ${show(vary)} must be a list of names of request headers`);
  return problems;
}

function refusal(name: string, problems: string[]): SessionError {
  const instance = name === 'default' ? '' : ` of '${name}'`;
  return new SessionError(
    'SESSION_OPTIONS_INVALID',
    `SessionModule cannot start with these options${instance}:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
  );
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : inspect(value, { depth: 0 });
}
