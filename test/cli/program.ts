import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { runProgram } from '../../lib/cli/program';

/** What a run of the program came to. */
export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Circumstances {
  readonly env?: Readonly<Record<string, string>>;
  /** The standard input. */
  readonly input?: string;
  readonly cwd?: string;
  /** Packages that are not installed. */
  readonly without?: readonly string[];
}

const loader = join(__dirname, '../sessions/process/typescript.js');
const missing = join(__dirname, 'missing-packages.cjs');
const main = join(__dirname, '../../lib/cli/main.ts');

/** Runs the program in this process, in a hundredth of the time: for what streams, exit and missing packages have no part in. */
export async function runHere(
  args: readonly string[],
  { env = {} }: Pick<Circumstances, 'env'> = {},
): Promise<Run> {
  const before = { ...process.env };
  Object.assign(process.env, env);
  let [stdout, stderr] = ['', ''];
  const write = async (line: string): Promise<void> => void (stdout += `${line}\n`);
  const code = await runProgram(args, { write, note: (line) => void (stderr += `${line}\n`) });
  for (const name of Object.keys(env)) {
    delete process.env[name];
    if (before[name] !== undefined) process.env[name] = before[name];
  }
  return { code, stdout, stderr };
}

/** Runs the program as `npx nestjs-tessera` does, on the sources. */
export function run(
  args: readonly string[],
  { env = {}, input = '', cwd, without = [] }: Circumstances = {},
): Promise<Run> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['-r', loader, '-r', missing, main, ...args],
      {
        env: { ...process.env, MISSING: without.join(), ...env },
        timeout: 60_000,
        ...(cwd !== undefined && { cwd }),
      },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
    );
    child.stdin!.end(input);
  });
}

/** The lines of an output. */
export function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
