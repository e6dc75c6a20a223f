import type { Clock } from './clock';
import type { SessionRecord } from './session-record';
import type { StoreCall } from './session-store';
import type { SessionId } from './session-token';

/** A store that finds sessions by principal, with an index and without a scan. */
export interface PrincipalIndexedStore {
  /** Returns the sessions of `realm:id` in any order. May include expired ones. */
  findByPrincipal(principal: string, call: StoreCall): Promise<SessionRecord[]>;
  /** Deletes the sessions of `realm:id`, and returns their number. One inserted during the call may stay. */
  deleteByPrincipal(principal: string, call: StoreCall): Promise<number>;
}

/** A store that can enumerate its records. */
export interface EnumerableStore {
  /** Yields each record that exists during the whole iteration once; may omit others. Must hold only one page in memory. */
  records(call: StoreCall): AsyncIterable<SessionRecord>;
}

/** A store that does not delete expired records by itself. */
export interface SweepableStore {
  /**
   * Deletes at most `limit` records whose `expiresAt` is at or before `now`, and returns their number. Fewer than `limit` means that
   * none are left. Must not delete a record that was extended during the call. May be called concurrently.
   */
  sweep(now: number, limit: number, call: StoreCall): Promise<number>;
}

/** What a store may use of the application while it is prepared, and afterwards. */
export interface PrepareContext {
  /** The source of time by which the application computes and checks `expiresAt`. */
  readonly clock: Clock;
  /** Logs a warning: a sentence that says what is doubtful, its consequence, and what to do. */
  readonly warn: (message: string) => void;
}

/** A store that needs preparation before the application starts. */
export interface PreparedStore {
  /**
   * Rejects with a `SessionError` that says what to do, for example when the table is missing. The application does not start when it takes
   * longer than 30 seconds. May be called again, also after `close`.
   */
  prepare(context?: PrepareContext): Promise<void>;
}

/** A store with resources that it opened itself. It must not close a client that was passed to it. */
export interface ClosableStore {
  /** Called after the last request has finished. `prepare` opens the store again, for another application. */
  close(): Promise<void>;
}

/**
 * Told of sessions that may have ended. Must not throw.
 * @param id a session that was ended, got other rights or ends earlier, perhaps; `null` when that may have happened to any session,
 * because the store could not tell for a while
 */
export type EndListener = (id: SessionId | null) => void;

/** A listener of {@link WatchableStore.watchEnds}. */
export interface EndSubscription {
  /** Whether the listener is told at present. While it is not, its owner must look for itself. */
  readonly isActive: boolean;
  /** The listener is not called afterwards. */
  close(): void;
}

/** A store that tells which sessions may have ended, in any process. */
export interface WatchableStore {
  /**
   * Calls the listener with the id of each session that was deleted, by `delete` or `deleteByPrincipal`, or of which an update has changed
   * `principal` or `secretHash`, or has made `expiresAt` earlier. Must do so in every process that watches, after the change, and at once:
   * within 100 milliseconds.
   *
   * - **Hints:** a call may come twice, or without such a change. The listener reads the record.
   * - **Extensions** by `extend` are frequent, and should not be told.
   * - **Removal by expiry,** by `sweep` or the server, need not be told.
   * - **Connecting:** returns at once. The subscription becomes active as soon as the store can tell, and inactive when it notices that it
   *   cannot. Whenever it becomes active after the return, calls the listener with `null`.
   * - **Failure:** never throws. A store that loses its connection connects again.
   */
  watchEnds(listener: EndListener): EndSubscription;
}

/** A record without its body. */
export type SessionHead = Omit<SessionRecord, 'body'>;

/** A store that reads many records in one call, without their bodies. */
export interface BatchReadableStore {
  /** Returns the heads of those of these sessions that exist, in any order. May include expired ones. Gets at most 100 ids, each once. */
  findHeads(ids: readonly SessionId[], call: StoreCall): Promise<SessionHead[]>;
}

/** A guarantee of the contract that a store may lack. */
export type StoreLimit =
  /** `insert`, `update` and `extend` are atomic only within one process. */
  | 'conditional-writes'
  /** `records` holds all records in memory instead of one page. */
  | 'paged-enumeration'
  /** A record may be removed before its `expiresAt`, also one that was inserted as `lasting`. */
  | 'retention';

/**
 * A store that lacks a guarantee of the contract and declares it. The module then logs a warning at start, and the store suite reports
 * the tests of that guarantee as unmet.
 */
export interface LimitedStore<L extends StoreLimit = StoreLimit> {
  /** The guarantees that it lacks. */
  readonly limits: readonly L[];
}

/** Texts for each limit, for warnings and titles of tests: the missing guarantee, its consequence, and what to do. */
export const STORE_LIMITS = {
  'conditional-writes': {
    promise: 'conditional writes between processes',
    consequence:
      'when two processes write one session at once, the change of one may be lost, and a late write may restore a session that another process ended',
    wayOut: 'Run one process, or use a store with conditional writes.',
  },
  'paged-enumeration': {
    promise: 'enumeration page by page',
    consequence: 'enumerating the sessions loads all of them into memory at once',
    wayOut: 'Keep the number of sessions small, or use a store that enumerates by pages.',
  },
  retention: {
    promise: 'that a record stays until it expires',
    consequence:
      'when its memory is full, sessions end early, ending all sessions of a user, and the limit of them, may miss some, and a revocation of a sealed session may be lost',
    wayOut: 'Use a store, or a server, that does not evict.',
  },
} as const satisfies Record<StoreLimit, Record<'promise' | 'consequence' | 'wayOut', string>>;

/** Whether a store finds sessions by principal. */
export const isPrincipalIndexed = capability<PrincipalIndexedStore>('findByPrincipal', 'deleteByPrincipal');
/** Whether a store can enumerate its records. */
export const isEnumerable = capability<EnumerableStore>('records');
/** Whether expired records stay in a store until `sweep` deletes them. */
export const isSweepable = capability<SweepableStore>('sweep');
/** Whether a store must be prepared before its first call. */
export const isPrepared = capability<PreparedStore>('prepare');
/** Whether a store must be closed after its last call. */
export const isClosable = capability<ClosableStore>('close');
/** Whether a store tells which sessions may have ended. */
export const isWatchable = capability<WatchableStore>('watchEnds');
/** Whether a store reads many records in one call. */
export const isBatchReadable = capability<BatchReadableStore>('findHeads');

/** Whether a store declares that it lacks a guarantee of the contract. */
export function isLimited(store: object): store is LimitedStore {
  const { limits } = store as Partial<LimitedStore>;
  return Array.isArray(limits) && limits.length > 0;
}

/** Returns a type guard that checks for these methods. */
function capability<C extends object>(...methods: readonly (keyof C)[]): (store: object) => store is C {
  return (store): store is C => methods.every((method) => typeof (store as C)[method] === 'function');
}
