import type { Stats } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { isAbsolute, join, parse, sep } from 'node:path';
import { nullIfMissing } from './disk';
import { BY_GROUP, BY_OTHERS } from './folder-owner';

/** Mode bit: entries can be renamed by their owner and by the folder's owner only. */
const STICKY = 0o1000;
/** How many symbolic links are followed. Linux allows as many. */
const LINKS = 40;

/**
 * Why other users could move the directory away and put another one in its place; `null` when they cannot. Looks at every folder on the
 * way, also on that of a symbolic link. Always `null` on systems without user ids, such as Windows.
 * @param path absolute
 */
export async function parentsProblem(path: string): Promise<string | null> {
  const user = process.geteuid?.();
  if (user === undefined) return null;
  for (const parent of await parentsOf(path)) {
    const found = await lstat(parent);
    if (!isShared(found, user)) continue;
    const mode = (found.mode & 0o7777).toString(8);
    return (
      `lies below ${JSON.stringify(parent)}, which other users can write (its mode is ${mode}), so that they could put another ` +
      `directory in its place. Run 'chmod go-w' on that folder, choose another directory, or, if you trust all who can write ` +
      `it, such as the containers that share a volume, pass dangerouslyTrustWritableParents: true`
    );
  }
  return null;
}

/** Whether users other than its owner and root can rename any entry of a folder. */
function isShared({ mode, uid, gid }: Stats, user: number): boolean {
  if ((mode & BY_OTHERS) === 0) return false;
  if ((mode & STICKY) !== 0 && (uid === 0 || uid === user)) return false;
  // A group with the number of the owner is the owner's own, by the convention of most Linux systems.
  return (mode & BY_OTHERS) !== BY_GROUP || uid !== gid;
}

/** The folders that contain a component of the path or of a symbolic link in it, as far as they exist. */
async function parentsOf(path: string): Promise<Set<string>> {
  const { root } = parse(path);
  const parents = new Set<string>();
  const rest = path.slice(root.length).split(sep);
  for (let folder = root, links = 0; rest.length > 0 && links <= LINKS;) {
    const next = join(folder, rest.shift()!);
    const found = await nullIfMissing(lstat(next));
    parents.add(folder);
    if (found === null) break;
    if (found.isSymbolicLink()) {
      const target = await readlink(next);
      rest.unshift(...target.split(sep));
      if (isAbsolute(target)) folder = root;
      links++;
    } else folder = next;
  }
  return parents;
}
