import assert from 'node:assert/strict';
import type { SessionStore } from '../../core/session-store';
import { SessionSimulation, randomFrom } from './session-simulation';
import { SLOW_TEST_TIMEOUT, type StoreSuite } from './store-suite';

/** Rounds of so many requests of each client. */
const ROUNDS = 6;
const REQUESTS = 12;

/** Whole sessions, many at a time, against a model. The seed is in the title: `seed` in the harness repeats what each client does. */
export function describeInterleavings(suite: StoreSuite, storesOf: () => readonly SessionStore[]): void {
  suite.it(
    `R10: shows nobody foreign, mixed, lost or ended data when three clients do what seed ${suite.seed} says`,
    async () => {
      const random = randomFrom(suite.seed);
      for (let round = 0; round < ROUNDS; round++) {
        assert.deepEqual(await new SessionSimulation(storesOf(), random).run(REQUESTS), []);
      }
    },
    SLOW_TEST_TIMEOUT,
  );
}
