import { execFile } from 'node:child_process';
import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { FileSessionStore } from 'nestjs-tessera/file';
import type { SessionRecord } from '../../lib/core/session-record';
import { MINUTE, START, aRecord, insertAll, nextOf } from '../../lib/testing/store-suite/records';
import { call } from '../../lib/testing/store-suite/store-suite';
import { describeLong, itLong } from '../support/long';
import { describeUnless } from '../support/not-run';
import { Halt, watchFileSystem } from './file-halts';
import { fileSmallDisk, listed, someOf } from './file-small-disk';
import { cannotMount } from './small-disk';

const ADA = 'default:ada';
const BOB = 'default:bob';
const WRITER = join(__dirname, 'file-writer.cjs');
const run = promisify(execFile);

let place: Awaited<ReturnType<typeof fileSmallDisk>>;

describeUnless(cannotMount(), 'FileSessionStore and its spares, on a full disk', () => {
  afterEach(() => place.disk.remove());

  describe('while another program takes at once what becomes free', () => {
    beforeEach(async () => {
      place = await fileSmallDisk('size=3m,nr_inodes=3000');
    });

    it('W21: deletes hundreds and sweeps, beside logins that fail, and keeps its spares', async () => {
      const store = await place.open();
      const records = someOf(300, { principal: ADA });
      await insertAll(store, [...records, ...someOf(100, { expiresAt: START - MINUTE })]);
      const end = await place.disk.keepFull();
      const logins = keepLoggingIn(store);
      const ends = records.map(
        ({ id }) =>
          () =>
            store.delete(id, call),
      );
      const failure = await failureOf(ends);
      const swept = await store.sweep(START, 1000, call).catch((error: Error) => error.message);
      const { refused } = await logins.end();
      const taken = await end();
      expect({ failure, swept, left: await store.findByPrincipal(ADA, call) }).toEqual({
        failure: null,
        swept: 100,
        left: [],
      });
      expect(place.spares()).toEqual({ all: 8, whole: 8 });
      // Both had something to do.
      expect({ refused: refused > 0, taken: taken > 0 }).toEqual({ refused: true, taken: true });
    });

    itLong('W21: does so from two processes, and from one that is started then', async () => {
      const store = await place.open();
      const [ofAda, ofBob] = [someOf(150, { principal: ADA }), someOf(150, { principal: BOB })];
      await insertAll(store, [...ofAda, ...ofBob, ...someOf(100, { expiresAt: START - MINUTE })]);
      const end = await place.disk.keepFull();
      const logins = keepLoggingIn(store);
      const other = run(process.execPath, [WRITER, place.directory, 'endAll', BOB]);
      const ends = ofAda.map(
        ({ id }) =>
          () =>
            store.delete(id, call),
      );
      const failure = await failureOf([...ends, () => store.sweep(START, 1000, call)]);
      const { stdout } = await other;
      await logins.end();
      const fresh = await place.open();
      const left = [await fresh.findByPrincipal(ADA, call), await fresh.findByPrincipal(BOB, call)].flat();
      const swept = await fresh.sweep(START, 1000, call);
      await end();
      expect({ failure, others: JSON.parse(stdout) as unknown, left, swept }).toEqual({
        failure: null,
        others: [],
        left: [],
        swept: 0,
      });
      expect(place.spares()).toEqual({ all: 8, whole: 8 });
    });
  });

  describeLong('when a process stands still anywhere in a removal', () => {
    let unwatch: () => void;

    beforeEach(async () => {
      place = await fileSmallDisk();
      unwatch = watchFileSystem();
    });

    afterEach(() => unwatch());

    it('W21: of that and a change that finds room again one wins, whole', async () => {
      const [ours, theirs] = [await place.open(), await place.open()];
      await atEveryCall(theirs, ours, async (record, end) => {
        place.disk.free();
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

    it('W21: two others remove the session, without room, and no spare is lost', async () => {
      const [ours, third, theirs] = [await place.open(), await place.open(), await place.open()];
      await atEveryCall(theirs, ours, async (record, end) => {
        await Promise.all([ours.delete(record.id, call), third.delete(record.id, call)]);
        expect({ listed: await listed(ours), indexed: await ours.findByPrincipal(ADA, call) }).toEqual({
          listed: [],
          indexed: [],
        });
        await end();
        expect(place.spares()).toEqual({ all: 8, whole: 8 });
      });
    });

    it('W21: or is killed there, a sweep finds what it has left, and no spare is lost', async () => {
      const [ours, theirs] = [await place.open(), await place.open()];
      await atEveryCall(theirs, ours, async (_, end) => {
        makeLeftoversOld();
        const swept = await ours.sweep(START, 10, call);
        const left = { listed: await listed(ours), indexed: await ours.findByPrincipal(ADA, call) };
        expect({ left, names: leftovers() }).toEqual({ left: { listed: [], indexed: [] }, names: [] });
        expect(place.spares().whole).toBe(8);
        // It was not killed after all, but stood still for a minute.
        expect(await end()).toBe(1 - swept);
        expect(place.spares()).toEqual({ all: 8, whole: 8 });
      });
    });
  });
});

/** Tries to insert sessions all the time, four at once. */
function keepLoggingIn(store: FileSessionStore) {
  let [isOver, refused] = [false, 0];
  const visitor = async (): Promise<void> => {
    while (!isOver) await store.insert(aRecord(), call).catch(() => refused++);
  };
  const all = Promise.all(Array.from({ length: 4 }, visitor));
  return {
    async end() {
      isOver = true;
      await all;
      return { refused };
    },
  };
}

/** Makes the calls one after another until one fails, and gives its message. */
async function failureOf(calls: (() => Promise<unknown>)[]): Promise<string | null> {
  try {
    for (const make of calls) await make();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** What is below `sessions/<shard>` and `principals/<shard>`. */
const leftovers = (): string[] =>
  pathsBelow(place.directory).filter((path) => /^(?:sessions|principals)\/..\//.test(path));

const pathsBelow = (folder: string): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' });

function makeLeftoversOld(): void {
  const hourAgo = START / 1000 - 3600;
  for (const path of pathsBelow(place.directory))
    if (/\.(?:lock|taken)$|^principals/.test(path)) utimesSync(join(place.directory, path), hourAgo, hourAgo);
}

/** Lets a sweep of theirs on a full disk stand still before its first call to the file system, before its second, and so on. */
async function atEveryCall(
  theirs: FileSessionStore,
  ours: FileSessionStore,
  play: (record: SessionRecord, end: () => Promise<number>) => Promise<void>,
): Promise<void> {
  for (let before = 0, isOver = false; !isOver; before++) {
    const record = aRecord({ principal: ADA, expiresAt: START - MINUTE });
    await ours.insert(record, call);
    place.disk.takeSpace();
    place.disk.takeInodes();
    const halt = new Halt(before);
    const swept = halt.run(() => theirs.sweep(START, 1, call));
    await halt.reached;
    await play(record, () => {
      halt.thaw();
      return swept;
    });
    isOver = !halt.isReached;
    place.disk.free();
    await ours.delete(record.id, call);
  }
}
