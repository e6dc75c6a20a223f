import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { FileSessionStore } from 'nestjs-tessera/file';
import type { SessionRecord } from '../../lib/core/session-record';
import { type SessionId, newSessionId } from '../../lib/core/session-token';
import { MINUTE, START, aRecord, nextOf } from '../../lib/testing/store-suite/records';
import { call } from '../../lib/testing/store-suite/store-suite';
import { describeSome } from '../support/long';
import { fileDirectory } from './file-directory';
import { Halt, watchFileSystem } from './file-halts';

const ADA = 'default:ada';
const BOB = 'default:bob';

/** A change of one session, whose record is `before` (or none yet) and becomes `after` (or none any more). */
interface Work {
  readonly before: SessionRecord | null;
  readonly after: SessionRecord | null;
  run(store: FileSessionStore): Promise<unknown>;
}

/** One that stands still. */
interface Scene extends Work {
  readonly id: SessionId;
  /** What the work gives, once it has gone on and ended. */
  goOn(): Promise<unknown>;
}

const works: Record<string, () => Work> = {
  'an insert of a login': () => {
    const after = aRecord({ principal: ADA });
    return { before: null, after, run: (store) => store.insert(after, call) };
  },
  'an update that logs in': () => update(aRecord(), { principal: ADA }),
  'an update that changes who is logged in': () => update(aRecord({ principal: BOB }), { principal: ADA }),
  'an update that logs out': () => update(aRecord({ principal: ADA }), { principal: null }),
  'an extension': () => {
    const before = aRecord({ principal: ADA });
    const after = { ...before, expiresAt: START + 90 * MINUTE };
    return { before, after, run: (store) => store.extend(before.id, 1, after.expiresAt, call) };
  },
  'a delete': () => removal((store, { id }) => store.delete(id, call)),
  'a delete by principal': () => removal((store) => store.deleteByPrincipal(ADA, call)),
};

/** Of a session in the folder that is looked through first. */
const sweep = (): Work => {
  const id = `AA${newSessionId().slice(2)}` as SessionId;
  return removal((store) => store.sweep(START, 1, call), { id, expiresAt: START - MINUTE });
};

let place: ReturnType<typeof fileDirectory>;
let ours: FileSessionStore;
let theirs: FileSessionStore;
let unwatch: () => void;

beforeEach(async () => {
  unwatch = watchFileSystem();
  place = fileDirectory();
  ours = await place.open();
  theirs = await place.open({ durable: true });
});

afterEach(() => {
  unwatch();
  place.remove();
});

const kinds = Object.keys(works).map((name) => ({ name }));
const belongs = ({ name }: { name: string }) => ['an update that logs in', 'a delete'].includes(name);

describeSome(kinds, belongs, 'FileSessionStore, when a process stands still anywhere in', ({ name }) => {
  const everywhere = (play: (scene: Scene) => Promise<void>) => atEveryCall(works[name]!, play);

  it('R9: a delete by another is final, whatever the process does when it goes on', async () => {
    await everywhere(async ({ id, before, after, goOn }) => {
      await ours.delete(id, call);
      expect(await ours.find(id, call)).toBeNull();
      await expectIndexed(null);
      await goOn();
      // What was never there before may come after a delete of it; nothing else may.
      const found = await ours.find(id, call);
      expect(before === null ? [null, after] : [null]).toContainEqual(found);
      await expectIndexed(found);
    });
  });

  it('R1: of two that change one version one wins, whole, and the index follows', async () => {
    await everywhere(async ({ id, before, after, goOn }) => {
      // Whoever is somebody else by then is spared by a delete by principal, so that one meets a rival who is not.
      const principal = after === null ? ADA : BOB;
      const rival = nextOf(before ?? after!, { principal, body: '{"rival":1}' });
      const oursWon = await ours.update(rival, rival.version - 1, call);
      const theirAnswer = await goOn();
      const found = await ours.find(id, call);
      if (oursWon && name.includes('update')) expect(theirAnswer).toBe(false);
      expect(found).toEqual(oursWon && after !== null ? rival : after);
      await expectIndexed(found);
    });
  });

  it('F2: what is there is whole, old or new; nothing is in the way, and nothing stays behind', async () => {
    await everywhere(async ({ id, before, after }) => {
      // It does not go on: it was killed there.
      const found = await ours.find(id, call);
      expect([before, after]).toContainEqual(found);
      await expectIndexed(found);
      const listed: SessionRecord[] = [];
      for await (const record of ours.records(call)) listed.push(record);
      expect(listed).toEqual(found === null ? [] : [found]);

      await clearUp();
      expect(await ours.find(id, call)).toEqual(found);
      await expectIndexed(found);
      if (found !== null) {
        const next = nextOf(found, { principal: BOB });
        expect(await ours.update(next, found.version, call)).toBe(true);
        await expectIndexed(next);
        await ours.delete(id, call);
      }
      expect(filesBelow(place.directory)).toEqual([]);
    });
  });

  it('R9: what it has left can be cleared up although it goes on later, and does what it was to do', async () => {
    await everywhere(async ({ id, after, goOn }) => {
      await clearUp();
      await goOn();
      expect(await ours.find(id, call)).toEqual(after);
      await expectIndexed(after);
    });
  });
});

