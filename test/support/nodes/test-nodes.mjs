// npm run test:nodes: runs the tests under several versions of Node, which it fetches from npm, and sums up at the end.
// Arguments that are numbers choose versions, all others go to Jest: npm run test:nodes -- 24 lib/core
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';

const VERSIONS = ['20', '24', '26'];

const root = resolve(import.meta.dirname, '../../..');
const cache = join(tmpdir(), 'nestjs-tessera-nodes');
const jest = join(root, 'node_modules/jest/bin/jest.js');

const given = process.argv.slice(2);
const chosen = given.filter((argument) => /^\d+$/.test(argument));
const jestArguments = given.filter((argument) => !chosen.includes(argument));

const results = [];
for (const version of chosen.length > 0 ? chosen : VERSIONS) {
  const node = fetchNode(version);
  const exactly = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  console.error(`\n=== Node ${exactly} ===`);
  const begun = Date.now();
  const code = await run(node, [jest, ...jestArguments]);
  results.push({ exactly, passed: code === 0, minutes: ((Date.now() - begun) / 60_000).toFixed(1) });
}

console.log('\nNode versions');
for (const { exactly, passed, minutes } of results) {
  console.log(`  ${exactly.padEnd(9)}  ${passed ? 'passed' : 'FAILED'} in ${minutes} minutes`);
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
function run(node, commandLine) {
  const PATH = `${dirname(node)}${delimiter}${process.env.PATH}`;
  const child = spawn(node, commandLine, { cwd: root, env: { ...process.env, PATH }, stdio: 'inherit' });
  return new Promise((done) => child.once('close', done));
}
