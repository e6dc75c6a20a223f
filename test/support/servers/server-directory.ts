import { execFile } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freezeTree, killTree } from './process-tree';

/** Holds the id of the process, while one runs. */
export const PID_FILE = 'pid';
export const DATA = 'data';

/**
 * Ends what runs in a server's directory, and removes whatever it had. That includes the shared memory that PostgreSQL,
 * when killed, leaves behind: little, but a system has only so much.
 */
export async function removeServer(directory: string, pid = pidIn(directory)): Promise<void> {
  const shared = pid === undefined ? [] : sharedFiles(freezeTree(pid));
  if (pid !== undefined) await killTree(pid);
  for (const file of shared) rmSync(file, { force: true });
  await removeSegment(directory);
  rmSync(directory, { recursive: true, force: true });
}

/** What `initdb` uses; the server is told to use files of its directory. */
function sharedFiles(pids: readonly number[]): string[] {
  return pids.flatMap((pid) => read(`/proc/${pid}/maps`)?.match(/\/dev\/shm\/PostgreSQL\.\d+$/gm) ?? []);
}

/** The System V segment that tells PostgreSQL whether another one uses its data. */
async function removeSegment(directory: string): Promise<void> {
  const [, id] =
    read(join(directory, DATA, 'postmaster.pid'))
      ?.split('\n')[6]
      ?.trim()
      .split(/ +/) ?? [];
  if (id === undefined) return;
  // Fails when PostgreSQL was faster.
  await promisify(execFile)('ipcrm', ['-m', id]).catch(() => {});
}

function pidIn(directory: string): number | undefined {
  return Number(read(join(directory, PID_FILE))) || undefined;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
