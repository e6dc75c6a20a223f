import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Where subjects run, and where the load comes from. */
export const SERVER_CORE = 1;
export const LOAD_CORE = 0;

const canPin =
  availableParallelism() > 1 && spawnSync('taskset', ['--version'], { stdio: 'ignore' }).status === 0;

/** Keeps a process, with all its threads, on one core where the system has `taskset`; says whether it does. */
export function pin(pid, core) {
  if (!canPin) return false;
  return (
    spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)], { stdio: 'ignore' }).status === 0
  );
}
