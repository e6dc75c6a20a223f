import type { Stats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';

/** Writable by the group, or by everybody. */
const BY_OTHERS = 0o022;

/**
 * What is wrong with a folder that somebody else could have filled, or could fill, with sessions of his own making; `null` for nothing.
 * Where users have no numbers, as on Windows, nothing can be told.
 */
export async function ownershipProblem(path: string): Promise<string | null> {
  const user = process.geteuid?.();
  return user === undefined ? null : folderProblem(await lstat(path), user);
}

/** The same of one that may be a symbolic link, as long as nobody else can turn it elsewhere: our own, or that of root. */
export async function linkOwnershipProblem(path: string): Promise<string | null> {
  const user = process.geteuid?.();
  if (user === undefined) return null;
  const found = await lstat(path);
  if (!found.isSymbolicLink()) return folderProblem(found, user);
  if (found.uid !== user && found.uid !== 0)
    return `is a symbolic link of another user (${found.uid}, not ${user}). Name what it leads to`;
  return folderProblem(await stat(path), user);
}

function folderProblem(found: Stats, user: number): string | null {
  const wayOut = 'once you know that everything in it is yours, or name another';
  if (!found.isDirectory()) return 'is not a directory. Name another';
  if (found.uid !== user)
    return `belongs to another user (${found.uid}, not ${user}), who could make sessions there. Run 'chown -R ${user}' on it ${wayOut}`;
  const mode = (found.mode & 0o777).toString(8);
  if ((found.mode & BY_OTHERS) !== 0)
    return `can be written by others (its mode is ${mode}), who could make sessions there. Run 'chmod 700' on it ${wayOut}`;
  return null;
}
