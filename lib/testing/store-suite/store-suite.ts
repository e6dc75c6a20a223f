import type { SessionStore, StoreCall } from '../../core/session-store';
import type { TestRunner } from './test-runner';

/** What a store may be able to do beyond the five calls. */
export type SessionStorePower = 'principals' | 'enumeration' | 'sweeping';

/** What a group of tests is given: the runner, and the store of the test that is running. */
export interface StoreSuite<S extends object = SessionStore> extends TestRunner {
  /** A new one for every test. */
  readonly store: S;
  /** How many records a test of many uses. */
  readonly volume: number;
}

/** A call that nobody gives up. */
export const call: StoreCall = { signal: new AbortController().signal };
