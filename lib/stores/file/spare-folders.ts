import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../core/clock';
import { KeyedQueue } from '../../core/keyed-queue';
import { type Disk, codeOf, isFullDisk, nullIf, nullIfMissing, removeFile, succeedsUnless } from './disk';
import { isNonce } from './store-layout';

/** How many are kept. A removal uses one. */
const SPARES = 8;
/** How long a removal waits for one that is in use, in milliseconds. */
const PATIENCE = 500;
/** How long a removal waits for its turn in this process, in milliseconds. The deadline of its call is shorter. */
const TURN_TIMEOUT = 60_000;

/** Suffix of a spare in use; the name before it is the nonce of its attempt. */
const TAKEN = '.taken';
/** What a spare holds: its lock folder, or the session file that was removed with it. */
const SLOT = 'slot';
/** Age from which a taken spare with its lock folder in it is taken again, in milliseconds. Its process was killed, or its lock broken. */
const ABANDONED_AGE = 60_000;
/** The same for one without its lock folder, which a sweep has not found in this time. */
const LOST_AGE = 3_600_000;

/** Error codes of renaming a folder onto a file, or onto a folder that is not empty. */
const OCCUPIED =
  process.platform === 'win32' ? ['EPERM', 'EACCES', 'EEXIST'] : ['ENOTDIR', 'ENOTEMPTY', 'EEXIST'];
/** Error codes of unlinking a folder. */
const IS_FOLDER = ['EISDIR', 'EPERM'];
/** How often a lock is renamed to its slot at most. On POSIX systems twice is enough. */
const RENAMES = 10;

/**
 * Folders made in advance, for removals on a full disk: with them a removal needs neither space nor an inode, and it gives back what it
 * took. A spare is a folder with a `slot` in it; the slot is a folder that is not empty, which becomes the lock (see `FileLock`).
 *
 * Take: the attempt renames the spare, so that its path contains the attempt's nonce, which is never reused, and renames what is in the
 * slot. Acquire: it renames the slot to `<file>.lock`. Commit: it renames the file to the slot. Then it unlinks that file, and renames
 * `<file>.lock` back to the slot. All this is done by the paths of this attempt, and the slot decides what has happened:
 *
 * - While the spare has the attempt's name and an empty place for the slot, `<file>.lock` is this attempt's folder: the folder is
 *   never empty, so that no other attempt can replace it, and the only way to leave that path leads to the slot.
 * - Another process cancels the attempt by renaming `<file>.lock` to the slot. The lock folder is then in the way of a commit, and a file
 *   that was committed before is in the way of the cancellation. It is one atomic step, which also releases the lock and gives back the
 *   folder. It affects this attempt only, however late it happens: afterwards the slot is not empty, or the spare has another name.
 *
 * A spare that is left behind with a complete slot, by a killed process or a canceled attempt, is taken again after a minute, when no
 * system call of that attempt can be in progress any more.
 */
export class SpareFolders {
  readonly #queue = new KeyedQueue(TURN_TIMEOUT);
  #isComplete = false;

  constructor(
    private readonly folder: string,
    private readonly disk: Disk,
  ) {}

