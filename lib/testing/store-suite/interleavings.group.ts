import assert from 'node:assert/strict';
import type { SessionStore } from '../../core/session-store';
import { SessionSimulation, randomFrom } from './session-simulation';
import { SLOW_TEST_TIMEOUT, type StoreSuite } from './store-suite';

/** The number of rounds, and of requests per client and round. */
const ROUNDS = 6;
const REQUESTS = 12;

/** Compares parallel sessions with a model. The title has the seed; `seed` in the harness repeats the actions of each client. */
export function describeInterleavings(suite: StoreSuite, storesOf: () => readonly SessionStore[]): void {
  suite.it(
    `R10: shows no foreign, mixed, lost or ended data to three clients with random actions (seed ${suite.seed})`,
    async () => {
      const random = randomFrom(suite.seed);
      for (let round = 0; round < ROUNDS; round++) {
        assert.deepEqual(await new SessionSimulation(storesOf(), random).run(REQUESTS), []);
      }
    },
    SLOW_TEST_TIMEOUT,
  );
}
