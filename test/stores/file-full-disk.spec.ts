import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { SessionRecord } from '../../lib/core/session-record';
import { MINUTE, START, aRecord, insertAll, nextOf } from '../../lib/testing/store-suite/records';
import { call } from '../../lib/testing/store-suite/store-suite';
import { describeUnless } from '../support/not-run';
import { fileSmallDisk, listed, someOf } from './file-small-disk';
import { cannotMount } from './small-disk';

const ADA = 'default:ada';
const FULL = {
  code: 'SESSION_STORE_UNAVAILABLE',
  message: expect.stringMatching('no space is left') as string,
};

const kinds = [
  { lack: 'space', fill: () => place.disk.takeSpace() },
  { lack: 'inodes', fill: () => place.disk.takeInodes() },
  {
    lack: 'both',
    fill: () => {
      place.disk.takeSpace();
      place.disk.takeInodes();
    },
  },
];

let place: Awaited<ReturnType<typeof fileSmallDisk>>;

describeUnless(cannotMount(), 'FileSessionStore on a full disk', () => {
  beforeEach(async () => {
    place = await fileSmallDisk();
  });

  afterEach(() => place.disk.remove());

  describe.each(kinds)('that lacks $lack', ({ fill }) => {
    it('F10: reads, and refuses a write in words', async () => {
      const store = await place.open();
      const record = aRecord({ principal: ADA });
      await store.insert(record, call);
      fill();
      await expect(store.insert(aRecord(), call)).rejects.toMatchObject(FULL);
      await expect(store.update(nextOf(record), 1, call)).rejects.toMatchObject(FULL);
      expect({
        found: await store.find(record.id, call),
        indexed: await store.findByPrincipal(ADA, call),
        listed: await listed(store),
      }).toEqual({ found: record, indexed: [record], listed: [record] });
    });

    it('W21: deletes', async () => {
      const store = await place.open();
      const [record, other] = someOf(2, { principal: ADA }) as [SessionRecord, SessionRecord];
      await insertAll(store, [record, other]);
      fill();
      await store.delete(record.id, call);
      expect({
        found: await store.find(record.id, call),
        indexed: await store.findByPrincipal(ADA, call),
      }).toEqual({ found: null, indexed: [other] });
    });

    it('W21: deletes by principal, from several processes at once', async () => {
      const stores = [await place.open(), await place.open(), await place.open()];
      await insertAll(stores[0]!, [...someOf(40, { principal: ADA }), ...someOf(10)]);
      fill();
      const deleted = await Promise.all(stores.map((store) => store.deleteByPrincipal(ADA, call)));
      expect({
        deleted: deleted.reduce((a, b) => a + b),
        indexed: await stores[0]!.findByPrincipal(ADA, call),
        left: (await listed(stores[0]!)).length,
      }).toEqual({ deleted: 40, indexed: [], left: 10 });
    });

    it('W21: sweeps, which makes room for new sessions', async () => {
      const store = await place.open();
      await insertAll(store, someOf(50, { expiresAt: START - MINUTE }));
      fill();
      expect(await store.sweep(START, 100, call)).toBe(50);
      await store.insert(aRecord({ principal: ADA }), call);
      expect(await store.findByPrincipal(ADA, call)).toHaveLength(1);
    });

    it('W21: sweeps after a restart', async () => {
      await insertAll(await place.open(), someOf(5, { expiresAt: START - MINUTE }));
      fill();
      expect(await (await place.open()).sweep(START, 100, call)).toBe(5);
    });
  });

  it('W21: deletes as often as wanted while another program takes what becomes free', async () => {
    const store = await place.open();
    const records = someOf(30, { principal: ADA });
    await insertAll(store, records);
    for (const { id } of records) {
      place.disk.takeSpace();
      place.disk.takeInodes();
      await store.delete(id, call);
    }
    expect(await listed(store)).toEqual([]);
  });

  it('F10: starts on a directory that an earlier build left without spares', async () => {
    const record = aRecord({ principal: ADA });
    await (await place.open()).insert(record, call);
    rmSync(join(place.directory, 'spare'), { recursive: true });
    place.disk.takeSpace();
    place.disk.takeInodes();
    const store = await place.open();
    const found = await store.find(record.id, call);
    place.disk.free();
    await store.delete(record.id, call);
    expect({ found, left: await listed(store), spares: place.spares() }).toEqual({
      found: record,
      left: [],
      spares: { all: 8, whole: 8 },
    });
  });
});
