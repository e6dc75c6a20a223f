import type { Stats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';

/** Mode bit: writable by the group. */
export const BY_GROUP = 0o020;
/** Mode bits: writable by the group or by all users. */
export const BY_OTHERS = 0o022;

/**
 * Why another user could have forged sessions in this folder, or could forge them; `null` when no other user can. Always `null` on systems
 * without user ids, such as Windows.
 */
export async function ownershipProblem(path: string): Promise<string | null> {
  const user = process.geteuid?.();
  return user === undefined ? null : folderProblem(await lstat(path), user);
}

/** The same for a path that may be a symbolic link. The link must belong to this user or to root, so that no other user can redirect it. */
export async function linkOwnershipProblem(path: string): Promise<string | null> {
  const user = process.geteuid?.();
  if (user === undefined) return null;
  const found = await lstat(path);
  if (!found.isSymbolicLink()) return folderProblem(found, user);
  if (found.uid !== user && found.uid !== 0)
    return `is a symbolic link of another user (${found.uid}, not ${user}). Give the path that the link points to`;
  return folderProblem(await stat(path), user);
}

function folderProblem(found: Stats, user: number): string | null {
  const wayOut =
    'if you trust all files in it, or choose another directory, in a volume a subdirectory of its mount point';
  if (!found.isDirectory()) return 'is not a directory. Choose another path';
  if (found.uid !== user)
    return `belongs to another user (${found.uid}, not ${user}), who could forge sessions in it. Run 'chown -R ${user}' on it ${wayOut}`;
  const mode = (found.mode & 0o777).toString(8);
  if ((found.mode & BY_OTHERS) !== 0)
    return `can be written by others (its mode is ${mode}), who could forge sessions in it. Run 'chmod 700' on it ${wayOut}`;
  return null;
}
