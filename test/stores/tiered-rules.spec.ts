import type { SessionRecord } from 'nestjs-tessera';
import { newToken } from '../../lib/core/session-token';
import { TIER_STATE_ID } from '../../lib/stores/tiered/tier-state';
import { nextOf } from '../../lib/testing/store-suite/records';
import { door } from '../support/watched-store';
import {
  LEASE,
  MAX_AGE,
  advance,
  call,
  isSettled,
  processes,
  startOver,
  stored,
  turns,
  useStandingTime,
  type Process,
} from './tiered-processes';

useStandingTime();

/** As a login leaves it. */
const renewalOf = (record: SessionRecord): SessionRecord =>
  nextOf(record, { secretHash: newToken(record.id, 'suite').secretHash, principal: 'default:ada' });

describe('what a call costs', () => {
  it('is one read of the fast tier for a session that has a copy', async () => {
    const [one] = await processes(1);
    const { id } = await stored(one!);
    one!.fast.take();
    one!.durable.take();
    for (let n = 0; n < 100; n++) await one!.store.find(id, call);
    expect({ fast: one!.fast.take().length, durable: one!.durable.take() }).toEqual({
      fast: 100,
      durable: [],
    });
  });

  it('waits for no question while the leave of before lasts', async () => {
    const [one] = await processes(1);
    const record = await stored(one!);
    await advance(0.6 * LEASE);
    await one!.store.find(record.id, call);
    await advance(0.6 * LEASE);
    one!.durable.hang();
    expect(await isSettled(one!.store.find(record.id, call))).toBe(true);
  });

  it('is one read of the durable tier for one that has none, and a copy made in two steps', async () => {
    const [one] = await processes(1);
    const { id } = await stored(one!);
    await one!.fast.forget();
    one!.fast.take();
    one!.durable.take();
    await one!.store.find(id, call);
    expect({ fast: one!.fast.take(), durable: one!.durable.take() }).toEqual({
      fast: ['find', 'insert', 'update'],
      durable: ['find'],
    });
  });

  it('T5: leaves nothing in either tier for a session that does not exist', async () => {
    const [one] = await processes(1);
    const { id } = await stored(one!);
    await one!.store.delete(id, call);
    one!.durable.take();
    expect(await one!.store.find(id, call)).toBeNull();
    expect({ durable: one!.durable.take(), copies: one!.fast.inner.size }).toEqual({
      durable: ['find'],
      copies: 0,
    });
  });

  it('is one write to each tier for a session that is written', async () => {
    const [one] = await processes(1);
    const record = await stored(one!);
    const calls = () => ({ fast: one!.fast.take(), durable: one!.durable.take() });
    calls();
    await one!.store.update(nextOf(record), 1, call);
    expect(calls()).toEqual({ fast: ['update'], durable: ['update'] });
    await one!.store.extend(record.id, 2, record.expiresAt + 1, call);
    expect(calls()).toEqual({ fast: ['delete'], durable: ['extend'] });
    await one!.store.delete(record.id, call);
    expect(calls()).toEqual({ fast: ['delete'], durable: ['delete'] });
  });

  it('asks the durable tier once per lease whether the fast one may be used, ahead of time and in the background', async () => {
    const [one] = await processes(1);
    const { id } = await stored(one!);
    one!.durable.take();
    for (let n = 0; n < 20; n++) {
      await one!.store.find(id, call);
      await advance(LEASE / 10);
    }
    const asked = one!.durable.take();
    expect(new Set(asked)).toEqual(new Set(['find']));
    expect(asked.length).toBeLessThanOrEqual(4);
  });
});

