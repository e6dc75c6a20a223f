import type { Stats } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { isAbsolute, join, parse, sep } from 'node:path';
import { nullIfMissing } from './disk';
import { BY_GROUP, BY_OTHERS } from './folder-owner';

/** Mode bit: entries can be renamed by their owner and by the folder's owner only. */
const STICKY = 0o1000;
/** How many symbolic links are followed. Linux allows as many. */
const LINKS = 40;
/** The user id that Linux shows in a user namespace for every user who has none there. */
const OVERFLOW_USER = 65_534;

/** A folder that contains a component of the path, or a symbolic link on the way. */
interface Step {
  readonly path: string;
  readonly found: Stats;
}

/**
 * Why other users could move the directory away and put another one in its place; `null` when they cannot. Looks at every folder and
 * every symbolic link on the way, also on that of a link. Each must belong to this user or to root, as for `StrictModes` of sshd: the
 * owner of a folder can replace what is in it, whatever its mode is. Always `null` on systems without user ids, such as Windows.
 * @param path absolute
 */
export async function parentsProblem(path: string): Promise<string | null> {
  const user = process.geteuid?.();
  if (user === undefined) return null;
  for (const step of await stepsOf(path)) {
    const problem = foreignProblem(step, user) ?? sharedProblem(step);
    if (problem !== null) return problem;
  }
  return null;
}

function foreignProblem({ path, found }: Step, user: number): string | null {
  if (found.uid === user || found.uid === 0) return null;
  const place = JSON.stringify(path);
  const way = found.isSymbolicLink()
    ? `is reached by ${place}, a symbolic link of another user`
    : `lies below ${place}, which belongs to another user`;
  const hint =
    found.uid === OVERFLOW_USER
      ? `. In a user namespace ${found.uid} stands for all users from outside it`
      : '';
  return (
    `${way} (${found.uid}, not ${user}), who could put another directory in its place. Choose a directory below folders of root ` +
    `or of this user, or, if you trust that user, pass dangerouslyTrustWritableParents: true${hint}`
  );
}

function sharedProblem({ path, found }: Step): string | null {
  if (found.isSymbolicLink() || !isShared(found)) return null;
  const mode = (found.mode & 0o7777).toString(8);
  return (
    `lies below ${JSON.stringify(path)}, which other users can write (its mode is ${mode}), so that they could put another ` +
    `directory in its place. Run 'chmod go-w' on that folder, choose another directory, or, if you trust all who can write ` +
    `it, such as the containers that share a volume, pass dangerouslyTrustWritableParents: true`
  );
}

/** Whether users other than its owner and root can rename any entry of a folder. */
function isShared({ mode, uid, gid }: Stats): boolean {
  if ((mode & BY_OTHERS) === 0 || (mode & STICKY) !== 0) return false;
  // A group with the number of the owner is the owner's own, by the convention of most Linux systems. Not so group 0, in which many
  // containers run.
  return (mode & BY_OTHERS) !== BY_GROUP || uid !== gid || uid === 0;
}

/** What is on the way to the path, as far as it exists. */
async function stepsOf(path: string): Promise<Step[]> {
  const { root } = parse(path);
  const steps = new Map([[root, await lstat(root)]]);
  const rest = path.slice(root.length).split(sep);
  for (let folder = root, links = 0; rest.length > 0 && links <= LINKS;) {
    const next = join(folder, rest.shift()!);
    const found = await nullIfMissing(lstat(next));
    if (found === null) break;
    if (found.isSymbolicLink()) {
      const target = await readlink(next);
      rest.unshift(...target.split(sep));
      if (isAbsolute(target)) folder = root;
      links++;
    } else folder = next;
    if (rest.length > 0) steps.set(next, found);
  }
  return Array.from(steps, ([step, found]) => ({ path: step, found }));
}
