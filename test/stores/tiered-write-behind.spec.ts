import type { SessionRecord } from 'nestjs-tessera';
import { newToken } from '../../lib/core/session-token';
import { aRecord, nextOf } from '../../lib/testing/store-suite/records';
import { door } from '../support/watched-store';
import {
  LEASE,
  MAX_AGE,
  advance,
  call,
  isSettled,
  processes,
  stored,
  turns,
  useStandingTime,
  type Process,
} from './tiered-processes';

useStandingTime();

const FLUSH = 500;
const behind = (count: number, options = {}) =>
  processes(count, { writeBehind: true, flushEvery: FLUSH, ...options });

const dataOf = (record: SessionRecord, n: number) => nextOf(record, { body: `{"n":${n}}` });
const renewalOf = (record: SessionRecord) =>
  nextOf(record, { secretHash: newToken(record.id, 'suite').secretHash });
const inDurable = ({ durable }: Process, { id }: SessionRecord) => durable.inner.find(id);

describe('a change of data', () => {
  it('is acknowledged by the fast tier, shown to every process, and written later', async () => {
    const [one, two] = await behind(2);
    const record = await stored(one!);
    one!.fast.take();
    one!.durable.take();
    expect(await one!.store.update(dataOf(record, 1), 1, call)).toBe(true);
    expect({ fast: one!.fast.take(), durable: one!.durable.take() }).toEqual({
      fast: ['find', 'update'],
      durable: [],
    });
    expect(await two!.store.find(record.id, call)).toEqual(dataOf(record, 1));
    expect(await inDurable(one!, record)).toEqual(record);
    await advance(FLUSH);
    expect(await inDurable(one!, record)).toEqual(dataOf(record, 1));
  });

  it('is written together with those that follow it', async () => {
    const [one] = await behind(1);
    let record = await stored(one!);
    one!.durable.take();
    for (let n = 0; n < 5; n++) {
      expect(await one!.store.update(dataOf(record, n), record.version, call)).toBe(true);
      record = dataOf(record, n);
    }
    expect(await one!.store.extend(record.id, record.version, record.expiresAt + 1, call)).toBe(true);
    await advance(FLUSH);
    expect(one!.durable.take().filter((operation) => operation !== 'find')).toEqual(['update']);
    expect(await inDurable(one!, record)).toEqual({ ...record, expiresAt: record.expiresAt + 1 });
  });

  it('that two processes make in turn is written by both, and ends as the last has it', async () => {
    const [one, two] = await behind(2);
    let record = await stored(one!);
    for (const [n, { store }] of [one!, two!, one!, two!].entries()) {
      expect(await store.update(dataOf(record, n), record.version, call)).toBe(true);
      record = dataOf(record, n);
    }
    await advance(3 * FLUSH);
    expect(await inDurable(one!, record)).toEqual(record);
    expect(await one!.store.find(record.id, call)).toEqual(record);
  });

  it('is refused when somebody else wrote first', async () => {
    const [one, two] = await behind(2);
    const record = await stored(one!);
    const wrote = await Promise.all([
      one!.store.update(dataOf(record, 1), 1, call),
      two!.store.update(dataOf(record, 2), 1, call),
    ]);
    expect(wrote.filter(Boolean)).toHaveLength(1);
  });

  it('is rejected, not refused, when the fast tier does not say whether it has it', async () => {
    const [one, two] = await behind(2, { flushEvery: 100 });
    const record = await stored(one!);
    const answers = door();
    one!.fast.after = (operation) => (operation === 'update' ? answers.opened : undefined);
    const writing = one!.store.update(dataOf(record, 1), 1, call);
    await turns();
    // It got there, and another process has gone on from it and written.
    const found = (await two!.store.find(record.id, call))!;
    await two!.store.update(dataOf(found, 2), 2, call);
    const rejected = expect(writing).rejects.toMatchObject({ code: 'SESSION_STORE_UNAVAILABLE' });
    await advance(FLUSH + 3 * LEASE);
    await rejected;
  });
});

