import type { SessionStore, StoreCall, StoreLimit } from '../../core/session-store';
import type { TestRunner } from './test-runner';

/** What a store may be able to do beyond the five calls. */
export type SessionStoreCapability = 'principals' | 'enumeration' | 'sweeping';

/** What a group of tests is given: the runner, and the store of the test that is running. */
export interface StoreSuite<S extends object = SessionStore> extends TestRunner {
  /** A new one for every test. */
  readonly store: S;
  /** How many records a test of many uses. */
  readonly volume: number;
  /** What draws the random numbers of this run. */
  readonly seed: number;
  /** Whether the store is said to have the capability. */
  has(capability: SessionStoreCapability): boolean;
  /** Whether the store is said to keep the promise. */
  promises(limit: StoreLimit): boolean;
}

/** A call that nobody gives up. */
export const call: StoreCall = { signal: new AbortController().signal };

/** How long a test may take that waits for a server, in milliseconds; Jest and Vitest would give it five seconds. */
export const SLOW_TEST_TIMEOUT = 60_000;
