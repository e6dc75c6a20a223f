import { durationReader, type Duration } from './durations';
import { TIMER_LIMIT, systemClock, type Clock } from './core/clock';
import { jsonCodec, type SessionCodec } from './core/session-codec';
import type { Timeouts } from './core/session-expiry';
import { isRepositoryProvider, type SessionRepositoryProvider } from './core/session-repository';
import type { SessionStore } from './core/session-store';
import { SessionError } from './core/session.errors';
import { LOGIN_OPTIONS, resolveLogins, type LoginModuleOptions } from './login.options';
import type { LoginSettings } from './core/login-settings';
import {
  beyondPreset,
  findsByPrincipal,
  presetOf,
  show,
  storeProblems,
  transportProblems,
} from './option-problems';
import { policyOf, type PolicyName, type SessionPolicy } from './core/session-policy';
import type { Device } from './core/device';
import { deviceDescription, type DeviceRequest } from './requests/client-device';
import type { Authorize } from './requests/session-instance';
import { DEFAULT_SESSION } from './requests/session.tokens';
import { resolveCsrf, type CsrfOptions, type ResolvedCsrf } from './requests/csrf-options';
import type { ValueSchemas } from './core/value-schemas';
import { resolveSchemas, type SchemaOptions } from './schema.options';
import { MemorySessionStore } from './stores/memory/memory-session-store';
import { resolveCookie, type CookieOptions } from './transports/cookie-options';
import { CookieTransport } from './transports/cookie-transport';
import type { SessionTransport } from './transports/session-transport';

/** Options of `SessionModule.forRoot`. All are optional, with safe defaults. */
export interface SessionModuleOptions extends LoginModuleOptions, SchemaOptions {
  /**
   * The store of the sessions, or `new SealedSessions(…)` of `nestjs-tessera/sealed`, which keeps them in the cookie.
   * @default new MemorySessionStore(), which forgets everything when the process ends
   */
  readonly store?: SessionStore | SessionRepositoryProvider;
  /**
   * Sets the timeouts of NIST SP 800-63B-4 for an authentication assurance level: `aal1` 30 days; `aal2` 24 hours, and 1 hour without use;
   * `aal3` 12 hours, and 15 minutes without use. Longer timeouts in other options are refused, those of `rememberMe` too.
   * @default none: the defaults of the other options
   */
  readonly policy?: PolicyName;
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
  /** What `CsrfGuard` allows. */
  readonly csrf?: CsrfOptions;
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
   * Whether a response that is still open, such as server-sent events, is closed within a second when the session ends that its request
   * used: by a logout, another login, a revocation or expiry, in any process. A response with a `Content-Length` is left alone. Needs a
   * connection per process on Redis and PostgreSQL while such responses are open, and elsewhere a read of their sessions twice a second.
   * @default false
   */
  readonly closeStreamsOnEnd?: boolean;
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
  readonly csrf: ResolvedCsrf;
  readonly persistent: boolean;
  readonly logins: LoginSettings;
  readonly describe: ((request: DeviceRequest) => Device) | null;
  readonly authorize: Authorize | null;
  readonly policy: SessionPolicy;
  readonly maxBytes: number;
  readonly storeTimeout: number;
  readonly rotateEvery: number | null;
  readonly sweepEvery: number | null;
  readonly asyncContext: boolean;
  readonly closeStreamsOnEnd: boolean;
  readonly codec: SessionCodec;
  readonly schemas: ValueSchemas | undefined;
  readonly clock: Clock;
}

const DAY = 24 * 60 * 60 * 1000;

const MODULE_OPTIONS: Record<keyof SessionModuleOptions, true> = {
  store: true,
  lifetime: true,
  idleTimeout: true,
  rememberMe: true,
  cookie: true,
  transport: true,
  csrf: true,
  maxBytes: true,
  storeTimeout: true,
  rotateEvery: true,
  sweepEvery: true,
  asyncContext: true,
  closeStreamsOnEnd: true,
  codec: true,
  schema: true,
  onMismatch: true,
  clock: true,
  policy: true,
  ...LOGIN_OPTIONS,
};

const REMEMBER_ME_OPTIONS: Record<keyof NonNullable<SessionModuleOptions['rememberMe']>, true> = {
  lifetime: true,
  idleTimeout: true,
};

/**
 * Fills in the defaults, and reports all invalid options in one error.
 * @throws SessionError `SESSION_OPTIONS_INVALID`
 */
