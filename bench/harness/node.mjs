import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Goes on in another Node, if that is asked for, and ends with it. @param node a binary, or a major version, which npm has */
export function handOver(node) {
  if (process.env.BENCH_NODE === node) return;
  const binary = binaryOf(node);
  if (binary === process.execPath) return;
  const { status, error } = spawnSync(binary, process.argv.slice(1), {
    stdio: 'inherit',
    env: { ...process.env, BENCH_NODE: node },
  });
  if (error !== undefined) throw error;
  process.exit(status ?? 1);
}

function binaryOf(node) {
  if (!/^\d+$/.test(node)) return resolve(node);
  if (process.version.startsWith(`v${node}.`)) return process.execPath;
  return install(node);
}

/** npm has a package of Node for each system. */
function install(version) {
  const isWindows = process.platform === 'win32';
  const name = `node-${isWindows ? 'win' : process.platform}-${process.arch}`;
  const prefix = fileURLToPath(new URL(`../nodes/${version}`, import.meta.url));
  const binary = join(prefix, 'node_modules', name, 'bin', isWindows ? 'node.exe' : 'node');
  if (existsSync(binary)) return binary;
  const args = ['install', '--no-save', '--prefix', prefix, `${name}@${version}`];
  const { status } = spawnSync('npm', args, { stdio: 'inherit', shell: isWindows });
  if (status !== 0) throw new Error(`Node ${version} cannot be installed: npm ${args.join(' ')}`);
  return binary;
}
