import { type FileHandle, mkdir, open, rmdir, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Systems that cannot flush a folder say so in one of these ways: Windows, and some network file systems. */
const NO_FOLDER_SYNC = new Set(['EISDIR', 'EPERM', 'EINVAL', 'ENOTSUP']);

/** Writing so that it lasts. */
export class Disk {
  readonly #ensured = new Set<string>();

  /** @param durable whether what is written must outlast a power failure */
  constructor(readonly durable: boolean) {}

  /** A new file, complete and flushed. @param time what it is dated, in seconds */
  async create(path: string, text: string, time: number): Promise<void> {
    await using(await open(path, 'wx', 0o600), async (file) => {
      await file.writeFile(text);
      await file.utimes(time, time);
      if (this.durable) await file.sync();
    });
  }

  /** Sees to it that a folder is there, and stays. One that was seen is not looked for again. */
  async ensureFolder(path: string): Promise<void> {
    if (this.#ensured.has(path)) return;
    await succeedsUnless(['EEXIST'], mkdir(path, { mode: 0o700 }));
    await this.syncFolder(dirname(path)); // whoever made it may not have come to that yet
    this.#ensured.add(path);
  }

  /** A new folder in one that is there, or is made. */
  async createFolder(path: string): Promise<void> {
    const parent = dirname(path);
    await this.ensureFolder(parent);
    if (await succeedsUnless(['ENOENT'], mkdir(path, { mode: 0o700 }))) return;
    this.#ensured.delete(parent); // somebody has removed it
    await this.ensureFolder(parent);
    await mkdir(path, { mode: 0o700 });
  }

  /** Flushes which names are in a folder. */
  async syncFolder(path: string): Promise<void> {
    if (!this.durable) return;
    try {
      await using(await open(path, 'r'), (folder) => folder.sync());
    } catch (error) {
      if (!NO_FOLDER_SYNC.has(codeOf(error))) throw error;
    }
  }
}

/** Says whether it was there. */
export function removeFile(path: string): Promise<boolean> {
  return succeedsUnless(['ENOENT'], unlink(path));
}

/** Says whether it was there, and empty. */
export function removeFolder(path: string): Promise<boolean> {
  return succeedsUnless(['ENOENT', 'ENOTEMPTY', 'EEXIST'], rmdir(path));
}

/** Whether it was done, or could not be for one of these reasons. */
export async function succeedsUnless(codes: readonly string[], work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (codes.includes(codeOf(error))) return false;
    throw error;
  }
}

/** What the work gives, or `null` when what it is about is not there. */
export async function nullIfMissing<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** The system's own code, such as `ENOSPC`. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

async function using(handle: FileHandle, work: (handle: FileHandle) => Promise<void>): Promise<void> {
  try {
    await work(handle);
  } finally {
    await handle.close();
  }
}
