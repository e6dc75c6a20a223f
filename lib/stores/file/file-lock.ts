import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Disk, codeOf, nullIfMissing, removeFile, removeFolder, succeedsUnless } from './disk';

/** How long one attempt may stand in the way of another, in milliseconds; its own part in it takes less than one. */
const LOCK_TIMEOUT = 250;
/** Longest pause between two looks at who stands there, in milliseconds. */
const LONGEST_PAUSE = 16;

/** How the folder of a removal is told from the new file of a change, and what the removed file is called there. */
const REMOVAL_SUFFIX = '.bin';
const REMOVED = 'removed';

/** How a system refuses to put one folder in the place of another. */
const LOCK_HELD = process.platform === 'win32' ? ['EPERM', 'EACCES', 'EEXIST'] : ['ENOTEMPTY', 'EEXIST'];

/**
 * One attempt to replace a file, among others from this and other processes, any of which may be stopped or killed at any point.
 *
 * The new file is written into a folder of its own, under a name that no attempt ever has again. To *acquire*, that folder is renamed to
 * `<file>.lock`, which works only while no folder with something in it is there. To *commit*, the new file is renamed from there over
 * the old one; this empties the folder, and so lets the next one in. Hence:
 *
 * - Between entering and committing nobody else can commit: it takes a file in `<file>.lock`, and there is one such folder.
 * - Whoever stands in the way too long, because it was killed or stopped, is put out by removing its file. That is one atomic step
 *   which hits that attempt and no other, however late it comes. If the attempt wakes, it finds nothing to commit, and begins again.
 *
 * So nobody has to know whether another process lives, and a write that lands late changes nothing.
 *
 * A removal does the same the other way round: an empty folder takes the place of the new file, and to commit is to rename the file into
 * it. A removed folder takes nothing in, so whoever was put out cannot rename; and whoever was not stands in `<file>.lock`, hence
 * nobody has committed since it looked at the file. An unlink by path would hit whatever is there by then.
 */
export class FileLock {
  readonly nonce: string = randomUUID();
  readonly #draftFolder: string;
  readonly #lockFolder: string;

  /** @param file what is to be replaced, or made */
  constructor(private readonly file: string) {
    this.#draftFolder = draftFolder(file, this.nonce);
    this.#lockFolder = lockFolder(file);
  }

  /** Writes the new file. `false` when somebody has put this attempt out. */
  async prepare(disk: Disk, text: string, time: number): Promise<boolean> {
    await disk.createFolder(this.#draftFolder);
    return succeedsUnless(['ENOENT'], disk.create(join(this.#draftFolder, this.nonce), text, time));
  }

  /** Prepares a removal instead. `false` when somebody has put this attempt out. */
  async prepareRemoval(disk: Disk): Promise<boolean> {
    await disk.createFolder(this.#draftFolder);
    return succeedsUnless(['ENOENT'], mkdir(removalFolder(this.#draftFolder, this.nonce), { mode: 0o700 }));
  }

  /**
   * Waits until the way is free. `false` when somebody has put this attempt out.
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
      else if (performance.now() - seen.since > LOCK_TIMEOUT) await cancelAttempt(this.file, holder);
      await pause(Math.min(2 ** attempt, LONGEST_PAUSE) * (0.5 + Math.random()), undefined, { signal });
    }
  }

  /** Puts the new file in the place of the old. `false` when somebody has put this attempt out. */
  async commit(): Promise<boolean> {
    const committed = await succeedsUnless(['ENOENT'], rename(join(this.#lockFolder, this.nonce), this.file));
    await removeFolder(this.#lockFolder);
    return committed;
  }

  /** Takes the file away; {@link cancelAttempt} then removes it. `false` when somebody has put this attempt out. */
  commitRemoval(): Promise<boolean> {
    return succeedsUnless(
      ['ENOENT'],
      rename(this.file, join(removalFolder(this.#lockFolder, this.nonce), REMOVED)),
    );
  }
}

/**
 * Puts an attempt out, whoever's it is: when this is done, it has committed already or never will. What it commits with is looked
 * for in the order in which it moves, so that it cannot be missed.
 */
export async function cancelAttempt(file: string, nonce: string): Promise<void> {
  for (const folder of [draftFolder(file, nonce), lockFolder(file)]) {
    await removeFile(join(folder, nonce));
    await removeFile(join(removalFolder(folder, nonce), REMOVED));
    await removeFolder(removalFolder(folder, nonce));
    await removeFolder(folder);
  }
}

/** The attempt that has entered, if any. */
export async function lockHolders(file: string): Promise<string[]> {
  const names = (await nullIfMissing(readdir(lockFolder(file)))) ?? [];
  return names.map((name) => basename(name, REMOVAL_SUFFIX));
}

/** Where an attempt's new file may be, in the order in which it moves. */
export function newFilePaths(file: string, nonce: string): string[] {
  return [join(draftFolder(file, nonce), nonce), join(lockFolder(file), nonce)];
}

function draftFolder(file: string, nonce: string): string {
  return `${file}.${nonce}`;
}

/** Where a removal puts the file. */
function removalFolder(folder: string, nonce: string): string {
  return join(folder, `${nonce}${REMOVAL_SUFFIX}`);
}

function lockFolder(file: string): string {
  return `${file}.lock`;
}
