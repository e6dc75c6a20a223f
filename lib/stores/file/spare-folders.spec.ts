import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Disk } from './disk';
import { FileLock, cancelAttempt } from './file-lock';
import { SpareFolders } from './spare-folders';

const { signal } = new AbortController();

describe('a removal with a spare folder', () => {
  let root: string;
  let spares: SpareFolders;
  const disk = new Disk(false);
  const fileOf = (name: string): string => join(root, name);
  const isThere = (name: string): boolean => fs.existsSync(fileOf(name));
  const spareNames = (): string[] => fs.readdirSync(fileOf('spare'));
  /** How many have a complete slot. */
  const wholeSpares = (): number =>
    spareNames().filter((name) => fs.readdirSync(join(root, 'spare', name, 'slot')).length === 1).length;

  /** Until it holds the lock. */
  const holdForRemoval = async (name: string): Promise<FileLock> => {
    const lock = new FileLock(fileOf(name), spares);
    const isPrepared = await lock.prepareRemovalFromSpare(signal);
    expect({ isPrepared, holdsLock: await lock.acquire(signal) }).toEqual({
      isPrepared: true,
      holdsLock: true,
    });
    return lock;
  };
  /** The same for a new file. */
  const holdForWrite = async (name: string): Promise<FileLock> => {
    const lock = new FileLock(fileOf(name), spares);
    await lock.prepare(disk, 'newer', 0);
    expect(await lock.acquire(signal)).toBe(true);
    return lock;
  };
  const breakLock = ({ nonce }: FileLock): Promise<void> => cancelAttempt(fileOf('a'), nonce, spares);

  beforeEach(async () => {
    root = fs.mkdtempSync(join(tmpdir(), 'tessera-'));
    for (const name of ['a', 'b']) fs.writeFileSync(fileOf(name), 'old');
    spares = new SpareFolders(fileOf('spare'), disk);
    await spares.refill();
  });

  afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

  it('W21: gives its folders back, all of them', async () => {
    const before = fs.statSync(fileOf('spare')).ino;
    const inodes = () => spareNames().map((name) => fs.statSync(join(root, 'spare', name, 'slot')).ino);
    const made = inodes().sort();
    const lock = await holdForRemoval('a');
    const isRemoved = await lock.commitRemoval();
    await lock.endRemoval();
    expect({ isRemoved, inodes: inodes().sort(), root: fs.readdirSync(root).sort() }).toEqual({
      isRemoved: true,
      inodes: made,
      root: ['b', 'spare'],
    });
    expect(fs.statSync(fileOf('spare')).ino).toBe(before);
  });

  it('W21: cannot commit after its lock was broken, and leaves the next holder alone', async () => {
    const broken = await holdForRemoval('a');
    await breakLock(broken);
    const next = await holdForWrite('a');
    const isRemoved = await broken.commitRemoval();
    await broken.endRemoval();
    expect({ isRemoved, isWritten: await next.commit(), text: fs.readFileSync(fileOf('a'), 'utf8') }).toEqual(
      {
        isRemoved: false,
        isWritten: true,
        text: 'newer',
      },
    );
    expect(wholeSpares()).toBe(8);
  });

  it('W21: has committed when its lock is broken afterwards, and leaves the next holder alone', async () => {
    const broken = await holdForRemoval('a');
    const isRemoved = await broken.commitRemoval();
    await breakLock(broken);
    const next = await holdForWrite('a');
    await broken.endRemoval();
    expect({ isRemoved, isWritten: await next.commit() }).toEqual({ isRemoved: true, isWritten: true });
    expect(wholeSpares()).toBe(8);
  });

  it.each([
    { kind: 'a write', hold: holdForWrite, commit: (lock: FileLock) => lock.commit() },
    { kind: 'a removal', hold: holdForRemoval, commit: (lock: FileLock) => lock.commitRemoval() },
  ])('W21: is broken by two, of whom the later leaves $kind alone', async ({ hold, commit }) => {
    const broken = await holdForRemoval('a');
    await breakLock(broken);
    const next = await hold('a');
    await breakLock(broken);
    expect(await commit(next)).toBe(true);
    await next.endRemoval();
    await broken.endRemoval();
    expect(wholeSpares()).toBe(8);
  });

  it('W21: is broken late, after its end, when another uses its folders', async () => {
    const first = await holdForRemoval('a');
    await first.commitRemoval();
    await first.endRemoval();
    const others: FileLock[] = [await holdForRemoval('b')];
    for (let n = 1; n < 8; n++) others.push(await holdForRemoval(`c${n}`));
    await breakLock(first);
    expect({ isRemoved: await others[0]!.commitRemoval(), isThere: isThere('b') }).toEqual({
      isRemoved: true,
      isThere: false,
    });
    await Promise.all(others.map((other) => other.endRemoval()));
    expect(wholeSpares()).toBe(8);
  });

  it.each([
    { title: 'was broken', before: breakLock },
    { title: 'stands still before it acquires the lock', before: null },
  ])('W21: that $title has no folder any more once another has taken it again', async ({ before }) => {
    const first = new FileLock(fileOf('a'), spares);
    for (const name of spareNames().slice(1)) fs.rmSync(fileOf(join('spare', name)), { recursive: true });
    await first.prepareRemovalFromSpare(signal);
    if (before !== null) {
      await first.acquire(signal);
      await before(first);
    }
    fs.utimesSync(fileOf(join('spare', spareNames()[0]!)), 0, 0);
    const second = await holdForRemoval('b');
    const holdsLock = before === null && (await first.acquire(signal));
    const isRemoved = await first.commitRemoval();
    await cancelAttempt(fileOf('a'), first.nonce, spares);
    expect({ holdsLock, isRemoved, second: await second.commitRemoval() }).toEqual({
      holdsLock: false,
      isRemoved: false,
      second: true,
    });
    await second.endRemoval();
    expect({ whole: wholeSpares(), a: isThere('a'), b: isThere('b') }).toEqual({
      whole: 1,
      a: true,
      b: false,
    });
  });

  it('W21: does not take one that is in use, and says so when there is no other', async () => {
    const locks: FileLock[] = [];
    for (let n = 0; n < 8; n++) locks.push(await holdForRemoval(`c${n}`));
    expect(await new FileLock(fileOf('a'), spares).prepareRemovalFromSpare(signal)).toBe(false);
    await Promise.all(locks.map((lock) => lock.endRemoval()));
    expect(wholeSpares()).toBe(8);
  });

  it('W21: replaces those of an earlier build, and one whose lock folder is lost', async () => {
    for (const name of spareNames())
      fs.renameSync(join(root, 'spare', name, 'slot'), join(root, 'spare', name, name));
    await new SpareFolders(fileOf('spare'), disk).refill();
    expect({ whole: wholeSpares(), all: spareNames().length }).toEqual({ whole: 8, all: 8 });

    for (let n = 0; n < 8; n++) await holdForRemoval(`c${n}`);
    for (let n = 0; n < 8; n++) fs.rmSync(fileOf(`c${n}.lock`), { recursive: true });
    for (const name of spareNames()) fs.utimesSync(fileOf(join('spare', name)), 0, 0);
    await new FileLock(fileOf('a'), spares).prepareRemovalFromSpare(signal);
    await spares.refill();
    expect({ whole: wholeSpares(), all: spareNames().length }).toEqual({ whole: 8, all: 8 });
  });
});
