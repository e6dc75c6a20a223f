import { cpus, totalmem } from 'node:os';
import { readFileSync } from 'node:fs';

/** What a figure depends on besides the code. */
export function machine() {
  return {
    node: process.version,
    v8: process.versions.v8,
    system: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    packages: packages(),
  };
}

const OURS = [
  'nestjs-tessera',
  '@nestjs/core',
  '@nestjs/platform-express',
  '@nestjs/platform-fastify',
  'express',
  'fastify',
  'ioredis',
  'pg',
  'typeorm',
];

/** Versions by name; where others need another version than we do, theirs as well. */
function packages() {
  const ours = versionsIn('../..', OURS);
  const theirs = versionsIn('../peers', Object.keys(read('../peers/package.json').devDependencies));
  const named = Object.entries(theirs).map(([name, version]) => [
    (ours[name] ?? version) === version ? name : `${name} of peers`,
    version,
  ]);
  return { ...ours, ...Object.fromEntries(named) };
}

function versionsIn(folder, names) {
  return Object.fromEntries(
    names.map((name) => [
      name,
      read(name === 'nestjs-tessera' ? '../../package.json' : `${folder}/node_modules/${name}/package.json`)
        .version,
    ]),
  );
}

function read(path) {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
}
