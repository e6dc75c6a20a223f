import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Another build of this library to compare with.
 * @param what a folder with a built checkout, or a commit by any name that git knows, which is built for as long as this process lives
 * @returns its `name` and its `folder`
 */
export function otherBuild(what) {
  if (existsSync(what)) return { name: basename(resolve(what)), folder: resolve(what) };
  const folder = mkdtempSync(join(tmpdir(), 'nestjs-tessera-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const files = execFileSync('git', ['archive', what], { cwd: here, maxBuffer: 2 ** 30 });
  execFileSync('tar', ['-x', '-C', folder], { input: files });
  symlinkSync(join(here, 'node_modules'), join(folder, 'node_modules'), 'dir');
  execFileSync('npm', ['run', 'build'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  return { name: what, folder };
}

/** What lets a process that is forked find it under our name. @param build what `otherBuild` gave, or nothing for our own */
export function findingBuild(build) {
  if (build === undefined) return { execArgv: [], env: {} };
  const preloaded = new URL('other-build.mjs', import.meta.url).href;
  return { execArgv: ['--import', preloaded], env: { BENCH_BUILD: build.folder } };
}
