import type { SessionRecord } from './session-record';
import type { StoreCall } from './session-store';

/** A store that finds sessions by who is logged in, through an index and never by a scan. */
export interface PrincipalIndexedStore {
  /** The sessions of `realm:id`, in no particular order; expired ones may be among them. */
  findByPrincipal(principal: string, call: StoreCall): Promise<SessionRecord[]>;
  /** Removes them all, and says how many there were. One that is inserted meanwhile may stay. */
  deleteByPrincipal(principal: string, call: StoreCall): Promise<number>;
}

/** A store that can go through everything it holds. */
export interface EnumerableStore {
  /** Every record that exists throughout the iteration, once; those that come or go meanwhile perhaps. Holds one page at a time. */
  records(call: StoreCall): AsyncIterable<SessionRecord>;
}

/** A store that does not forget expired records by itself. */
export interface SweepableStore {
  /**
   * Removes at most `limit` records whose `expiresAt` is at or before `now`, and says how many; fewer than `limit` means
   * that no more are left. A record extended meanwhile stays. Two sweepers at once do no harm.
   */
  sweep(now: number, limit: number, call: StoreCall): Promise<number>;
}

/** A store with something to check or open before the application starts. */
export interface PreparedStore {
  /** Rejects with a `SessionError` that names the way out when, say, its table is missing. */
  prepare(): Promise<void>;
}

/** A store that holds something open of its own. A client it was given is not its own. */
export interface ClosableStore {
  /** Called once, after the last request has finished. */
  close(): Promise<void>;
}

/** A promise of the contract that a store may be unable to keep. */
export type StoreLimit =
  /** `insert`, `update` and `extend` are atomic within one process only. */
  | 'conditional-writes'
  /** `records` holds everything at once instead of one page at a time. */
  | 'paged-enumeration';

/**
 * A store that cannot keep a promise of the contract, and says so: in its type, in a warning when the module starts, and in its
 * suite, where the tests of that promise are shown as unmet.
 */
export interface LimitedStore<L extends StoreLimit = StoreLimit> {
  readonly limits: readonly L[];
}

/** What each limit takes away, what follows from that, and the way out, for warnings and for the titles of tests. */
export const STORE_LIMITS: Readonly<
  Record<StoreLimit, { readonly promise: string; readonly consequence: string; readonly wayOut: string }>
> = {
  'conditional-writes': {
    promise: 'conditional writes between processes',
    consequence:
      'when two processes write one session at once, the change of one may be lost, and a late write may bring back a session that was ended elsewhere',
    wayOut: 'Run one process, or use a store with conditional writes.',
  },
  'paged-enumeration': {
    promise: 'enumeration page by page',
    consequence: 'going through the sessions takes the memory of all of them at once',
    wayOut: 'Keep them few, or use a store that enumerates by pages.',
  },
};

export function isPrincipalIndexed(store: object): store is PrincipalIndexedStore {
  return has(store, 'findByPrincipal') && has(store, 'deleteByPrincipal');
}

export function isEnumerable(store: object): store is EnumerableStore {
  return has(store, 'records');
}

export function isSweepable(store: object): store is SweepableStore {
  return has(store, 'sweep');
}

export function isPrepared(store: object): store is PreparedStore {
  return has(store, 'prepare');
}

export function isClosable(store: object): store is ClosableStore {
  return has(store, 'close');
}

/** Whether the store has limits to state. */
export function isLimited(store: object): store is LimitedStore {
  const { limits } = store as Partial<LimitedStore>;
  return Array.isArray(limits) && limits.length > 0;
}

function has(store: object, method: string): boolean {
  return typeof (store as Record<string, unknown>)[method] === 'function';
}