describe('what decides who may use a session is written through', () => {
  it('L1: a renewal, a login and a logout', async () => {
    const [one, two] = await behind(2);
    let record = await stored(one!);
    const renewed = renewalOf(record);
    const loggedIn = nextOf(renewed, { principal: 'a:1' });
    for (const next of [renewed, loggedIn, nextOf(loggedIn, { principal: null })]) {
      expect(await one!.store.update(next, record.version, call)).toBe(true);
      expect(await inDurable(one!, record)).toEqual(next);
      expect(await two!.store.find(record.id, call)).toEqual(next);
      record = next;
    }
  });

  it('R8: a renewal of data that another process has not written yet takes it along', async () => {
    const [one, two] = await behind(2);
    const record = await stored(one!);
    await one!.store.update(dataOf(record, 1), 1, call);
    const renewed = renewalOf(dataOf(record, 1));
    expect(await two!.store.update(renewed, 2, call)).toBe(true);
    expect(await inDurable(one!, record)).toEqual(renewed);
    await advance(3 * FLUSH);
    expect(await inDurable(one!, record)).toEqual(renewed);
    expect(await one!.store.find(record.id, call)).toEqual(renewed);
  });

  it('R8: a renewal is not written over by what another process has waiting', async () => {
    const [one, two] = await behind(2);
    const record = await stored(one!);
    await one!.store.update(dataOf(record, 1), 1, call);
    await one!.store.update(dataOf(dataOf(record, 1), 2), 2, call);
    // The other one does not know of it: the fast tier has lost everything.
    await one!.fast.forget();
    const renewed = renewalOf(record);
    expect(await two!.store.update(renewed, 1, call)).toBe(true);
    await one!.fast.forget();
    expect(await one!.store.find(record.id, call)).toEqual(renewed);
    await advance(3 * FLUSH);
    expect(await inDurable(one!, record)).toEqual(renewed);
    expect(await one!.store.find(record.id, call)).toEqual(renewed);
  });

  it('R3 and R9: a destroyed session is not brought back by what another process has waiting', async () => {
    const [one, two] = await behind(2);
    const record = await stored(one!);
    await one!.store.update(dataOf(record, 1), 1, call);
    await two!.store.delete(record.id, call);
    expect(await one!.store.find(record.id, call)).toBeNull();
    await advance(3 * FLUSH);
    expect(await inDurable(one!, record)).toBeNull();
    expect(await one!.store.find(record.id, call)).toBeNull();
  });

  it('R3: nor is one whose destroyer could not reach the fast tier', async () => {
    const [one, two] = await behind(2);
    const record = await stored(one!);
    await one!.store.update(dataOf(record, 1), 1, call);
    two!.fast.fail();
    const deleting = two!.store.delete(record.id, call);
    await advance(LEASE);
    await deleting;
    for (let passed = 0; passed < 3 * MAX_AGE; passed += MAX_AGE / 10) {
      expect(await one!.store.find(record.id, call)).toBeNull();
      await advance(MAX_AGE / 10);
    }
  });

  it('R8: data is not acknowledged while a renewal is being written, and not lost', async () => {
    const [one, two] = await behind(2);
    const record = await stored(one!);
    const held = door();
    one!.durable.before = (operation) => (operation === 'update' ? held.opened : undefined);
    const renewal = renewalOf(record);
    const renewing = one!.store.update(renewal, 1, call);
    await turns();
    expect(await two!.store.find(record.id, call)).toEqual(record);
    const writing = two!.store.update(dataOf(record, 1), 1, call);
    expect(await isSettled(writing)).toBe(false);
    held.open();
    expect(await renewing).toBe(true);
    expect(await writing).toBe(false);
    expect(await two!.store.find(record.id, call)).toEqual(renewal);
  });

  it('shows what was acknowledged while somebody is writing through', async () => {
    const [one, two] = await behind(2);
    const record = await stored(one!);
    await two!.store.update(dataOf(record, 1), 1, call);
    const held = door();
    one!.durable.before = (operation) => (operation === 'update' ? held.opened : undefined);
    const renewing = one!.store.update(renewalOf(dataOf(record, 1)), 2, call);
    await turns();
    expect(await one!.store.find(record.id, call)).toEqual(dataOf(record, 1));
    held.open();
    await renewing;
  });
});

