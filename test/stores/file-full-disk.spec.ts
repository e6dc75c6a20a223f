import { join } from 'node:path';
import { FileSessionStore } from 'nestjs-tessera/file';
import type { SessionRecord } from '../../lib/core/session-record';
import { MINUTE, START, aRecord, insertAll, nextOf } from '../../lib/testing/store-suite/records';
import { call } from '../../lib/testing/store-suite/store-suite';
import { describeUnless } from '../support/not-run';
import { Halt, watchFileSystem } from './file-halts';
import { SmallDisk, cannotMount } from './small-disk';

const ADA = 'default:ada';
const FULL = {
  code: 'SESSION_STORE_UNAVAILABLE',
  message: expect.stringMatching('no space is left') as string,
};

const kinds = [
  { lack: 'space', fill: () => disk.takeSpace() },
  { lack: 'inodes', fill: () => disk.takeInodes() },
  {
    lack: 'both',
    fill: () => {
      disk.takeSpace();
      disk.takeInodes();
    },
  },
];

let disk: SmallDisk;

const open = async (): Promise<FileSessionStore> => {
  const store = new FileSessionStore(join(disk.path, 'sessions'));
  await store.prepare();
  return store;
};

const someOf = (count: number, given: Partial<SessionRecord> = {}): SessionRecord[] =>
  Array.from({ length: count }, () => aRecord(given));

async function listed(store: FileSessionStore): Promise<SessionRecord[]> {
  const found: SessionRecord[] = [];
  for await (const record of store.records(call)) found.push(record);
  return found;
}

describeUnless(cannotMount(), 'FileSessionStore on a full disk', () => {
  beforeEach(async () => {
    disk = await SmallDisk.mount();
  });

  afterEach(() => disk.remove());

  describe.each(kinds)('that lacks $lack', ({ fill }) => {
    it('F10: reads, and refuses a write in words', async () => {
      const store = await open();
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
      const store = await open();
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
      const stores = [await open(), await open(), await open()];
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
      const store = await open();
      await insertAll(store, someOf(50, { expiresAt: START - MINUTE }));
      fill();
      expect(await store.sweep(START, 100, call)).toBe(50);
      await store.insert(aRecord({ principal: ADA }), call);
      expect(await store.findByPrincipal(ADA, call)).toHaveLength(1);
    });

    it('W21: sweeps after a restart', async () => {
      await insertAll(await open(), someOf(5, { expiresAt: START - MINUTE }));
      fill();
      expect(await (await open()).sweep(START, 100, call)).toBe(5);
    });
  });

  it('W21: deletes as often as wanted while another program takes what becomes free', async () => {
    const store = await open();
    const records = someOf(30, { principal: ADA });
    await insertAll(store, records);
    for (const { id } of records) {
      disk.takeSpace();
      disk.takeInodes();
      await store.delete(id, call);
    }
    expect(await listed(store)).toEqual([]);
  });

  describe('when a process stands still anywhere in a removal', () => {
    let unwatch: () => void;

    beforeEach(() => {
      unwatch = watchFileSystem();
    });

    afterEach(() => unwatch());

    it('W21: of that and a change that finds room again one wins, whole', async () => {
      const [ours, theirs] = [await open(), await open()];
      await atEveryCall(theirs, ours, async (record, end) => {
        disk.free();
        const next = nextOf(record, { body: '{"rival":1}', expiresAt: START + MINUTE });
        const isOurs = await ours.update(next, 1, call);
        expect(await end()).toBe(isOurs ? 0 : 1);
        const left = isOurs ? [next] : [];
        expect({ listed: await listed(ours), indexed: await ours.findByPrincipal(ADA, call) }).toEqual({
          listed: left,
          indexed: left,
        });
      });
    });

    it('W21: another removes the session, without room', async () => {
      const [ours, theirs] = [await open(), await open()];
      await atEveryCall(theirs, ours, async (record, end) => {
        await ours.delete(record.id, call);
        expect({ listed: await listed(ours), indexed: await ours.findByPrincipal(ADA, call) }).toEqual({
          listed: [],
          indexed: [],
        });
        await end();
      });
    });
  });
});

/** Lets a sweep of theirs on a full disk stand still before its first call to the file system, before its second, and so on. */
async function atEveryCall(
  theirs: FileSessionStore,
  ours: FileSessionStore,
  play: (record: SessionRecord, end: () => Promise<number>) => Promise<void>,
): Promise<void> {
  for (let before = 0, isOver = false; !isOver; before++) {
    const record = aRecord({ principal: ADA, expiresAt: START - MINUTE });
    await ours.insert(record, call);
    disk.takeSpace();
    disk.takeInodes();
    const halt = new Halt(before);
    const swept = halt.run(() => theirs.sweep(START, 1, call));
    await halt.reached;
    await play(record, () => {
      halt.thaw();
      return swept;
    });
    isOver = !halt.isReached;
    disk.free();
    await ours.delete(record.id, call);
  }
}