export function resolveOptions(options: SessionModuleOptions | undefined, name: string): ResolvedOptions {
  if (options === undefined || options === null)
    throw invalidOptions(name, ['the factory returned no options; return an object, {} for the defaults']);
  const problems: string[] = [];
  const duration = durationReader(problems);
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
  const { closeStreamsOnEnd = false } = options;
  const { cookie, problems: cookieProblems } = resolveCookie(optionsOf('cookie', options.cookie), name);
  const { csrf, problems: csrfProblems } = resolveCsrf(optionsOf('csrf', options.csrf));
  const { schemas, problems: schemaProblems } = resolveSchemas(options, show);
  problems.push(...cookieProblems, ...csrfProblems, ...schemaProblems);
  const preset = presetOf(options.policy, problems);
  const { logins, problems: loginProblems } = resolveLogins(options, duration, show);
  problems.push(...loginProblems);
  const transport = options.transport ?? new CookieTransport(cookie);
  const given = {
    store: options.store ?? new MemorySessionStore(),
    timeouts: {
      lifetime: duration('lifetime', options.lifetime ?? preset?.lifetime ?? DAY),
      idleTimeout: durationOrNull('idleTimeout', options.idleTimeout ?? preset?.idleTimeout ?? DAY / 48),
    },
    rememberedTimeouts: {
      lifetime: duration('rememberMe.lifetime', rememberMe.lifetime ?? preset?.lifetime ?? 30 * DAY),
      idleTimeout: durationOrNull(
        'rememberMe.idleTimeout',
        rememberMe.idleTimeout ?? preset?.idleTimeout ?? false,
      ),
    },
    transport,
    csrf,
    persistent: transport?.persistent === true,
    logins,
    describe: describeWith(options.devices ?? false, problems),
    authorize: options.authorize ?? null,
    maxBytes,
    storeTimeout: duration('storeTimeout', options.storeTimeout ?? 3000, TIMER_LIMIT),
    rotateEvery:
      options.rotateEvery === 'always' ? 0 : durationOrNull('rotateEvery', options.rotateEvery ?? false),
    sweepEvery: durationOrNull('sweepEvery', options.sweepEvery ?? 60_000, DAY),
    asyncContext,
    closeStreamsOnEnd,
    codec,
    schemas,
    clock,
  };
  const { maxSessionsPerPrincipal: max, policy: policyName = null } = options;
  const tokenIn = given.transport.channel;
  const policy = policyOf({ name, ...given }, { preset: policyName, max, tokenIn });
  const resolved: ResolvedOptions = { ...given, policy };
  if (resolved.rotateEvery !== null && isRepositoryProvider(resolved.store))
    problems.push(
      'rotateEvery needs a store: sealed sessions cannot distinguish a copied token from a slow request; leave it out',
    );
  if (preset !== null)
    problems.push(...beyondPreset([resolved.timeouts, resolved.rememberedTimeouts], options.policy!, preset));
  if (logins.limit !== null && !findsByPrincipal(resolved.store))
    problems.push(
      'maxSessionsPerPrincipal needs a store that finds sessions by principal: memory, SQL, Redis, files, or tiers of these',
    );
  problems.push(...storeProblems(resolved.store), ...transportProblems(resolved.transport));
  if (options.transport !== undefined && options.cookie !== undefined)
    problems.push('transport and cookie cannot be combined; remove one of them');
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 256)
    problems.push(`maxBytes must be a whole number from 256 up, got ${show(maxBytes)}`);
  if (typeof asyncContext !== 'boolean')
    problems.push(`asyncContext must be true or false, got ${show(asyncContext)}`);
  if (typeof closeStreamsOnEnd !== 'boolean')
    problems.push(`closeStreamsOnEnd must be true or false, got ${show(closeStreamsOnEnd)}`);
  if (typeof clock !== 'function') problems.push('clock must be a function that returns epoch milliseconds');
  if (typeof codec?.encode !== 'function' || typeof codec.decode !== 'function')
    problems.push('codec must have encode() and decode()');
  if (problems.length > 0) throw invalidOptions(name, problems);
  return resolved;
}

/** Returns the function that describes a client, and reports that it cannot be made. */
function describeWith(devices: unknown, problems: string[]): ResolvedOptions['describe'] {
  if (typeof devices !== 'boolean' && typeof devices !== 'function') return null;
  try {
    return deviceDescription(devices as Parameters<typeof deviceDescription>[0]);
  } catch (error) {
    problems.push((error as SessionError).message);
    return null;
  }
}

/**
 * Returns the session policy that options of `SessionModule.forRoot` result in: what OWASP ASVS 5.0 wants documented (7.1.1 to 7.1.3).
 * `SessionService.policy` is that of a running application.
 * @throws SessionError `SESSION_OPTIONS_INVALID`
 */
export function describePolicy(options: SessionModuleOptions, name = DEFAULT_SESSION): SessionPolicy {
  return resolveOptions(options, name).policy;
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

function invalidOptions(name: string, problems: string[]): SessionError {
  const instance = name === 'default' ? '' : ` '${name}'`;
  return new SessionError(
    'SESSION_OPTIONS_INVALID',
    `The options of SessionModule${instance} are invalid:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
  );
}
