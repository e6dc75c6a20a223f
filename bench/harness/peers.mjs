import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = new URL('../peers/', import.meta.url);

/** Installs what is compared with, unless exactly that is there: then nobody is asked, and it works without a network. */
export function installPeers() {
  if (isInstalled()) return;
  const options = { stdio: 'inherit', shell: process.platform === 'win32' };
  const { status } = spawnSync('npm', ['ci', '--prefix', fileURLToPath(folder)], options);
  if (status !== 0) throw new Error('What is compared with cannot be installed: npm ci --prefix bench/peers');
}

function isInstalled() {
  const found = versionsIn('node_modules/.package-lock.json');
  return Object.entries(versionsIn('package-lock.json')).every(([name, version]) => found[name] === version);
}

/** By folder, without those that not every system has. */
function versionsIn(lock) {
  const packages = Object.entries(read(lock)?.packages ?? {}).filter(
    ([name, { optional }]) => name && !optional,
  );
  return Object.fromEntries(packages.map(([name, { version }]) => [name, version]));
}

function read(path) {
  try {
    return JSON.parse(readFileSync(new URL(path, folder), 'utf8'));
  } catch {
    return undefined;
  }
}
