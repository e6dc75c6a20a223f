import { TIMER_LIMIT, systemClock, type Clock } from '../../core/clock';
import { type SessionStore } from '../../core/session-store';
import { isLimited } from '../../core/store-capabilities';
import { SessionError } from '../../core/session.errors';
// eslint-disable-next-line @typescript-eslint/no-restricted-imports -- the one store that is known not to be shared
import { MemorySessionStore } from '../memory/memory-session-store';

/** Durations are in milliseconds. All processes that share the durable store must use the same options. */
export interface TieredSessionStoreOptions {
  /** The store that answers reads: memory, or a Redis that is faster than the durable store. It may lose data at any time. */
  readonly fast: SessionStore;
  /** The authoritative store. */
  readonly durable: SessionStore;
  /**
   * Whether all processes share the fast tier. A tier that is not shared is used by one process at a time; the others use the durable tier only.
   * @default false for a MemorySessionStore, else true
   */
  readonly shared?: boolean;
  /** Maximum age of a copy; an older one is read from the durable tier again. @default 60_000 */
  readonly maxAge?: number;
  /**
   * How long a process uses the fast tier before it reads the tier state again. When a write cannot update the fast tier, it waits this long
   * once, so `lease` plus twice `fastTimeout` must be below the module's `storeTimeout`.
   * @default 1000
   */
  readonly lease?: number;
  /** Maximum difference between the clocks of two processes. @default 5000 */
  readonly clockSkew?: number;
  /** How long a call to the fast tier may take. After that the durable tier is used. @default 250 */
  readonly fastTimeout?: number;
  /**
   * Whether changes of data are acknowledged once the fast tier has them, and written to the durable tier in the background. Logins,
   * renewals and deletes are always written to the durable tier first. A crash loses changes that are not written yet.
   * @default false
   */
  readonly writeBehind?: boolean;
  /** How many sessions may wait for a background write. When the queue is full, a change is written at once. @default 1000 */
  readonly queueLimit?: number;
  /** How long a change waits for its background write. @default 500 */
  readonly flushEvery?: number;
  /** How long `close()` tries to write the waiting changes. @default 5000 */
  readonly closeTimeout?: number;
  /** The source of time, in epoch milliseconds. Must be the module's clock if that is configured. @default the system clock */
  readonly clock?: Clock;
}

/** The options with all defaults filled in. */
export type TieredOptions = Required<TieredSessionStoreOptions>;

/** Timeout of a background call, in milliseconds. */
export const BACKGROUND_TIMEOUT = 3000;

const DEFAULTS = {
  maxAge: 60_000,
  lease: 1000,
  clockSkew: 5000,
  fastTimeout: 250,
  writeBehind: false,
  queueLimit: 1000,
  flushEvery: 500,
  closeTimeout: 5000,
  clock: systemClock,
} satisfies Partial<TieredSessionStoreOptions>;

/**
 * Fills in the defaults, and reports all invalid options in one error.
 * @throws SessionError `SESSION_OPTIONS_INVALID`
 */
export function resolveTiers(given: TieredSessionStoreOptions): TieredOptions {
  const defined = Object.entries(given ?? {}).filter(([, value]) => value !== undefined);
  const options = {
    ...DEFAULTS,
    shared: !(given?.fast instanceof MemorySessionStore),
    ...Object.fromEntries(defined),
  } as TieredOptions;
  const problems = [...tierProblems(options), ...lengthProblems(options)];
  const known = ['fast', 'durable', 'shared', ...Object.keys(DEFAULTS)];
  for (const key of Object.keys(options))
    if (!known.includes(key)) problems.push(`${key} is not an option; known are ${known.join(', ')}`);
  for (const key of ['shared', 'writeBehind'] as const)
    if (typeof options[key] !== 'boolean') problems.push(`${key} must be true or false`);
  if (typeof options.clock !== 'function')
    problems.push('clock must be a function that returns epoch milliseconds');
  if (problems.length === 0) return options;
  const list = problems.map((problem) => `  - ${problem}`).join('\n');
  throw new SessionError(
    'SESSION_OPTIONS_INVALID',
    `The options of TieredSessionStore are invalid:\n${list}`,
  );
}

function tierProblems({ fast, durable, shared }: TieredOptions): string[] {
  const problems: string[] = [];
  for (const [tier, store] of Object.entries({ fast, durable })) {
    const isStore = typeof (store as Partial<SessionStore> | undefined)?.find === 'function';
    if (!isStore) problems.push(`${tier} must be a SessionStore`);
  }
  if (problems.length > 0) return problems;
  if (fast === durable) problems.push('fast and durable are the same store; use it without tiers');
  if (shared && isLimited(fast) && fast.limits.includes('conditional-writes')) {
    problems.push(
      'fast has no conditional writes between processes, so copies in it could be out of date; give another store, or ' +
        'shared: false, and one process will use it at a time',
    );
  }
  return problems;
}

function lengthProblems(options: TieredOptions): string[] {
  const lengths = ['maxAge', 'lease', 'fastTimeout', 'queueLimit', 'flushEvery', 'closeTimeout'] as const;
  const problems = lengths
    .filter((key) => !isTimerInteger(options[key]) || options[key] < 1)
    .map((key) => `${key} must be a whole number from 1 to ${TIMER_LIMIT}`);
  if (!isTimerInteger(options.clockSkew) || options.clockSkew < 0)
    problems.push('clockSkew must be a whole number of milliseconds');
  if (problems.length === 0 && options.lease > options.maxAge)
    problems.push('lease must not be longer than maxAge');
  // A waiting change must be written long before its copy exceeds maxAge.
  if (problems.length === 0 && options.writeBehind && options.flushEvery > options.maxAge / 4)
    problems.push('flushEvery must be at most a quarter of maxAge');
  return problems;
}

function isTimerInteger(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) <= TIMER_LIMIT;
}
