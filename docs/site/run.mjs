// Builds the documentation site, and serves it to this machine: `node docs/site/run.mjs build|serve`. PORT chooses another port.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serveSite } from './server.mjs';

const site = dirname(fileURLToPath(import.meta.url));
const { resolve } = createRequire(import.meta.url);

const [work] = process.argv.slice(2);
if (work !== 'build' && work !== 'serve') fail('Say what to do: node docs/site/run.mjs build, or serve.');
if (!existsSync(join(site, '../../node_modules/@nestjs/common')))
  fail('The reference of the API needs the packages of the library: run npm ci first.');

if (!hasPackages()) {
  console.log('Installing the packages of the site …');
  run('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error'], process.platform === 'win32');
}
console.log('Writing the reference of the API …');
node('typedoc/bin/typedoc', ['--logLevel', 'Warn']);
console.log('Building the site …');
node('vitepress/bin/vitepress.js', ['build', '--logLevel', 'warn']);
if (work === 'serve') {
  const { url } = await serveSite(Number(process.env['PORT'] ?? 4173));
  console.log(`\nThe documentation is at ${url}/ until you press Ctrl+C.`);
}

/** Whether the site's packages are installed as its lock file has them. */
function hasPackages() {
  const versions = (path) => {
    const { packages } = JSON.parse(readFileSync(join(site, path), 'utf8'));
    return new Map(Object.entries(packages).map(([name, { version }]) => [name, version]));
  };
  if (!existsSync(join(site, 'node_modules/.package-lock.json'))) return false;
  const locked = versions('package-lock.json');
  // Packages for other platforms are locked and not installed.
  return [...versions('node_modules/.package-lock.json')].every(
    ([name, version]) => locked.get(name) === version,
  );
}

/** Runs a program of one of the site's packages. */
function node(program, options) {
  const [, owner, path] = /^([^/]+)\/(.+)/.exec(program);
  run(process.execPath, [join(dirname(resolve(`${owner}/package.json`)), path), ...options]);
}

function run(command, options, shell = false) {
  const { status, error } = spawnSync(command, options, { cwd: site, stdio: 'inherit', shell });
  if (error) fail(`${command} did not start: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
