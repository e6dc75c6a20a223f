import { type FileHandle, mkdir, open, rmdir, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Error codes of systems that cannot flush a folder: Windows, and some network file systems. */
const NO_FOLDER_SYNC = new Set(['EISDIR', 'EPERM', 'EINVAL', 'ENOTSUP']);
/** Error codes of a file system, or a quota, without space or inodes. */
const DISK_FULL = new Set(['ENOSPC', 'EDQUOT']);

/** Creates files and folders durably. */
export class Disk {
  readonly #ensured = new Set<string>();

  /** @param durable whether writes must survive a power failure */
  constructor(readonly durable: boolean) {}

  /** Creates a file, complete and flushed. @param time its modification time, in seconds */
  async create(path: string, text: string, time: number): Promise<void> {
    await using(await open(path, 'wx', 0o600), async (file) => {
      await file.writeFile(text);
      await file.utimes(time, time);
      if (this.durable) await file.sync();
    });
  }

  /** Creates a folder durably if it is missing. Remembers existing folders and does not check them again. */
  async ensureFolder(path: string): Promise<void> {
    if (this.#ensured.has(path)) return;
    await succeedsUnless(['EEXIST'], mkdir(path, { mode: 0o700 }));
    await this.syncFolder(dirname(path)); // another process may have created it and not flushed it yet
    this.#ensured.add(path);
  }

  /** Creates a folder, and its parent if that is missing. */
  async createFolder(path: string): Promise<void> {
    const parent = dirname(path);
    await this.ensureFolder(parent);
    if (await succeedsUnless(['ENOENT'], mkdir(path, { mode: 0o700 }))) return;
    this.#ensured.delete(parent); // another process has removed it
    await this.ensureFolder(parent);
    await mkdir(path, { mode: 0o700 });
  }

  /** Flushes the list of names in a folder. */
  async syncFolder(path: string): Promise<void> {
    if (!this.durable) return;
    try {
      await using(await open(path, 'r'), (folder) => folder.sync());
    } catch (error) {
      if (!NO_FOLDER_SYNC.has(codeOf(error))) throw error;
    }
  }
}

/** Resolves `false` when the file was missing. */
export function removeFile(path: string): Promise<boolean> {
  return succeedsUnless(['ENOENT'], unlink(path));
}

/** Resolves `false` when the folder was missing or not empty. */
export function removeFolder(path: string): Promise<boolean> {
  return succeedsUnless(['ENOENT', 'ENOTEMPTY', 'EEXIST'], rmdir(path));
}

/** `true` when the work succeeded, `false` when it failed with one of these codes. Rejects for any other error. */
export async function succeedsUnless(codes: readonly string[], work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (codes.includes(codeOf(error))) return false;
    throw error;
  }
}

/** The result of the work; `null` when its file or folder is missing. */
export function nullIfMissing<T>(work: Promise<T>): Promise<T | null> {
  return nullIf(['ENOENT'], work);
}

/** The result of the work; `null` when it failed with one of these codes. Rejects for any other error. */
export async function nullIf<T>(codes: readonly string[], work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (codes.includes(codeOf(error))) return null;
    throw error;
  }
}

export function isFullDisk(error: unknown): boolean {
  return DISK_FULL.has(codeOf(error));
}

/** The system's error code, such as `ENOSPC`; `''` when there is none. */
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
