// npm run test:nodes: runs the tests under several versions of Node, which it fetches from npm, and sums up at the end:
// what has passed under each, and what was not run, with the reason.
// Arguments that are numbers choose versions, all others go to Jest: npm run test:nodes -- 24 lib/core
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';

const VERSIONS = ['20', '24', '26'];

const root = resolve(import.meta.dirname, '../../..');
const cache = join(tmpdir(), 'nestjs-tessera-nodes');
const jest = join(root, 'node_modules/jest/bin/jest.js');

if (!existsSync(jest)) {
  console.error('Jest is not installed here. Run npm ci first.');
  process.exit(1);
}

const given = process.argv.slice(2);
const chosen = given.filter((argument) => /^\d+$/.test(argument));
const jestArguments = given.filter((argument) => !chosen.includes(argument));

const results = [];
for (const version of chosen.length > 0 ? chosen : VERSIONS) {
  const node = fetchNode(version);
  const exactly = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  console.error(`\n=== Node ${exactly} ===`);
  const begun = Date.now();
  const notRunFile = join(cache, version, 'not-run.txt');
  rmSync(notRunFile, { force: true });
  const code = await run(node, [jest, ...jestArguments], notRunFile);
  const minutes = ((Date.now() - begun) / 60_000).toFixed(1);
  const notRun = existsSync(notRunFile) ? readFileSync(notRunFile, 'utf8') : '';
  results.push({ exactly, passed: code === 0, minutes, notRun });
}

console.log('\nNode versions');
for (const { exactly, passed, minutes, notRun } of results) {
  console.log(
    `  ${exactly.padEnd(9)}  ${passed ? 'passed' : 'FAILED'} in ${minutes} minutes${notRun && ', not run:'}`,
  );
  process.stdout.write(notRun.replace(/^/gm, '           ').trimEnd() + (notRun && '\n'));
}
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;

/** The path of a Node of that major version. It is fetched once and stays in the cache. */
function fetchNode(version) {
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(cache, version);
  const node = join(folder, 'node_modules', name, 'bin/node');
  if (!existsSync(node)) {
    execFileSync('npm', ['install', '--no-save', '--prefix', folder, `${name}@${version}`], {
      stdio: 'inherit',
    });
  }
  return node;
}

/** The exit code. Processes that the tests start by the name `node` are of the same version. */
function run(node, commandLine, notRunFile) {
  const PATH = `${dirname(node)}${delimiter}${process.env.PATH}`;
  const env = { ...process.env, PATH, NOT_RUN_FILE: notRunFile };
  const child = spawn(node, commandLine, { cwd: root, env, stdio: 'inherit' });
  return new Promise((done) => child.once('close', done));
}
