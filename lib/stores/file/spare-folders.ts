import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { KeyedQueue } from '../../core/keyed-queue';
import { type Disk, isFullDisk, nullIfMissing, removeFolder, succeedsUnless } from './disk';

/** How many are kept. A removal needs one. A process that is killed in a removal may lose one. */
const SPARES = 8;
/** How long a removal waits for one that is in use, in milliseconds. */
const PATIENCE = 500;
/** How long a removal waits for its turn in this process, in milliseconds. The deadline of its call is shorter. */
const TURN_TIMEOUT = 60_000;

/**
 * Folders made in advance, each with an empty folder in it: what a removal needs instead of a new file (see `FileLock`). On a full disk
 * a removal takes one of them, so that it needs neither space nor an inode.
 *
 * A spare that is taken stays among the spares until its attempt acquires the lock. Another process may take it away until then; this
 * cancels the attempt, which starts over. So a killed process loses no spare before it holds the lock.
 */
export class SpareFolders {
  readonly #queue = new KeyedQueue(TURN_TIMEOUT);
  #isComplete = false;

  constructor(
    private readonly folder: string,
    private readonly disk: Disk,
  ) {}

  /** Makes the missing ones, as far as there is space. Returns at once while none has been taken. */
  async refill(): Promise<void> {
    if (this.#isComplete) return;
    this.#isComplete = true; // unless one is taken meanwhile
    try {
      const found = (await nullIfMissing(readdir(this.folder))) ?? [];
      for (let n = found.length; n < SPARES; n++) await this.#make(randomUUID());
    } catch (error) {
      this.#isComplete = false;
      if (!isFullDisk(error)) throw error;
    }
  }

  /** Runs work that takes one, one at a time in this process, so that its removals do not take the spares of each other. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#queue.run('', work);
  }

  /**
   * Takes one, names the folder in it, and returns its path. Waits for a moment when all are in use; `null` when there is none.
   * @throws AbortError
   */
  async take(nonce: string, nameWithin: string, signal: AbortSignal): Promise<string | null> {
    this.#isComplete = false;
    for (const since = performance.now(); performance.now() - since < PATIENCE; await pause(10)) {
      signal.throwIfAborted();
      const taken = await this.#takeOne(nonce, nameWithin);
      if (taken !== null) return taken;
    }
    return null;
  }

  async #takeOne(nonce: string, nameWithin: string): Promise<string | null> {
    const taken = join(this.folder, nonce);
    for (const name of (await nullIfMissing(readdir(this.folder))) ?? []) {
      if (!(await succeedsUnless(['ENOENT'], rename(join(this.folder, name), taken)))) continue;
      const within = (await nullIfMissing(readdir(taken)))?.[0];
      if (within === undefined)
        await removeFolder(taken); // a process was killed while it made this one
      else if (await succeedsUnless(['ENOENT'], rename(join(taken, within), join(taken, nameWithin))))
        return taken;
    }
    return null;
  }

  async #make(name: string): Promise<void> {
    const path = join(this.folder, name);
    await this.disk.createFolder(path);
    try {
      await succeedsUnless(['ENOENT'], mkdir(join(path, name), { mode: 0o700 }));
    } catch (error) {
      await removeFolder(path);
      throw error;
    }
  }
}