describe('a copy comes from a read that no write has overtaken', () => {
  it('R4: a read that a destroy overtook leaves no copy', async () => {
    const [one, two] = await processes(2);
    const { id } = await stored(one!);
    await one!.fast.forget();
    const held = door();
    one!.durable.after = () => held.opened;
    const reading = one!.store.find(id, call);
    await turns();
    await two!.store.delete(id, call);
    held.open();
    await reading;
    expect(await one!.store.find(id, call)).toBeNull();
    expect(await two!.store.find(id, call)).toBeNull();
  });

  it('R5: a read that a renewal overtook leaves no copy under the old secret', async () => {
    const [one, two] = await processes(2);
    const record = await stored(one!);
    const renewed = renewalOf(record);
    await one!.fast.forget();
    const held = door();
    one!.durable.after = () => held.opened;
    const reading = one!.store.find(record.id, call);
    await turns();
    expect(await two!.store.update(renewed, 1, call)).toBe(true);
    held.open();
    await reading;
    expect(await one!.store.find(record.id, call)).toEqual(renewed);
  });

  it('R9: a copy that reaches the fast tier late, after a destroy, is not kept', async () => {
    const [one, two] = await processes(2);
    const { id } = await stored(one!);
    await one!.fast.forget();
    const held = door();
    one!.fast.before = (operation) => (operation === 'update' ? held.opened : undefined);
    const reading = one!.store.find(id, call);
    await turns();
    await two!.store.delete(id, call);
    held.open();
    await reading;
    expect(await two!.store.find(id, call)).toBeNull();
  });

  it('R9: nor is it taken for the copy of somebody who reads after the destroy', async () => {
    const [one, two, three] = await processes(3);
    const { id } = await stored(one!);
    await one!.fast.forget();
    const [first, second] = [door(), door()];
    one!.fast.before = (operation) => (operation === 'update' ? first.opened : undefined);
    const reading = one!.store.find(id, call);
    await turns();
    await two!.store.delete(id, call);
    three!.durable.after = () => second.opened;
    const later = three!.store.find(id, call);
    await turns();
    first.open();
    await reading;
    expect(await two!.store.find(id, call)).toBeNull();
    second.open();
    expect(await later).toBeNull();
  });

  it('R3: an insert that a destroy overtook leaves no copy', async () => {
    const [one, two] = await processes(2);
    const { id } = await stored(one!);
    const fresh = { ...nextOf(await stored(one!)), id: `${id.slice(1)}x` as typeof id, version: 1 };
    const held = door();
    one!.durable.after = (operation) => (operation === 'insert' ? held.opened : undefined);
    const inserting = one!.store.insert(fresh, call);
    await turns();
    await two!.store.delete(fresh.id, call);
    held.open();
    await inserting;
    expect(await two!.store.find(fresh.id, call)).toBeNull();
  });

  it.each(['delete', 'update', 'extend'] as const)(
    'R3 and R4: a read between the two halves of a write leaves no copy: %s',
    async (operation) => {
      const [one, two] = await processes(2);
      const record = await stored(one!);
      const held = door();
      one!.durable.before = (given) => (given === operation ? held.opened : undefined);
      const writing = {
        delete: () => one!.store.delete(record.id, call),
        update: () => one!.store.update(renewalOf(record), 1, call),
        extend: () => one!.store.extend(record.id, 1, record.expiresAt + 1, call),
      }[operation]();
      await turns();
      await two!.store.find(record.id, call);
      held.open();
      await writing;
      expect(await two!.store.find(record.id, call)).toEqual(await two!.durable.inner.find(record.id));
    },
  );

  it('R5: the slower of two writers does not put its older copy over the newer', async () => {
    const [one, two] = await processes(2);
    const record = await stored(one!);
    const [second, third] = [nextOf(record), renewalOf(nextOf(record))];
    const held = door();
    one!.fast.before = () => held.opened;
    const slow = one!.store.update(second, 1, call);
    await turns();
    expect(await two!.store.update(third, 2, call)).toBe(true);
    held.open();
    await slow;
    expect(await two!.store.find(record.id, call)).toEqual(third);
  });

  it('R3: nor over nothing, when the newer is a destroy', async () => {
    const [one, two] = await processes(2);
    const record = await stored(one!);
    const held = door();
    one!.fast.before = () => held.opened;
    const slow = one!.store.update(nextOf(record), 1, call);
    await turns();
    await two!.store.delete(record.id, call);
    held.open();
    await slow;
    expect(await two!.store.find(record.id, call)).toBeNull();
  });
});