  /** Makes the missing ones, as far as there is space. Returns at once while none is missing. */
  async refill(): Promise<void> {
    if (this.#isComplete) return;
    this.#isComplete = true; // unless one is lost meanwhile
    try {
      const { idle, taken } = await this.#list();
      let count = taken.length;
      for (const name of idle) if (await this.#isUsable(name)) count++;
      for (; count < SPARES; count++) await this.#make();
    } catch (error) {
      this.#isComplete = false;
      if (!isFullDisk(error)) throw error;
    }
  }

  /** Runs work that takes one, one at a time in this process, so that it does not use up those of other processes. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#queue.run('', work);
  }

  /**
   * Takes one for an attempt, and names what is in its slot. Waits for a moment when all are in use; `false` when there is none.
   * @throws AbortError
   */
  async take(nonce: string, nameWithin: string, signal: AbortSignal): Promise<boolean> {
    for (const since = performance.now(); performance.now() - since < PATIENCE; await pause(10)) {
      signal.throwIfAborted();
      if (await this.#takeOne(nonce, nameWithin)) return true;
    }
    this.#isComplete = false;
    return false;
  }

  /** The slot of the spare that an attempt has taken. */
  slotOf(nonce: string): string {
    return join(this.#pathOf(nonce), SLOT);
  }

  /**
   * Renames the lock of an attempt back to its slot, which cancels the attempt if it has not committed, and releases the lock. `false`
   * when the attempt does not hold the lock, or holds it without a spare.
   */
  async giveBack(lockFolder: string, nonce: string): Promise<boolean> {
    const slot = this.slotOf(nonce);
    for (let renames = 1; ; renames++) {
      try {
        await rename(lockFolder, slot);
        return true;
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return false;
        if (!OCCUPIED.includes(codeOf(error)) || renames === RENAMES) throw error;
      }
      // A committed file is in the way, or another process has renamed the lock first.
      if (!(await succeedsUnless(IS_FOLDER, removeFile(slot)))) return false;
    }
  }

  /** Ends the use of the spare by its own attempt, whose lock is given back. */
  async release(nonce: string): Promise<void> {
    const path = this.#pathOf(nonce);
    const isWhole = (await contentOf(path)) !== undefined;
    if (isWhole && (await succeedsUnless(['ENOENT'], rename(path, join(this.folder, randomUUID()))))) return;
    this.#isComplete = false;
    await rm(path, { recursive: true, force: true });
  }

  async #takeOne(nonce: string, nameWithin: string): Promise<boolean> {
    const slot = this.slotOf(nonce);
    for (const name of await this.#available()) {
      if (!(await succeedsUnless(['ENOENT'], this.#rename(name, nonce)))) continue;
      const within = await contentOf(this.#pathOf(nonce));
      const named = within !== undefined && rename(join(slot, within), join(slot, nameWithin));
      if (named && (await succeedsUnless(['ENOENT'], named))) return true;
      await this.release(nonce);
    }
    return false;
  }

  async #rename(name: string, nonce: string): Promise<void> {
    const [path, now] = [join(this.folder, name), systemClock() / 1000];
    await utimes(path, now, now); // first, so that it is never taken for one left behind
    await rename(path, this.#pathOf(nonce));
  }

  /** The names of those that can be taken: those not in use, or, when there is none, those left behind. */
  async #available(): Promise<string[]> {
    const { idle, taken } = await this.#list();
    if (idle.length > 0) return idle;
    const abandoned: string[] = [];
    for (const name of taken) {
      const path = join(this.folder, name);
      const found = await nullIfMissing(stat(path));
      const age = found === null ? 0 : systemClock() - found.mtimeMs;
      if (age < ABANDONED_AGE) continue;
      if (age > LOST_AGE || (await contentOf(path)) !== undefined) abandoned.push(name);
    }
    return abandoned;
  }

  async #list(): Promise<{ idle: string[]; taken: string[] }> {
    const names = (await nullIfMissing(readdir(this.folder))) ?? [];
    return {
      idle: names.filter(isNonce),
      taken: names.filter((name) => name.endsWith(TAKEN) && isNonce(basename(name, TAKEN))),
    };
  }

  /** Removes one without a slot, as an earlier build made them. */
  async #isUsable(name: string): Promise<boolean> {
    const path = join(this.folder, name);
    if ((await contentOf(path)) !== undefined) return true;
    if ((await nullIfMissing(stat(path))) === null) return true; // taken meanwhile
    await rm(path, { recursive: true, force: true });
    return false;
  }

  async #make(): Promise<void> {
    const nonce = randomUUID();
    const slot = this.slotOf(nonce);
    try {
      await this.disk.createFolder(this.#pathOf(nonce));
      await mkdir(slot, { mode: 0o700 });
      await mkdir(join(slot, nonce), { mode: 0o700 });
    } finally {
      await this.release(nonce);
    }
  }

  #pathOf(nonce: string): string {
    return join(this.folder, nonce + TAKEN);
  }
}

/** What is in the slot of a spare; `undefined` when its lock folder is not there. */
async function contentOf(spare: string): Promise<string | undefined> {
  return (await nullIf(['ENOENT', 'ENOTDIR'], readdir(join(spare, SLOT))))?.[0];
}
