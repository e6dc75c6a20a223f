import assert from 'node:assert/strict';
import { newSessionId } from '../../core/session-token';
import { BusyWriters } from './busy-writers';
import type { FaultySuite } from './faulty-suite';
import { eventually, until } from './deadline-client';
import { unmetTitleOf } from './limits.group';
import { MINUTE, START } from './records';
import type { Disturbance } from './store-faults';
import { SLOW_TEST_TIMEOUT, call } from './store-suite';
import { WriteHistory, isWhole, stampedRecord } from './write-history';

const ROUNDS = 3;

/** Writes that timed out while the server was frozen are still in flight, and arrive when it resumes. */
export function describeFrozenWrites(suite: FaultySuite, freezing: Disturbance): void {
  const { describe, it } = suite;
  if (suite.promises('conditional-writes')) lateWrites();
  else describe.skip(unmetTitleOf('conditional-writes'), lateWrites);

  function lateWrites(): void {
    it(
      'R9: writes that were given up revive nothing when they land after a delete',
      () => revival(suite, freezing),
      SLOW_TEST_TIMEOUT,
    );
    it(
      'R9: of two updates that were given up at most one lands, whole',
      () => mixture(suite, freezing),
      SLOW_TEST_TIMEOUT,
    );
    it(
      'R9: what was acknowledged stays true while the server stops and goes on',
      () => stops(suite, freezing),
      SLOW_TEST_TIMEOUT,
    );
  }
}

async function revival(suite: FaultySuite, freezing: Disturbance): Promise<void> {
  const { client } = suite;
  for (let round = 0; round < ROUNDS; round++) {
    const { id } = await freezeTwoUpdates(suite, freezing);
    await eventually(() => client.delete(id));
    await client.settled();
    assert.equal(await eventually(() => client.find(id)), null);
  }
}

async function mixture(suite: FaultySuite, freezing: Disturbance): Promise<void> {
  const { client } = suite;
  for (let round = 0; round < ROUNDS; round++) {
    const { id } = await freezeTwoUpdates(suite, freezing);
    await client.settled();
    const found = await eventually(() => client.find(id));
    assert.ok(found !== null && isWhole(found), 'the record is a mixture of several writes');
  }
}

/** Two updates of one version and an extension, which all time out; then the server resumes. */
async function freezeTwoUpdates(suite: FaultySuite, freezing: Disturbance) {
  const { client } = suite;
  const record = stampedRecord(newSessionId(), 1);
  await suite.store.insert(record, call);
  await suite.begin(freezing);
  const given = await Promise.allSettled([
    client.update(stampedRecord(record.id, 2), 1),
    client.update(stampedRecord(record.id, 2), 1),
    client.extend(record.id, 1, START + 90 * MINUTE),
  ]);
  assert.ok(
    given.every(({ status }) => status === 'rejected'),
    'a frozen server answered',
  );
  await suite.heal();
  return record;
}

async function stops(suite: FaultySuite, freezing: Disturbance): Promise<void> {
  const { client } = suite;
  const history = new WriteHistory();
  const writers = new BusyWriters(client, history);
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const [failures, acknowledgements] = [writers.failures, history.acknowledgements];
      await until(() => history.acknowledgements > acknowledgements + 20, 'writes are acknowledged');
      await suite.begin(freezing);
      await until(() => writers.failures > failures, 'a call fails');
      await suite.heal();
    }
    await client.recovered();
  } finally {
    await writers.stop();
  }
  await client.settled();
  await history.compare((id) => eventually(() => client.find(id)));
  assert.deepEqual(history.violations, []);
}