describe('a write is acknowledged when nobody believes an older copy', () => {
  const writes = {
    'a destroy': ({ store }: Process, { id }: SessionRecord) => store.delete(id, call),
    'a renewal': ({ store }: Process, record: SessionRecord) => store.update(renewalOf(record), 1, call),
    'a change of data': ({ store }: Process, record: SessionRecord) => store.update(nextOf(record), 1, call),
    'an extension': ({ store }: Process, { id, expiresAt }: SessionRecord) =>
      store.extend(id, 1, expiresAt + 1, call),
  };

  describe.each(Object.entries(writes))('the acknowledgement of %s', (_, write) => {
    it.each(['hang', 'fail'] as const)(
      'R3, R8 and R9: comes when others show it too, though only this process sees the fast tier %s',
      async (fault) => {
        const [one, two] = await processes(2);
        const record = await stored(one!);
        await advance(LEASE / 2 + 1);
        // Just before: so the other one has the whole of a lease before it.
        expect(await two!.store.find(record.id, call)).toEqual(record);
        await advance(1);
        one!.fast[fault]();
        const writing = write(one!, record);
        let acknowledged = false;
        void writing.then(() => (acknowledged = true));
        for (let passed = 0; !acknowledged && passed < 3 * LEASE; passed += 50) {
          await two!.store.find(record.id, call);
          await advance(50);
        }
        await writing;
        const truth = await two!.durable.inner.find(record.id);
        expect(truth).not.toEqual(record);
        expect(await two!.store.find(record.id, call)).toEqual(truth);
      },
    );

    it('R3, R8 and R9: stays true although the fast tier comes back with the old copy, then and later', async () => {
      const [one, two] = await processes(2);
      const record = await stored(one!);
      const before = await one!.fast.snapshot();
      for (const { fast } of [one!, two!]) fast.hang();
      const writing = write(one!, record);
      await advance(2 * LEASE);
      await writing;
      for (const { fast } of [one!, two!]) fast.heal();
      await one!.fast.rollBackTo(before);
      const truth = await two!.durable.inner.find(record.id);
      for (let passed = 0; passed < 3 * MAX_AGE; passed += MAX_AGE / 10) {
        for (const { store } of [one!, two!]) expect(await store.find(record.id, call)).toEqual(truth);
        await advance(MAX_AGE / 10);
      }
    });
  });

  it('waits for the lease that others may have, and no longer', async () => {
    const [one] = await processes(1);
    const { id } = await stored(one!);
    one!.fast.fail();
    const deleting = one!.store.delete(id, call);
    await advance(LEASE - 1);
    expect(await isSettled(deleting)).toBe(false);
    await advance(1);
    expect(await isSettled(deleting)).toBe(true);
  });

  it('F1: waits once; then the durable tier serves alone, at its own speed', async () => {
    const [one, two] = await processes(2);
    const records = [await stored(one!), await stored(one!), await stored(one!)];
    for (const { fast } of [one!, two!]) fast.hang();
    const first = one!.store.delete(records[0]!.id, call);
    await advance(2 * LEASE);
    await first;
    await two!.store.find(records[1]!.id, call);
    await advance(LEASE);
    for (const { fast, durable } of [one!, two!]) for (const tier of [fast, durable]) tier.take();
    await one!.store.delete(records[1]!.id, call);
    await two!.store.delete(records[2]!.id, call);
    expect(await two!.store.find(records[1]!.id, call)).toBeNull();
    const calls = ({ fast, durable }: Process) => ({ fast: fast.take(), durable: durable.take() });
    expect(calls(one!)).toEqual({ fast: [], durable: ['delete'] });
    expect(calls(two!)).toEqual({ fast: [], durable: ['delete', 'find'] });
  });

  it('R3: waits for the lease that a third process may have, although another has marked the tier stale', async () => {
    const [one, two, three] = await processes(3);
    const [first, second] = [await stored(one!), await stored(one!)];
    one!.fast.fail();
    const deleting = one!.store.delete(first.id, call);
    await turns();
    // Nothing was asked of this one for a while, so it asks, and reads the mark.
    await advance(LEASE / 10);
    const other = await startOver(two!.fast, two!.durable);
    await three!.store.find(second.id, call);
    const deleted = other.store.delete(second.id, call);
    let acknowledged = false;
    void deleted.then(() => (acknowledged = true));
    await turns();
    const isShown = (await three!.store.find(second.id, call)) !== null;
    expect({ acknowledged, isShown }).not.toEqual({ acknowledged: true, isShown: true });
    await advance(2 * LEASE);
    await Promise.all([deleting, deleted]);
    expect(await three!.store.find(second.id, call)).toBeNull();
  });

  it('R3: is not shown by a process whose leave was long on its way', async () => {
    const [one, two] = await processes(2);
    const record = await stored(one!);
    await advance(LEASE);
    const held = door();
    two!.durable.after = () => held.opened;
    const reading = two!.store.find(record.id, call);
    await turns();
    two!.durable.heal();
    one!.fast.fail();
    const deleting = one!.store.delete(record.id, call);
    await advance(LEASE + 1);
    await deleting;
    held.open();
    await reading;
    expect(await two!.store.find(record.id, call)).toBeNull();
  });

  it('F1: marks the tier stale once when many find out at once', async () => {
    const [one, two] = await processes(2);
    const records = [await stored(one!), await stored(one!), await stored(two!)];
    for (const { fast } of [one!, two!]) fast.fail();
    one!.durable.take();
    const deleting = [
      one!.store.delete(records[0]!.id, call),
      one!.store.delete(records[1]!.id, call),
      two!.store.delete(records[2]!.id, call),
    ];
    await advance(LEASE);
    await Promise.all(deleting);
    await advance(LEASE);
    const three = await startOver(one!.fast.elsewhere(), one!.durable.elsewhere());
    expect((await three.durable.inner.find(TIER_STATE_ID))?.version).toBe(1);
  });

  it('F1: uses the fast tier again when the mark has expired', async () => {
    const [one] = await processes(1);
    const { id } = await stored(one!);
    one!.fast.hang();
    const deleting = one!.store.delete(id, call);
    await advance(2 * LEASE);
    await deleting;
    one!.fast.heal();
    await advance(2 * MAX_AGE);
    const record = await stored(one!);
    one!.durable.take();
    await one!.store.find(record.id, call);
    expect(one!.durable.take()).toEqual([]);
  });

  it('F1: rejects when the durable tier cannot take the mark either', async () => {
    const [one] = await processes(1);
    const { id } = await stored(one!);
    one!.fast.fail();
    one!.durable.fail('insert', 'update');
    await expect(one!.store.delete(id, call)).rejects.toMatchObject({ code: 'SESSION_STORE_UNAVAILABLE' });
  });

  it('F1: rejects when its caller gives up before', async () => {
    const [one] = await processes(1);
    const { id } = await stored(one!);
    one!.fast.fail();
    const controller = new AbortController();
    const deleting = one!.store.delete(id, { signal: controller.signal });
    await turns();
    controller.abort(new Error('given up'));
    await expect(deleting).rejects.toThrow('given up');
  });

  it('R9: removes the copy when the durable tier does not say whether it wrote', async () => {
    const [one] = await processes(1);
    const record = await stored(one!);
    const renewed = renewalOf(record);
    one!.durable.after = (operation) => {
      if (operation === 'update') throw new Error('the answer was lost');
    };
    await expect(one!.store.update(renewed, 1, call)).rejects.toThrow('the answer was lost');
    expect(await one!.store.find(record.id, call)).toEqual(renewed);
  });
});