describe('what waits', () => {
  it('is shown by its process when the fast tier has lost it', async () => {
    const [one] = await behind(1);
    const record = await stored(one!);
    await one!.store.update(dataOf(record, 1), 1, call);
    await one!.fast.forget();
    expect(await one!.store.find(record.id, call)).toEqual(dataOf(record, 1));
  });

  it('is shown even if it is written between the read and its answer', async () => {
    const [one] = await behind(1);
    const record = await stored(one!);
    await one!.store.update(dataOf(record, 1), 1, call);
    await one!.fast.forget();
    const held = door();
    one!.durable.after = (operation) => (operation === 'find' ? held.opened : undefined);
    const reading = one!.store.find(record.id, call);
    await turns();
    await advance(FLUSH);
    expect(await inDurable(one!, record)).toEqual(dataOf(record, 1));
    held.open();
    expect(await reading).toEqual(dataOf(record, 1));
  });

  it('F1: goes on waiting while the durable tier fails, and is tried ever more seldom', async () => {
    const [one] = await behind(1);
    const record = await stored(one!);
    await one!.store.update(dataOf(record, 1), 1, call);
    one!.durable.fail();
    one!.durable.take();
    await advance(60_000);
    expect(one!.durable.take().length).toBeLessThan(15);
    one!.durable.heal();
    await advance(30_000);
    expect(await inDurable(one!, record)).toEqual(dataOf(record, 1));
  });

  it('is bounded: what comes when the queue is full is written at once', async () => {
    const [one] = await behind(1, { queueLimit: 2 });
    const records = [];
    for (let n = 0; n < 4; n++) records.push(await stored(one!));
    await Promise.all(records.map((record) => one!.store.update(dataOf(record, 1), 1, call)));
    const written = await Promise.all(records.map((record) => inDurable(one!, record)));
    expect(written.filter((record) => record?.version === 2)).toHaveLength(2);
    await advance(FLUSH);
    const kept = await Promise.all(records.map((record) => inDurable(one!, record)));
    expect(kept).toEqual(records.map((record) => dataOf(record, 1)));
  });

  it('is written before the end of its copy, and of its session, comes near', async () => {
    const [one] = await behind(1);
    const old = await stored(one!);
    await advance(MAX_AGE / 2);
    await one!.store.update(dataOf(old, 1), 1, call);
    expect(await inDurable(one!, old)).toEqual(dataOf(old, 1));
    const busy = await stored(one!);
    await advance(MAX_AGE / 2 - 1000);
    await one!.store.update(dataOf(busy, 1), 1, call);
    expect(await inDurable(one!, busy)).toEqual(busy);
    await advance(1000);
    await one!.store.update(dataOf(dataOf(busy, 1), 2), 2, call);
    expect((await inDurable(one!, busy))?.version).toBe(3);
    const ending = await stored(one!, { expiresAt: Date.now() + MAX_AGE });
    await one!.store.extend(ending.id, 1, ending.expiresAt + MAX_AGE, call);
    expect((await inDurable(one!, ending))?.expiresAt).toBe(ending.expiresAt + MAX_AGE);
  });

  it('E6: is written before a sweep, so that nothing goes that was extended', async () => {
    const [one] = await behind(1);
    const record = await stored(one!);
    const later = record.expiresAt + 1;
    expect(await one!.store.extend(record.id, 1, later, call)).toBe(true);
    expect(await one!.store.sweep!(record.expiresAt, 10, call)).toBe(0);
    expect((await one!.store.find(record.id, call))?.expiresAt).toBe(later);
  });

  it('is written before the sessions of a principal are found, and before all are gone through', async () => {
    const [one] = await behind(1);
    const record = await stored(one!, { principal: 'a:1' });
    await one!.store.update(dataOf(record, 1), 1, call);
    expect(await one!.store.findByPrincipal!('a:1', call)).toEqual([dataOf(record, 1)]);
    await one!.store.update(dataOf(dataOf(record, 1), 2), 2, call);
    const versions = [];
    for await (const each of one!.store.records!(call)) versions.push(each.version);
    expect(versions).toEqual([3]);
  });

  it('is written at once when its process has lost its leave meanwhile', async () => {
    const [one] = await behind(1, { fastTimeout: 5000, flushEvery: 10_000 });
    const record = await stored(one!);
    const held = door();
    one!.fast.after = (operation) => (operation === 'update' ? held.opened : undefined);
    const writing = one!.store.update(dataOf(record, 1), 1, call);
    await advance(LEASE);
    held.open();
    expect(await writing).toBe(true);
    expect(await inDurable(one!, record)).toEqual(dataOf(record, 1));
  });

  it('is written before what follows it, when the fast tier has lost it', async () => {
    const [one] = await behind(1);
    const record = await stored(one!);
    await one!.store.update(dataOf(record, 1), 1, call);
    await one!.fast.forget();
    const renewed = renewalOf(dataOf(record, 1));
    expect(await one!.store.update(renewed, 2, call)).toBe(true);
    expect(await inDurable(one!, record)).toEqual(renewed);
  });

  it('is left behind by what another process wrote later, whose copy stays', async () => {
    const [one, two] = await behind(2);
    const record = await stored(one!);
    const [second, third] = [dataOf(record, 1), dataOf(dataOf(record, 1), 2)];
    await one!.store.update(second, 1, call);
    await two!.store.update(third, 2, call);
    const held = door();
    one!.durable.before = (operation) => (operation === 'update' ? held.opened : undefined);
    await advance(FLUSH);
    expect(await inDurable(one!, record)).toEqual(third);
    await two!.store.update(dataOf(third, 3), 3, call);
    held.open();
    await turns();
    expect(await inDurable(one!, record)).toEqual(third);
    expect(await one!.store.find(record.id, call)).toEqual(dataOf(third, 3));
  });

  it('is dropped when the session was renewed, and the copy of the renewed one stays', async () => {
    const [one, two] = await behind(2);
    const record = await stored(one!);
    await one!.store.update(dataOf(record, 1), 1, call);
    const renewed = renewalOf(dataOf(record, 1));
    await two!.store.update(renewed, 2, call);
    await advance(300);
    await two!.store.update(dataOf(renewed, 2), 3, call);
    await advance(200);
    expect(await one!.store.find(record.id, call)).toEqual(dataOf(renewed, 2));
    expect(await inDurable(one!, record)).toEqual(renewed);
  });

  it('is dropped with its copy when the durable tier has gone on without it', async () => {
    const [one, two] = await behind(2);
    const record = await stored(one!);
    await one!.store.update(dataOf(record, 1), 1, call);
    const other = dataOf(record, 2);
    await two!.durable.inner.update(other, 1);
    await advance(FLUSH);
    await turns();
    expect(await one!.store.find(record.id, call)).toEqual(other);
  });
});

