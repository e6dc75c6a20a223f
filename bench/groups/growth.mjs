import { createRequire } from 'node:module';
import { inOwnPlace } from '../harness/own-place.mjs';
import { noiseOf, row } from '../harness/row.mjs';
import { Child, withChildren } from '../in-process/child.mjs';
import { interleave } from '../in-process/interleave.mjs';

const require = createRequire(import.meta.url);

export const title = 'Many sessions: what each operation costs as they grow, as a ratio to 1,000 of them';

const GOAL = 1.3;
const WHAT = {
  read: 'open + get + commit',
  write: 'open + change + commit',
  find: "the store's find alone",
  update: "the store's update alone",
  revoke: "revoking a principal's 5 sessions",
  list: "listing a principal's 10 sessions",
  endAll: "ending a principal's 10 sessions, each told why",
  sweep: 'sweeping, for each expired session',
  get: 'a bare Map.get, for comparison',
  delete: 'a bare Map.delete, for comparison',
};
const WARM_UP = 10;
const BUSY = '-busy';
/** Where the processes that measure look for a server. */
const VARIABLES = { postgres: 'POSTGRES_URL', redis: 'REDIS_URL' };
const SIZES = [1000, 10_000, 100_000];
/** Each with its sizes, and whether a server does the work: then the figure is the time until it answers. */
const SUBJECTS = [
  { name: 'memory', sizes: [...SIZES, 1_000_000], rounds: 15 },
  { name: 'map', module: 'map', sizes: [...SIZES, 1_000_000], rounds: 15 },
  { name: 'sqlite', sizes: SIZES, rounds: 9 },
  { name: 'postgres', sizes: SIZES, rounds: 9, served: true },
  { name: 'redis', sizes: SIZES, rounds: 9, served: true },
];

/** Of principals with ten sessions each. With --full, of a hundred thousand of them. */
const ofPrincipals = (full) =>
  ['postgres', 'redis'].map((name) => ({
    ...{ name, module: 'principals', rounds: 15, served: true },
    sizes: [1000, full ? 1_000_000 : 100_000],
  }));

export async function run({ quick, full }) {
  const groups = [];
  const skipped = [];
  for (const subject of [...SUBJECTS, ...ofPrincipals(full)]) {
    const missing = obstacleTo(subject);
    if (missing !== undefined) skipped.push(`${subject.name} is left out: ${missing}.`);
    else
      await onServer(quick ? rougher(subject) : subject).then(
        (group) => groups.push(group),
        (error) => skipped.push(reasonOf(error, subject)),
      );
  }
  const { noise } = groups[0];
  return { rows: groups.flatMap(({ rows }) => rows), noise, notes: [...notes, ...skipped] };
}

function rougher({ sizes, ...subject }) {
  return { ...subject, sizes: sizes.length > 2 ? sizes.slice(0, -1) : [sizes[0], 10_000], rounds: 7 };
}

/** Measures on the server that a variable names, else on a private one. */
async function onServer(subject) {
  const { name, served } = subject;
  return served
    ? inOwnPlace(name, ({ url }) => measure(subject, { [VARIABLES[name]]: url }))
    : measure(subject);
}

/** Without a server the others are measured all the same. */
function reasonOf(error, { name }) {
  if (!error.message.startsWith('There is no place')) throw error;
  return `${name} is left out: there is no such server.`;
}

async function measure(subject, env = {}) {
  const { name, module = 'growth', sizes, rounds, served = false } = subject;
  // The smallest twice, for the noise.
  const starts = [...sizes, sizes[0]].map((size) => () => start(module, { name, size, served }, env));
  const figures = await withChildren(starts, async (children) => {
    for (const child of children) await child.ask('fill');
    await interleave(children, WARM_UP, (child) => child.ask('measure'));
    return interleave(children, rounds, (child) => child.ask('measure'));
  });
  const valuesOf = (i, what) => figures[i].map((round) => round[what]);
  const noises = {};
  for (const what of Object.keys(figures[0][0]))
    noises[what] = noiseOf(valuesOf(0, what), valuesOf(sizes.length, what));
  const rows = Object.keys(noises).flatMap((what) =>
    sizes.slice(1).map((size, i) =>
      row({
        id: `growth/${name}-${what}-${short(size)}/${short(sizes[0])}`,
        what: `${name}, ${describe(what)}, ${short(size)} sessions`,
        unit: 'µs',
        ours: valuesOf(i + 1, what),
        peer: { name: short(sizes[0]), values: valuesOf(0, what) },
        noise: noises[what],
        goal: module === 'map' ? undefined : GOAL,
      }),
    ),
  );
  return { rows, noise: Math.max(...Object.values(noises)) };
}

/** Why a store cannot be had here. */
function obstacleTo({ name, served }) {
  if (served) return undefined;
  if (name !== 'sqlite') return undefined;
  try {
    new (require('better-sqlite3'))(':memory:').close();
    return undefined;
  } catch {
    return `better-sqlite3 is not built for Node ${process.version} (npm rebuild better-sqlite3)`;
  }
}

/** With a heap that is large from the beginning: a small one is collected more often, which has nothing to do with the operations. */
function start(module, given, env) {
  const execArgv = ['--expose-gc', '--max-old-space-size=4096', '--initial-heap-size=2048'];
  return Child.start(module, given, { execArgv, env });
}

function describe(what) {
  return what.endsWith(BUSY) ? `${WHAT[what.slice(0, -BUSY.length)]}, of a busy few` : WHAT[what];
}

/** 1M, 100k. */
function short(count) {
  return count >= 1_000_000 ? `${count / 1_000_000}M` : `${count / 1000}k`;
}

const notes = [
  'Sessions of 200 bytes, half of them logged in, five to a principal; where a principal is said to have ten, all are logged in. Each size in a process of its own. Each operation has random sessions, which nothing has touched lately.',
  'Of memory and SQLite the figure is CPU time of the process; of servers the time until they answered, one call after the other. Sweeping is without its rests, and everything without the collector clearing away what was there before.',
  'With many of anything, what is asked for at random lies in the memory and not in the cache of the processor: a bare Map shows what that alone does to a ratio. A busy few, 40 of them again and again, show what is left when that does not count.',
];
