import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Disk, codeOf, nullIfMissing, removeFile, removeFolder, succeedsUnless } from './disk';
import type { SpareFolders } from './spare-folders';

/** How long one attempt may hold the lock before another breaks it, in milliseconds. An undisturbed attempt needs less than 1. */
const LOCK_TIMEOUT = 250;
/** Longest pause between two tries to acquire the lock, in milliseconds. */
const LONGEST_PAUSE = 16;

/** Suffix of the folder that a removal uses in place of a new file, and the name of the removed file in it. */
const REMOVAL_SUFFIX = '.bin';
const REMOVED = 'removed';

/** Error codes of renaming a file onto a folder. */
const IS_FOLDER = process.platform === 'win32' ? ['EPERM', 'EACCES', 'EEXIST'] : ['EISDIR'];
/** Error codes of renaming a folder onto a folder that is not empty. */
const LOCK_HELD = process.platform === 'win32' ? ['EPERM', 'EACCES', 'EEXIST'] : ['ENOTEMPTY', 'EEXIST'];

/**
 * The lock of one attempt to replace a file. Attempts of this and other processes compete; any of them may be stopped or killed at any
 * point.
 *
 * Prepare: the attempt writes the new file into its own folder, under a nonce that is never reused. Acquire: it renames that folder to
 * `<file>.lock`, which succeeds only while `<file>.lock` is absent or empty. Commit: it renames the new file from there over the old
 * one. This empties the folder and thereby releases the lock. Hence:
 *
 * - Between acquire and commit no other attempt can commit: a commit needs a file in `<file>.lock`, and there is one such folder.
 * - An attempt that holds the lock for too long, because it was killed or stopped, is canceled by removing its new file. That is one
 *   atomic step which affects that attempt only, however late it happens. If the attempt resumes, it finds no file to commit, and starts over.
 *
 * So no process needs to know whether another one is alive, and a late commit changes nothing.
 *
 * A removal works in reverse: the attempt prepares an empty folder instead of a new file, and commits by renaming the file into that
 * folder. A canceled attempt has no folder, so its rename fails. An attempt that is not canceled holds the lock, so no other attempt has
 * committed since it read the file. Unlinking by path instead could remove a newer file. On a full disk a removal uses folders made in
 * advance, and is canceled by giving them back (see `SpareFolders`).
 */
export class FileLock {
  readonly nonce: string = randomUUID();
  #draftFolder: string;
  readonly #lockFolder: string;
  /** The path to which a removal moves the file. */
  #removed: string;
  #usesSpare = false;

  /** @param file the file to replace or create */
  constructor(
    private readonly file: string,
    private readonly spares: SpareFolders,
  ) {
    this.#draftFolder = draftFolder(file, this.nonce);
    this.#lockFolder = lockFolder(file);
    this.#removed = removedFile(this.#lockFolder, this.nonce);
  }

  /** Writes the new file. `false` when this attempt was canceled. */
  async prepare(disk: Disk, text: string, time: number): Promise<boolean> {
    await disk.createFolder(this.#draftFolder);
    return succeedsUnless(['ENOENT'], disk.create(join(this.#draftFolder, this.nonce), text, time));
  }

  /** Prepares a removal instead of a new file. `false` when this attempt was canceled. */
  async prepareRemoval(disk: Disk): Promise<boolean> {
    await disk.createFolder(this.#draftFolder);
    return succeedsUnless(['ENOENT'], mkdir(removalFolder(this.#draftFolder, this.nonce), { mode: 0o700 }));
  }

  /** The same with folders that exist already, for a full disk. `false` when there are none. */
  async prepareRemovalFromSpare(signal: AbortSignal): Promise<boolean> {
    this.#usesSpare = await this.spares.take(this.nonce, this.nonce + REMOVAL_SUFFIX, signal);
    if (this.#usesSpare) this.#draftFolder = this.#removed = this.spares.slotOf(this.nonce);
    return this.#usesSpare;
  }

  /**
   * Waits for the lock, and breaks it when its holder exceeds the timeout. `false` when this attempt was canceled.
   * @throws AbortError
   */
  async acquire(signal: AbortSignal): Promise<boolean> {
    let seen = { holder: '', since: 0 };
    for (let attempt = 0; ; attempt++) {
      try {
        await rename(this.#draftFolder, this.#lockFolder);
        return true;
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return false;
        if (!LOCK_HELD.includes(codeOf(error))) throw error;
      }
      const holder = (await lockHolders(this.file))[0] ?? '';
      if (holder !== seen.holder) seen = { holder, since: performance.now() };
      else if (holder === '') await removeFolder(this.#lockFolder);
      else if (performance.now() - seen.since > LOCK_TIMEOUT)
        await cancelAttempt(this.file, holder, this.spares);
      await pause(Math.min(2 ** attempt, LONGEST_PAUSE) * (0.5 + Math.random()));
      signal.throwIfAborted();
    }
  }

  /** Replaces the old file with the new one. `false` when this attempt was canceled. */
  async commit(): Promise<boolean> {
    const committed = await succeedsUnless(['ENOENT'], rename(join(this.#lockFolder, this.nonce), this.file));
    await removeFolder(this.#lockFolder);
    return committed;
  }

  /** Moves the file out of its place; {@link endRemoval} then deletes it. `false` when this attempt was canceled. */
  commitRemoval(): Promise<boolean> {
    return succeedsUnless(['ENOENT', ...IS_FOLDER], rename(this.file, this.#removed));
  }

  /** Cancels the removal if it has not committed, and releases the lock. */
  async endRemoval(): Promise<void> {
    await cancelAttempt(this.file, this.nonce, this.spares);
    if (this.#usesSpare) await this.spares.release(this.nonce);
    await this.spares.refill();
  }
}

/**
 * Cancels an attempt of any process: afterwards it has committed already or never will. Looks for its new file in the order in which the
 * file moves, so that it cannot be missed.
 */
export async function cancelAttempt(file: string, nonce: string, spares: SpareFolders): Promise<void> {
  if (await spares.giveBack(lockFolder(file), nonce)) return;
  for (const folder of [draftFolder(file, nonce), lockFolder(file)]) {
    await removeFile(join(folder, nonce));
    await removeFile(removedFile(folder, nonce));
    await removeFolder(removalFolder(folder, nonce));
    await removeFolder(folder);
  }
}

/** The nonces of the attempts that hold the lock: one or none. */
export async function lockHolders(file: string): Promise<string[]> {
  const names = (await nullIfMissing(readdir(lockFolder(file)))) ?? [];
  return names.map((name) => basename(name, REMOVAL_SUFFIX));
}

/** The possible paths of an attempt's new file, in the order in which the file moves, and those of a file that it has removed. */
export function attemptPaths(file: string, nonce: string, spares: SpareFolders): string[] {
  const lock = lockFolder(file);
  const removed = [removedFile(lock, nonce), spares.slotOf(nonce)];
  return [join(draftFolder(file, nonce), nonce), join(lock, nonce), ...removed];
}

function draftFolder(file: string, nonce: string): string {
  return `${file}.${nonce}`;
}

/** The folder into which a removal moves the file. */
function removalFolder(folder: string, nonce: string): string {
  return join(folder, `${nonce}${REMOVAL_SUFFIX}`);
}

function removedFile(folder: string, nonce: string): string {
  return join(removalFolder(folder, nonce), REMOVED);
}

function lockFolder(file: string): string {
  return `${file}.lock`;
}
