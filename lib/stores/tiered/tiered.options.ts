import { systemClock, type Clock } from '../../core/clock';
import { isLimited, type SessionStore } from '../../core/session-store';
import { SessionError } from '../../core/session.errors';
// eslint-disable-next-line @typescript-eslint/no-restricted-imports -- the one store that is known not to be shared
import { MemorySessionStore } from '../memory/memory-session-store';

/** Lengths are in milliseconds. All processes that share the durable store must be given the same. */
export interface TieredSessionStoreOptions {
  /** The store that reads are answered from: memory, or a Redis that is closer than the durable store. It may lose anything at any time. */
  readonly fast: SessionStore;
  /** The store that decides: what it says of a session is the truth. */
  readonly durable: SessionStore;
  /**
   * Whether all processes reach the same fast tier. One that is not shared is used by one process at a time; the others do without.
   * @default false for a MemorySessionStore, else true
   */
  readonly shared?: boolean;
  /** How long a copy is believed; after that the durable tier is asked again. @default 60_000 */
  readonly maxAge?: number;
  /**
   * How long a process goes on using the fast tier without asking the durable one whether it may. A write that the fast tier cannot be
   * told of waits this long once, so `lease` and twice `fastTimeout` together have to stay below the module's `storeTimeout`.
   * @default 1000
   */
  readonly lease?: number;
  /** How far the clocks of two processes may be apart. @default 5000 */
  readonly clockSkew?: number;
  /** How long a call to the fast tier may take before it is done without. @default 250 */
  readonly fastTimeout?: number;
  /**
   * Whether changes of data, and nothing else, are acknowledged when the fast tier has them, and written to the durable tier in the
   * background. A crash loses those that are on their way.
   * @default false
   */
  readonly writeBehind?: boolean;
  /** How many sessions may wait to be written in the background; what comes when it is full is written at once. @default 1000 */
  readonly queueLimit?: number;
  /** How long a change waits to be written in the background. @default 500 */
  readonly flushEvery?: number;
  /** How long `close()` tries to write what is waiting. @default 5000 */
  readonly closeTimeout?: number;
  /** The source of time, in epoch milliseconds. Give the module's, if that is not the machine's. @default the machine's clock */
  readonly clock?: Clock;
}

/** Options with nothing left to decide. */
export type TieredOptions = Required<TieredSessionStoreOptions>;

/** How long a call may take that no request waits for, in milliseconds. */
export const BACKGROUND_TIMEOUT = 3000;

/** Longest a Node timer can wait. */
const TIMER_LIMIT = 2 ** 31 - 1;

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
 * Fills in the defaults, and refuses what cannot work, everything at once.
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
    `TieredSessionStore cannot work with these options:\n${list}`,
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
  // What waits has to be written long before its copy is too old to be believed.
  if (problems.length === 0 && options.writeBehind && options.flushEvery > options.maxAge / 4)
    problems.push('flushEvery must be at most a quarter of maxAge');
  return problems;
}

function isTimerInteger(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) <= TIMER_LIMIT;
}