describe('FileSessionStore, when a process stands still anywhere in a sweep', () => {
  it('E6: leaves a session alone that another extends meanwhile', async () => {
    await atEveryCall(sweep, async ({ id, before, goOn }) => {
      const isExtended = await ours.extend(id, 1, START + MINUTE, call);
      expect(await goOn()).toBe(isExtended ? 0 : 1);
      expect(await ours.find(id, call)).toEqual(isExtended ? { ...before, expiresAt: START + MINUTE } : null);
    });
  });

  it('E6: leaves a session alone that another inserts under the same id, once the expired one is gone', async () => {
    await atEveryCall(sweep, async ({ id, goOn }) => {
      await ours.delete(id, call);
      const reborn = aRecord({ id, principal: BOB });
      await ours.insert(reborn, call);
      await goOn();
      expect(await ours.find(id, call)).toEqual(reborn);
      await expectIndexed(reborn);
    });
  });
});

describe('FileSessionStore, when a process is killed anywhere in a delete', () => {
  it('F2: leaves nothing that a sweep does not find, the marker too', async () => {
    await atEveryCall(works['a delete']!, async ({ id }) => {
      makeLeftoversOld();
      await ours.sweep(START, 100, call);
      const isThere = (await ours.find(id, call)) !== null;
      // The session, the folder of its principal, and the marker in it.
      expect(filesBelow(place.directory)).toHaveLength(isThere ? 3 : 0);
    });
  });
});

describe('FileSessionStore, when a login stands still before it commits', () => {
  it('L8: is found by its principal afterwards, wherever a search for leftovers stood still meanwhile', async () => {
    for (let before = 0, isOver = false; !isOver; before++) {
      const { after, goOn } = await beforeCommit();
      makeLeftoversOld();
      const search = new Halt(before);
      const searched = search.run(() => ours.findByPrincipal(ADA, call));
      await search.reached;
      await goOn();
      search.thaw();
      await searched;
      expect(await ours.findByPrincipal(ADA, call)).toEqual([after]);
      await ours.delete(after.id, call);
      isOver = !search.isReached;
    }
  });

  it('F2: leaves nothing that a sweep does not find, its marker too', async () => {
    await beforeCommit();
    makeLeftoversOld();
    await ours.sweep(START, 100, call);
    expect(filesBelow(place.directory)).toEqual([]);
  });
});

function update(before: SessionRecord, given: Partial<SessionRecord>): Work {
  const after = nextOf(before, given);
  return { before, after, run: (store) => store.update(after, before.version, call) };
}

function removal(
  run: (store: FileSessionStore, before: SessionRecord) => Promise<unknown>,
  given: Partial<SessionRecord> = {},
): Work {
  const before = aRecord({ principal: ADA, ...given });
  return { before, after: null, run: (store) => run(store, before) };
}

/** Lets theirs stand still before its first call to the file system, before its second, and so on until it ends before that. */
async function atEveryCall(make: () => Work, play: (scene: Scene) => Promise<void>): Promise<void> {
  for (let before = 0; ; before++) {
    const work = make();
    if (work.before !== null) await ours.insert(work.before, call);
    const halt = new Halt(before);
    const end = halt.run(() => work.run(theirs));
    await halt.reached;
    if (!halt.isReached) return expect(before).toBeGreaterThan(10);
    const goOn = (): Promise<unknown> => {
      halt.thaw();
      return end;
    };
    const { id } = (work.before ?? work.after)!;
    try {
      await play({ ...work, id, goOn });
    } catch (error) {
      (error as Error).message +=
        `\n(it stood still at the last of ${halt.calls.slice(0, before + 1).join(', ')})`;
      throw error;
    } finally {
      await goOn();
      await ours.delete(id, call);
    }
  }
}

/** A login whose last step is to come. */
async function beforeCommit(): Promise<{ after: SessionRecord; goOn(): Promise<unknown> }> {
  const whole = new Halt(Infinity);
  const other = aRecord({ principal: BOB });
  await whole.run(() => theirs.insert(other, call));
  await theirs.delete(other.id, call);
  const halt = new Halt(whole.calls.lastIndexOf('rename'));
  const after = aRecord({ principal: ADA });
  const end = halt.run(() => theirs.insert(after, call));
  await halt.reached;
  const goOn = (): Promise<unknown> => {
    halt.thaw();
    return end;
  };
  return { after, goOn };
}

async function expectIndexed(record: SessionRecord | null): Promise<void> {
  for (const principal of [ADA, BOB]) {
    const found = await ours.findByPrincipal(principal, call);
    expect(found).toEqual(record?.principal === principal ? [record] : []);
  }
}

/** What others do by and by to what an attempt has left, once it has been there for long. */
async function clearUp(): Promise<void> {
  makeLeftoversOld();
  await ours.sweep(START, 100, call);
  for (const principal of [ADA, BOB]) await ours.findByPrincipal(principal, call);
}

function makeLeftoversOld(): void {
  const hourAgo = (START - 60 * MINUTE) / 1000;
  for (const path of readdirSync(place.directory, { recursive: true, encoding: 'utf8' })) {
    if (path.startsWith('principals') || path.includes('.'))
      utimesSync(join(place.directory, path), hourAgo, hourAgo);
  }
}

/** Everything but what is always there. */
function filesBelow(directory: string): string[] {
  const all = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return all.filter(
    (path) => !/^(?:format|(?:sessions|principals)(?:\/[0-9a-f]{1,2})?|spare(?:\/.*)?)$/.test(path),
  );
}
