import assert from 'node:assert/strict';
import { BusyWriters } from './busy-writers';
import type { FaultySuite } from './faulty-suite';
import { eventually, until } from './deadline-client';
import type { Disturbance } from './store-faults';
import { SLOW_TEST_TIMEOUT } from './store-suite';
import { WriteHistory } from './write-history';

/** The server is killed during many writes, and restarts with the data it had written. */
export function describeCrash(suite: FaultySuite, killing: Disturbance): void {
  const promise = suite.durable
    ? 'every acknowledged write is there afterwards, and every other is whole or absent'
    : 'every write is whole or absent afterwards';
  suite.it(`F2: ${promise}`, () => crash(suite, killing), SLOW_TEST_TIMEOUT);
}

async function crash(suite: FaultySuite, killing: Disturbance): Promise<void> {
  const { client, durable } = suite;
  const history = new WriteHistory();
  const writers = new BusyWriters(client, history);
  try {
    await until(() => history.acknowledgements > 100, 'writes are acknowledged');
    await suite.begin(killing);
    if (!durable) history.lose();
    await until(() => writers.failures > 0, 'a call fails');
  } finally {
    await writers.stop();
  }
  await suite.heal();
  await client.recovered();
  await client.settled();
  await history.compare((id) => eventually(() => client.find(id)));
  assert.deepEqual(history.violations, []);
}
