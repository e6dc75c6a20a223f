import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { type SessionStore } from '../core/session-store';
import {
  isClosable,
  isEnumerable,
  isPrepared,
  isPrincipalIndexed,
  isSweepable,
  isWatchable,
  type StoreLimit,
  type WatchableStore,
} from '../core/store-capabilities';
import { describeBetweenProcesses } from './store-suite/between-processes.group';
import { describeCalls } from './store-suite/calls.group';
import { describeConcurrency } from './store-suite/concurrency.group';
import { describeEnumeration } from './store-suite/enumeration.group';
import { describeExpiry } from './store-suite/expiry.group';
import { describeFaults } from './store-suite/faults.group';
import { describeInterleavings } from './store-suite/interleavings.group';
import { describeLimits } from './store-suite/limits.group';
import { describePrincipals } from './store-suite/principals.group';
import { describeSessionTime } from './store-suite/session-time.group';
import { describeSessionValues } from './store-suite/session-values.group';
import { notRun } from './store-suite/not-run';
import type { StoreFaults } from './store-suite/store-faults';
import type { SessionStoreCapability, StoreSuite } from './store-suite/store-suite';
import { describeSweeping } from './store-suite/sweeping.group';
import { globalRunner, type TestRunner } from './store-suite/test-runner';
import { describeValues } from './store-suite/values.group';
import { describeWatching } from './store-suite/watching.group';

/** How the suite creates, disturbs and removes the store under test. */
export interface SessionStoreHarness<S extends SessionStore = SessionStore> {
  /** Returns an empty store. Called before every test. The suite then calls `prepare()` if the store has it. */
  create(): S | Promise<S>;
  /**
   * Cleans up after every test.
   * @default calls `close()` if the store has it
   */
  destroy?(store: S): void | Promise<void>;
  /**
   * The optional capabilities that the store lacks. Their tests are reported as skipped.
   * @default []
   */
  readonly without?: readonly SessionStoreCapability[];
  /**
   * The promises that the store cannot keep; must equal its `limits`. Their tests are reported as unmet.
   * @default []
   */
  readonly unmet?: readonly StoreLimit[];
  /**
   * Opens another store over the same data with its own connection, like another process. The suite prepares it, and closes it before it
   * destroys the store.
   */
  peer?(store: S): S | Promise<S>;
  /** How to make the store's server fail. @default the tests of faults are skipped */
  readonly faults?: StoreFaults;
  /**
   * How many records a test with many records uses. Must be well above the store's page size.
   * @default 2000
   */
  readonly volume?: number;
  /** The seed of the random test, to repeat a run: the number in the test's title. @default a random number */
  readonly seed?: number;
  /** `describe`, `it`, `beforeEach` and `afterEach` of the test runner. @default the global ones */
  readonly runner?: TestRunner;
}

const CAPABILITIES: Readonly<Record<SessionStoreCapability, (store: object) => boolean>> = {
  principals: isPrincipalIndexed,
  enumeration: isEnumerable,
  sweeping: isSweepable,
  watching: isWatchable,
};

/**
 * Tests a store against the contract of `SessionStore`:
 *
 * ```ts
 * describeSessionStore('MemorySessionStore', { create: () => new MemorySessionStore() });
 * ```
 *
 * A title begins with the case that the test proves (`R2: …`). No test sleeps.
 */
export function describeSessionStore<S extends SessionStore>(
  name: string,
  harness: SessionStoreHarness<S>,
): void {
  const { describe, it, beforeEach, afterEach } = harness.runner ?? globalRunner();
  const { without = [], unmet = [], volume = 2000, seed = randomInt(2 ** 31) } = harness;
  let store: S | undefined;

  function suiteOf<P extends object>(): StoreSuite<P> {
    return {
      describe, it, beforeEach, afterEach, volume, seed,
      has: (capability) => !without.includes(capability),
      promises: (limit) => !unmet.includes(limit),
      get store(): P {
        return store as unknown as P;
      },
    }; // prettier-ignore
  }

  function describeCapability<P extends object>(
    capability: SessionStoreCapability,
    group: (suite: StoreSuite<P>) => void,
  ): void {
    const reason = `${capability}: not a capability of ${name}`;
    if (without.includes(capability)) describe.skip(notRun(capability, reason), () => group(suiteOf()));
    else describe(capability, () => group(suiteOf()));
  }

  describe(name, () => {
    beforeEach(async () => {
      store = undefined;
      store = await harness.create();
      if (isPrepared(store)) await store.prepare();
    });

    afterEach(async () => {
      if (store === undefined) return;
      if (harness.destroy) await harness.destroy(store);
      else if (isClosable(store)) await store.close();
    });

    for (const [capability, has] of Object.entries(CAPABILITIES)) {
      const expected = !without.includes(capability as SessionStoreCapability);
      it(`${expected ? 'has' : 'lacks'} the capability: ${capability}`, () => {
        const advice = expected
          ? `Implement it, or set without: ['${capability}'].`
          : `Remove '${capability}' from without.`;
        assert.equal(has(store!), expected, advice);
      });
    }

    describeLimits(suiteOf(), unmet);
    describeCalls(suiteOf());
    describeConcurrency(suiteOf());
    describeValues(suiteOf());
    describeExpiry(suiteOf());
    describeCapability('principals', describePrincipals);
    describeCapability('enumeration', describeEnumeration);
    describeCapability('sweeping', describeSweeping);
    describeCapability<SessionStore & WatchableStore>('watching', (suite) =>
      describeWatching(suite, () => suite.store),
    );
    describe('through sessions', () => {
      describeSessionValues(suiteOf());
      describeSessionTime(suiteOf());
      describeInterleavings(suiteOf(), () => [store!]);
    });
    describeBetweenProcesses(suiteOf<S>(), harness.peer?.bind(harness));
    describeFaults(suiteOf(), harness.faults);
  });
}
