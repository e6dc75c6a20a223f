// npm run test:versions: runs tests on the older versions of Nest and TypeORM that the package supports. package.json has the newest.
// Arguments that name a set choose it, all others go to Jest in the place of its specs: npm run test:versions -- nest-10 test/core
//
// A set is a copy of the sources in a temporary folder. Its node_modules has the set's own versions, and links to the others.
import { execFileSync, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

// Those that are about stores, or take long, are left out: three minutes are what a merge can wait.
const NEST_SPECS = [
  'test/http/(?!store-calls|streams-of-ended)',
  'test/sessions/(?!data|everywhere|registry-all|restart|secrets|time)',
];

const SETS = {
  'nest-10': {
    versions: {
      ...nest('^10.0.0'),
      '@nestjs/config': '^3.0.0',
      '@nestjs/terminus': '^11.0.0',
      '@fastify/static': '^7.0.0',
      typeorm: '0.3.20',
    },
    specs: [...NEST_SPECS, 'test/stores/typeorm-'],
  },
  'nest-11': {
    versions: {
      ...nest('^11.0.0'),
      ...graphql('^13.0.0'),
      ...sockets('^11.0.0'),
      '@nestjs/passport': '^11.0.0',
      '@nestjs/config': '^4.0.0',
      '@nestjs/terminus': '^11.0.0',
      '@fastify/static': '^10.0.0',
      typeorm: '^0.3.20',
    },
    specs: [
      ...NEST_SPECS,
      ...['test/graphql', 'test/websockets', 'test/passport', 'test/express-session', 'test/doors'],
      'test/stores/typeorm-sqlite',
    ],
  },
};

const root = resolve(import.meta.dirname, '../../..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const given = process.argv.slice(2);
const chosen = given.filter((argument) => argument in SETS);
const jestArguments = given.filter((argument) => !chosen.includes(argument));
// The tests end on their own, and then this program tidies up.
process.on('SIGINT', () => {});

const results = [];
for (const name of chosen.length > 0 ? chosen : Object.keys(SETS)) {
  const begun = Date.now();
  const folder = mkdtempSync(join(tmpdir(), `nestjs-tessera-${name}-`));
  try {
    const installed = install(folder, SETS[name]);
    console.error(`\n=== ${installed} ===`);
    const notRunFile = join(folder, 'not-run.txt');
    const code = await jest(folder, jestArguments.length > 0 ? jestArguments : SETS[name].specs, notRunFile);
    const notRun = existsSync(notRunFile) ? readFileSync(notRunFile, 'utf8') : '';
    results.push({ installed, passed: code === 0, minutes: (Date.now() - begun) / 60_000, notRun });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

console.log('\nVersions');
for (const { installed, passed, minutes, notRun } of results) {
  const verdict = `${passed ? 'passed' : 'FAILED'} in ${minutes.toFixed(1)} minutes`;
  console.log(`  ${installed}\n    ${verdict}${notRun && ', not run:'}`);
  process.stdout.write(notRun.replace(/^/gm, '    ').trimEnd() + (notRun && '\n'));
}
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;

function nest(version) {
  const names = [
    'common',
    'core',
    'microservices',
    'platform-express',
    'platform-fastify',
    'testing',
    'typeorm',
  ];
  return Object.fromEntries(names.map((name) => [`@nestjs/${name}`, version]));
}

function graphql(version) {
  return Object.fromEntries(['graphql', 'apollo', 'mercurius'].map((name) => [`@nestjs/${name}`, version]));
}

function sockets(version) {
  const names = ['websockets', 'platform-socket.io', 'platform-ws'];
  return Object.fromEntries(names.map((name) => [`@nestjs/${name}`, version]));
}

/** Copies the sources and installs a set. Returns what it consists of, in words. */
function install(folder, { versions }) {
  // Those that Nest and this package share must be there once. Express and Fastify are Nest's own.
  const { rxjs, 'reflect-metadata': metadata } = manifest.devDependencies;
  const own = { ...versions, rxjs, 'reflect-metadata': metadata, ...manifest.dependencies };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: own }));
  const options = ['--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts', '--prefer-offline'];
  execFileSync('npm', ['install', '--loglevel=error', ...options], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  link(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const path of ['lib', 'test', 'jest.config.js', 'tsconfig.json'])
    cpSync(join(root, path), join(folder, path), { recursive: true });
  const named = ['@nestjs/core', 'express', 'fastify', 'typeorm'];
  return named.map((name) => `${name} ${versionOf(join(folder, 'node_modules', name))}`).join(', ');
}

/** Links each package of one node_modules that is missing in the other. */
function link(from, to) {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    if (name.startsWith('.')) continue;
    const target = join(to, name);
    if (name.startsWith('@')) link(join(from, name), target);
    else if (!existsSync(target)) symlinkSync(join(from, name), target, 'junction');
  }
}

function versionOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
}

/** The exit code of Jest in that folder. */
function jest(folder, commandLine, notRunFile) {
  const program = join(folder, 'node_modules/jest/bin/jest.js');
  const env = { ...process.env, NOT_RUN_FILE: notRunFile };
  const child = spawn(process.execPath, [program, ...commandLine], { cwd: folder, env, stdio: 'inherit' });
  return new Promise((done) => child.once('close', done));
}
