import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { often } from '../long';
import { anyRuns, freezeTree, killTree, thawTree } from './process-tree';

it('freezes, thaws and kills a process in whatever moment of having children', async () => {
  const shell = spawn('sh', ['-c', 'while :; do /bin/true; done'], { stdio: 'ignore' });
  const ended = once(shell, 'exit');
  for (let round = 0; round < often(40, 200); round++) {
    expect(freezeTree(shell.pid!)).toContain(shell.pid);
    thawTree(shell.pid!);
  }
  const pids = freezeTree(shell.pid!);
  await killTree(shell.pid!);
  expect(anyRuns(pids)).toBe(false);
  const [code, signal] = (await ended) as unknown[];
  expect({ code, signal }).toEqual({ code: null, signal: 'SIGKILL' });
});
