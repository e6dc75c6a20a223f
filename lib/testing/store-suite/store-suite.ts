import type { SessionStore, StoreCall } from '../../core/session-store';
import type { StoreLimit } from '../../core/store-capabilities';
import type { TestRunner } from './test-runner';

/** An optional capability of a store, beyond the five calls. */
export type SessionStoreCapability = 'principals' | 'enumeration' | 'sweeping' | 'watching';

/** The context of a group of tests: the runner, and the store of the current test. */
export interface StoreSuite<S extends object = SessionStore> extends TestRunner {
  /** A new one for every test. */
  readonly store: S;
  /** How many records a test with many records uses. */
  readonly volume: number;
  /** The seed of this run's random numbers. */
  readonly seed: number;
  /** Whether the harness states that the store has the capability. */
  has(capability: SessionStoreCapability): boolean;
  /** Whether the harness states that the store keeps the promise. */
  promises(limit: StoreLimit): boolean;
}

/** A call that is never aborted. */
export const call: StoreCall = { signal: new AbortController().signal };

/** Timeout of a test that waits for a server, in milliseconds. The default of Jest and Vitest is five seconds. */
export const SLOW_TEST_TIMEOUT = 60_000;
