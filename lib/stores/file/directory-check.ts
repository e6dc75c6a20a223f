import { randomUUID } from 'node:crypto';
import { access, constants, mkdir, readFile, readdir, rename } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { newSessionId } from '../../core/session-token';
import { SessionError } from '../../core/session.errors';
import { FileLock, cancelAttempt } from './file-lock';
import { type Disk, codeOf, nullIfMissing, succeedsUnless } from './disk';
import { ownershipProblem, linkOwnershipProblem } from './folder-owner';
import { inBatches } from './in-batches';
import { type StoreLayout, shardsOf } from './store-layout';

const FORMAT_LINE = /^tessera-sessions (\d{1,9})\n$/;
const CURRENT = 'tessera-sessions 1\n';

/** What may stand in a directory that is new to us: hidden files, and what a fresh disk has. */
const HARMLESS = /^(?:\..*|lost\+found)$/;

/** Nobody gives up what is done once, before the application starts. */
const NEVER = new AbortController().signal;

/**
 * Makes the directory what the store needs, or says why it cannot be.
 * @throws SessionError `SESSION_OPTIONS_INVALID`, `SESSION_SCHEMA_INVALID`
 */
export async function prepareDirectory(layout: StoreLayout, disk: Disk): Promise<void> {
  try {
    await makeRoot(layout.root, disk);
    await throwIfUnsafe(linkOwnershipProblem(layout.root), layout.root);
    await checkFormat(layout, disk);
    await makeFolders(layout, disk);
    await checkLocking(layout, disk);
  } catch (error) {
    throw toDirectoryError(layout.root, error);
  }
}

/** Flushed up to where there was something before, as far as this process may look. */
async function makeRoot(root: string, disk: Disk): Promise<void> {
  const first = await mkdir(root, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = root; made.length >= first.length; made = dirname(made))
    await succeedsUnless(['EACCES'], disk.syncFolder(dirname(made)));
}

async function checkFormat({ root, format }: StoreLayout, disk: Disk): Promise<void> {
  const written = await nullIfMissing(readFile(format, 'utf8'));
  if (written === CURRENT) return;
  if (written !== null) throw formatError(root, Number(FORMAT_LINE.exec(written)?.[1] ?? 0) > 1);
  const foreign = (await readdir(root)).filter((name) => !HARMLESS.test(name));
  // Another process may have made it ours meanwhile.
  if (foreign.length > 0 && (await nullIfMissing(access(format))) === null)
    throw foreignFilesError(root, foreign);
  const draft = join(root, `.format.${randomUUID()}`);
  await disk.create(draft, CURRENT, 0);
  await rename(draft, format);
}

async function makeFolders({ root, sessions, principals }: StoreLayout, disk: Disk): Promise<void> {
  for (const parent of [sessions, principals]) {
    await disk.ensureFolder(parent);
    const folders = (await shardsOf(parent)).map((shard) => join(parent, shard));
    await inBatches([parent, ...folders], NEVER, async (path) => {
      await throwIfUnsafe(ownershipProblem(path), root, path);
      await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    });
  }
}

/** Whether changes can be made here, short of making one. */
async function checkLocking(layout: StoreLayout, disk: Disk): Promise<void> {
  const file = layout.session(newSessionId());
  const lock = new FileLock(file);
  try {
    await lock.prepare(disk, '', 0);
    await lock.acquire(AbortSignal.timeout(10_000));
  } finally {
    await cancelAttempt(file, lock.nonce);
  }
}

function toDirectoryError(root: string, error: unknown): unknown {
  switch (codeOf(error)) {
    case 'EEXIST':
    case 'ENOTDIR':
      return directoryError(root, 'is not a directory, or lies in something that is none. Name another');
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return directoryError(
        root,
        `cannot be made or written by this process (${codeOf(error)}). Give its user the right to, or name another`,
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
  return directoryError(root, `holds other things (${some}) and no sessions. Give it a directory of its own`);
}

function formatError(root: string, isNewer: boolean): SessionError {
  return new SessionError(
    'SESSION_SCHEMA_INVALID',
    isNewer
      ? `The directory ${root} was written by a newer release. Go back to that one, or give FileSessionStore another directory.`
      : `The file 'format' in ${root} is damaged or not ours. If it is a directory of sessions, put '${CURRENT.trim()}' and a line break in it; else name another.`,
  );
}

async function throwIfUnsafe(problem: Promise<string | null>, root: string, path = root): Promise<void> {
  const found = await problem;
  if (found === null) return;
  throw directoryError(
    root,
    path === root ? found : `has a part, ${JSON.stringify(relative(root, path))}, that ${found}`,
  );
}

function directoryError(root: string, reason: string): SessionError {
  return new SessionError(
    'SESSION_OPTIONS_INVALID',
    `The directory ${JSON.stringify(root)} that FileSessionStore was given ${reason}.`,
  );
}
