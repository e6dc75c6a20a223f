import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import {
  isClosable,
  isEnumerable,
  isPrepared,
  isPrincipalIndexed,
  isSweepable,
  type SessionStore,
  type StoreLimit,
} from '../core/session-store';
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
import type { SessionStorePower, StoreSuite } from './store-suite/store-suite';
import { describeSweeping } from './store-suite/sweeping.group';
import { globalRunner, type TestRunner } from './store-suite/test-runner';
import { describeValues } from './store-suite/values.group';

/** How the suite comes by the store under test. */
export interface SessionStoreHarness<S extends SessionStore = SessionStore> {
  /** A store that holds nothing. Called before every test; `prepare()` is called by the suite where there is one. */
  create(): S | Promise<S>;
  /**
   * Cleans up after every test.
   * @default calls `close()` where there is one
   */
  destroy?(store: S): void | Promise<void>;
  /**
   * The optional powers that the store has not. Their tests are shown as skipped, so that nobody takes them for passed.
   * @default []
   */
  readonly without?: readonly SessionStorePower[];
  /**
   * The promises that the store cannot keep: the same as its own `limits`. Their tests are shown as unmet.
   * @default []
   */
  readonly unmet?: readonly StoreLimit[];
  /**
   * Another store over the same data, with a connection of its own, as another process would have it. The suite prepares it, and
   * closes it before the store itself is destroyed.
   */
  peer?(store: S): S | Promise<S>;
  /** How to disturb the store's server. */
  readonly faults?: StoreFaults;
  /**
   * How many records the tests of many use. Keep it well above the store's page size.
   * @default 2000
   */
  readonly volume?: number;
  /** Repeats what the clients of a random test did: the number in its title. @default a random one */
  readonly seed?: number;
  /** `describe`, `it`, `beforeEach` and `afterEach` of the test runner. @default the global ones */
  readonly runner?: TestRunner;
}

const POWERS: Readonly<Record<SessionStorePower, (store: object) => boolean>> = {
  principals: isPrincipalIndexed,
  enumeration: isEnumerable,
  sweeping: isSweepable,
};

/**
 * Holds a store to the contract of `SessionStore`, so that an adapter's own spec needs a few lines:
 *
 * ```ts
 * describeSessionStore('MemorySessionStore', { create: () => new MemorySessionStore() });
 * ```
 *
 * Titles begin with the case they prove (`R2: …`), and no test sleeps.
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
      has: (power) => !without.includes(power),
      promises: (limit) => !unmet.includes(limit),
      get store(): P {
        return store as unknown as P;
      },
    }; // prettier-ignore
  }

  function describePower<P extends object>(
    power: SessionStorePower,
    group: (suite: StoreSuite<P>) => void,
  ): void {
    const reason = `${power}: not a capability of ${name}`;
    if (without.includes(power)) describe.skip(notRun(power, reason), () => group(suiteOf()));
    else describe(power, () => group(suiteOf()));
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

    for (const [power, has] of Object.entries(POWERS)) {
      const expected = !without.includes(power as SessionStorePower);
      it(`${expected ? 'has' : 'has not'} the power: ${power}`, () => {
        const advice = expected
          ? `Implement it, or say without: ['${power}'].`
          : `Take '${power}' out of without.`;
        assert.equal(has(store!), expected, advice);
      });
    }

    describeLimits(suiteOf(), unmet);
    describeCalls(suiteOf());
    describeConcurrency(suiteOf());
    describeValues(suiteOf());
    describeExpiry(suiteOf());
    describePower('principals', describePrincipals);
    describePower('enumeration', describeEnumeration);
    describePower('sweeping', describeSweeping);
    describe('through sessions', () => {
      describeSessionValues(suiteOf());
      describeSessionTime(suiteOf());
      describeInterleavings(suiteOf(), () => [store!]);
    });
    describeBetweenProcesses(suiteOf<S>(), harness.peer?.bind(harness));
    describeFaults(suiteOf(), harness.faults);
  });
}
