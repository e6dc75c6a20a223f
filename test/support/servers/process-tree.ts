import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

interface Process {
  readonly pid: number;
  readonly parent: number;
  /** By a letter: `R` runs, `S` sleeps (`I` for long, on macOS), `T` is stopped, `D` or `U` waits for the kernel. */
  readonly state: string;
}

/** Stops a process and all its descendants; when this returns, they stand still. */
export function freezeTree(root: number): readonly number[] {
  const told = new Set<number>();
  for (;;) {
    // Again until nothing moves, since whoever was not stopped yet may have forked.
    const tree = processTree(root);
    // Who waits for the kernel stops before doing anything else. That may be never, for instance when it waits for a
    // child to begin that was stopped first.
    const stands = ({ pid, state }: Process): boolean => told.has(pid) && !'RSI'.includes(state);
    if (tree.every(stands)) return tree.map(({ pid }) => pid);
    for (const { pid } of tree) if (!told.has(pid)) send(pid, 'SIGSTOP');
    for (const { pid } of tree) told.add(pid);
  }
}

export function thawTree(root: number): void {
  for (const { pid } of processTree(root).reverse()) send(pid, 'SIGCONT');
}

/** Ends a process and all its descendants at once, frozen or not. Resolves when they are gone. */
export async function killTree(root: number): Promise<void> {
  const pids = freezeTree(root);
  for (const pid of pids) send(pid, 'SIGKILL');
  while (anyRuns(pids)) await pause(5);
}

/** Whether any of these is alive. Who has ended, but was not buried by its parent yet, is not. */
export function anyRuns(pids: readonly number[]): boolean {
  return processes(pids).some(({ pid }) => pids.includes(pid));
}

/** A process and its descendants, parents first. Its process group would not do: PostgreSQL gives each child its own. */
function processTree(root: number): Process[] {
  const all = processes();
  const tree = all.filter(({ pid }) => pid === root);
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
  return tree;
}

/** What runs on this machine, or what of these does. The dead whom nobody has buried yet do not count. */
function processes(pids?: readonly number[]): Process[] {
  const lines = existsSync('/proc/self/stat') ? linesOfProc(pids?.map(String)) : linesOfPs();
  return lines
    .map((line) => /^(\d+) (\S)\S* (\d+)/.exec(line))
    .filter((match) => match !== null && match[2] !== 'Z')
    .map((match) => ({ pid: Number(match![1]), parent: Number(match![3]), state: match![2]! }));
}

/** Linux tells without `ps`, which slim images lack: `pid (name) state parent …`, and the name may hold anything. */
function linesOfProc(pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))): string[] {
  return pids.map((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      return pid + stat.slice(stat.lastIndexOf(')') + 1);
    } catch {
      return ''; // It has ended meanwhile.
    }
  });
}

function linesOfPs(): string[] {
  return execFileSync('ps', ['-A', '-o', 'pid=,stat=,ppid='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().replace(/ +/g, ' '));
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
