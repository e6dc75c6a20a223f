import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { LoginPlan } from './logins';

export const PROCESSES = 4;

/** A process that logs in as planned, once it is told to. */
async function aProcess(plan: LoginPlan, tell: (what: 'token' | 'end', text: string) => void) {
  const loader = join(__dirname, '../../sessions/process/typescript.js');
  const child = spawn(process.execPath, ['-r', loader, join(__dirname, 'logins.ts'), JSON.stringify(plan)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  await new Promise<void>((resolve, reject) => {
    lines.once('line', () => resolve());
    child.once('exit', (code) => reject(new Error(`exit ${code}`)));
  });
  lines.on('line', (line) => {
    const [what, text] = line.split(' ') as ['token' | 'end', string];
    tell(what, text);
  });
  const ended = new Promise<void>((resolve) => lines.once('close', () => resolve()));
  return { child, ended };
}

export interface Processes {
  begin(): void;
  /** When all have ended. */
  readonly ended: Promise<unknown>;
  kill(): void;
}

/** Processes that log in at once. */
export async function startProcesses(
  plan: LoginPlan,
  tell: (what: 'token' | 'end', text: string) => void,
): Promise<Processes> {
  const all = await Promise.all(Array.from({ length: PROCESSES }, () => aProcess(plan, tell)));
  return {
    begin: () => all.forEach(({ child }) => child.stdin.write('\n')),
    ended: Promise.all(all.map(({ ended }) => ended)),
    kill: () => all.forEach(({ child }) => child.kill('SIGKILL')),
  };
}
