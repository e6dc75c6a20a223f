import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Runs a script of Node's to its end, and answers what it printed; rejects with that when it fails. */
export async function node(args, cwd) {
  try {
    return (await run(process.execPath, args, { cwd, maxBuffer: 2 ** 24 })).stdout;
  } catch (error) {
    throw new Error(`node ${args.join(' ')} failed:\n${error.stdout}${error.stderr}`);
  }
}

/** npm as the one who runs this has it: from within `npm run` that is its own script. */
export async function npm(args, cwd) {
  const script = process.env.npm_execpath;
  if (script !== undefined) return node([script, ...args], cwd);
  return (await run('npm', args, { cwd, maxBuffer: 2 ** 24, shell: process.platform === 'win32' })).stdout;
}

/** Why the registry cannot be used, or `false`. Where nothing may be skipped (CI) the tests run all the same, and say what fails. */
export async function missingRegistry() {
  try {
    await npm(['view', '@nestjs/core', 'version', '--fetch-retries=0', '--fetch-timeout=15000'], root);
    return false;
  } catch {
    if (process.env.CI === 'true') return false;
    const reason = 'SKIPPED: the npm registry cannot be reached, so no fresh application can be installed';
    console.error(`\n!!! ${reason} !!!\n`);
    return reason;
  }
}
