import { randomUUID } from 'node:crypto';
import { access, constants, mkdir, readFile, readdir, rename } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { newSessionId } from '../../core/session-token';
import { SessionError } from '../../core/session.errors';
import { FileLock, cancelAttempt } from './file-lock';
import { type Disk, codeOf, isFullDisk, nullIfMissing, succeedsUnless } from './disk';
import { ownershipProblem, linkOwnershipProblem } from './folder-owner';
import { inBatches } from './in-batches';
import { parentsProblem } from './parent-folders';
import type { SpareFolders } from './spare-folders';
import { type StoreLayout, shardsOf } from './store-layout';

const FORMAT_LINE = /^tessera-sessions (\d{1,9})\n$/;
/** The content of the file 'format' that this release writes. */
const FORMAT_TEXT = 'tessera-sessions 1\n';

/** Names allowed in a new directory: hidden files, and the folder that a fresh file system has. */
const HARMLESS = /^(?:\..*|lost\+found)$/;

/** The preparation, before the application starts, is never aborted. */
const NEVER = new AbortController().signal;

/**
 * Creates the directory and its folders where they are missing, and checks that the store can work in them.
 * @throws SessionError `SESSION_OPTIONS_INVALID`, `SESSION_SCHEMA_INVALID`
 */
export async function prepareDirectory(
  layout: StoreLayout,
  disk: Disk,
  spares: SpareFolders,
  trustsParents: boolean,
): Promise<void> {
  try {
    if (!trustsParents) await throwIfUnsafe(parentsProblem(layout.root), layout.root);
    await makeRoot(layout.root, disk);
    // Another user may have made a folder on the way in the meantime.
    if (!trustsParents) await throwIfUnsafe(parentsProblem(layout.root), layout.root);
    await throwIfUnsafe(linkOwnershipProblem(layout.root), layout.root);
    await checkFormat(layout, disk);
    await makeFolders(layout, disk);
    await spares.refill();
    await checkLocking(layout, disk, spares);
  } catch (error) {
    throw toDirectoryError(layout.root, error);
  }
}

/** Creates the directory and flushes each new level, as far as this process has read access. */
async function makeRoot(root: string, disk: Disk): Promise<void> {
  const first = await mkdir(root, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = root; made.length >= first.length; made = dirname(made))
    await succeedsUnless(['EACCES'], disk.syncFolder(dirname(made)));
}

async function checkFormat({ root, format }: StoreLayout, disk: Disk): Promise<void> {
  const written = await nullIfMissing(readFile(format, 'utf8'));
  if (written === FORMAT_TEXT) return;
  if (written !== null) throw formatError(root, Number(FORMAT_LINE.exec(written)?.[1] ?? 0) > 1);
  const foreign = (await readdir(root)).filter((name) => !HARMLESS.test(name));
  // Another process may have prepared the directory in the meantime.
  if (foreign.length > 0 && (await nullIfMissing(access(format))) === null)
    throw foreignFilesError(root, foreign);
  const draft = join(root, `.format.${randomUUID()}`);
  await disk.create(draft, FORMAT_TEXT, 0);
  await rename(draft, format);
}

async function makeFolders({ root, sessions, principals, spare }: StoreLayout, disk: Disk): Promise<void> {
  for (const parent of [sessions, principals, spare]) {
    try {
      await disk.ensureFolder(parent);
    } catch (error) {
      if (parent === spare && isFullDisk(error)) continue; // an earlier build made none; the application has to start
      throw error;
    }
    const folders = (await shardsOf(parent)).map((shard) => join(parent, shard));
    await inBatches([parent, ...folders], NEVER, async (path) => {
      await throwIfUnsafe(ownershipProblem(path), root, path);
      await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    });
  }
}

/**
 * Runs an attempt up to the lock, without a commit, to check that changes are possible. A full disk is accepted: the application has to
 * start, so that it sweeps.
 */
async function checkLocking(layout: StoreLayout, disk: Disk, spares: SpareFolders): Promise<void> {
  const file = layout.session(newSessionId());
  const lock = new FileLock(file, spares);
  try {
    await lock.prepare(disk, '', 0);
    await lock.acquire(AbortSignal.timeout(10_000));
  } catch (error) {
    if (!isFullDisk(error)) throw error;
  } finally {
    await cancelAttempt(file, lock.nonce, spares);
  }
}

function toDirectoryError(root: string, error: unknown): unknown {
  switch (codeOf(error)) {
    case 'EEXIST':
    case 'ENOTDIR':
      return directoryError(root, 'is not a directory, or its parent is not one. Choose another path');
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return directoryError(
        root,
        `cannot be created or written by this process (${codeOf(error)}). Give its user the right to, or choose another directory`,
      );
    default:
      return error;
  }
}

function foreignFilesError(root: string, foreign: readonly string[]): SessionError {
  const some = foreign
    .slice(0, 3)
    .map((name) => JSON.stringify(name))
    .join(', ');
  return directoryError(
    root,
    `holds other files (${some}) and no sessions. Give the store a directory of its own`,
  );
}

function formatError(root: string, isNewer: boolean): SessionError {
  return new SessionError(
    'SESSION_SCHEMA_INVALID',
    isNewer
      ? `The directory ${root} was written by a newer release. Install that release, or give FileSessionStore another directory.`
      : `The file 'format' in ${root} is damaged, or another program wrote it. If the directory holds sessions, write '${FORMAT_TEXT.trim()}' and a line break into the file; otherwise choose another directory.`,
  );
}

async function throwIfUnsafe(problem: Promise<string | null>, root: string, path = root): Promise<void> {
  const found = await problem;
  if (found === null) return;
  throw directoryError(
    root,
    path === root ? found : `has an entry ${JSON.stringify(relative(root, path))} that ${found}`,
  );
}

function directoryError(root: string, reason: string): SessionError {
  return new SessionError(
    'SESSION_OPTIONS_INVALID',
    `The directory ${JSON.stringify(root)} of FileSessionStore ${reason}.`,
  );
}
