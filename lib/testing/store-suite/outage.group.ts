import assert from 'node:assert/strict';
import { newSessionId } from '../../core/session-token';
import { SessionStoreError } from '../../core/session.errors';
import type { FaultySuite } from './faulty-suite';
import { MINUTE, START } from './records';
import type { Disturbance } from './store-faults';
import { SLOW_TEST_TIMEOUT, call } from './store-suite';
import { stampedRecord } from './write-history';

/** How much later than its deadline a call may fail on a busy machine, in milliseconds. */
const SLACK = 1_500;

/** How often each call is made in parallel: more often than a pool has connections. */
const CALLS = 12;

/** A store that does not answer rejects within its deadline, and never reports absence. */
export function describeOutage(suite: FaultySuite, disturbance: Disturbance): void {
  suite.it(
    'F1: every call fails in time, and the store answers again by itself afterwards',
    async () => {
      const { client } = suite;
      const record = stampedRecord(newSessionId(), 1);
      await suite.store.insert(record, call);
      await suite.begin(disturbance);
      for (let wave = 0; wave < 2; wave++) {
        const calls = Array.from({ length: CALLS }, () => [
          client.find(record.id),
          client.insert(stampedRecord(newSessionId(), 1)),
          client.update(stampedRecord(record.id, 2), 1),
          client.extend(record.id, 1, START + 90 * MINUTE),
          client.delete(newSessionId()),
        ]).flat();
        await assertFailure(calls, suite.deadline);
      }
      await suite.heal();
      await client.recovered();
    },
    SLOW_TEST_TIMEOUT,
  );
}

async function assertFailure(calls: readonly Promise<unknown>[], deadline: number): Promise<void> {
  const begun = performance.now();
  const outcomes = await Promise.allSettled(calls);
  const took = performance.now() - begun;
  const unexpected = outcomes.filter(
    (outcome) => outcome.status === 'fulfilled' || !(outcome.reason instanceof SessionStoreError),
  );
  assert.deepEqual(unexpected, []);
  assert.ok(took < deadline + SLACK, `the last call failed only after ${Math.round(took)} ms`);
}