describe('the end', () => {
  it('F6: comes when everything is written', async () => {
    const [one] = await behind(1);
    const records = [];
    for (let n = 0; n < 30; n++) records.push(await stored(one!));
    for (const record of records) await one!.store.update(dataOf(record, 1), 1, call);
    await one!.store.close();
    const kept = await Promise.all(records.map((record) => inDurable(one!, record)));
    expect(kept).toEqual(records.map((record) => dataOf(record, 1)));
  });

  it('F6: waits for a durable tier that comes back in time', async () => {
    const [one] = await behind(1);
    const record = await stored(one!);
    await one!.store.update(dataOf(record, 1), 1, call);
    one!.durable.fail();
    const closing = one!.store.close();
    await advance(2000);
    expect(await isSettled(closing)).toBe(false);
    one!.durable.heal();
    await advance(500);
    await closing;
    expect(await inDurable(one!, record)).toEqual(dataOf(record, 1));
  });

  it.each(['hang', 'fail'] as const)(
    'F6: says how much is lost when the durable tier goes on to %s, and closes all the same',
    async (fault) => {
      const [one] = await behind(1, { closeTimeout: 1000 });
      const records = [await stored(one!), await stored(one!)];
      for (const record of records) await one!.store.update(dataOf(record, 1), 1, call);
      one!.durable[fault]();
      const closing = expect(one!.store.close()).rejects.toMatchObject({
        code: 'SESSION_STORE_UNAVAILABLE',
        message: expect.stringContaining('the last change of 2 sessions is lost') as string,
      });
      await advance(1000);
      await closing;
      expect({ fast: one!.fast.isClosed, durable: one!.durable.isClosed }).toEqual({
        fast: true,
        durable: true,
      });
    },
  );

  it('leaves no timer behind', async () => {
    const [one] = await behind(1);
    const record = await stored(one!, aRecord({ expiresAt: Date.now() + 3_600_000 }));
    await one!.store.update(dataOf(record, 1), 1, call);
    await one!.store.close();
    expect(jest.getTimerCount()).toBe(0);
  });
});
