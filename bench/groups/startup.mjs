import { noiseOf, row } from '../harness/row.mjs';
import { differences, summarize } from '../harness/statistics.mjs';
import { Child, withChildren } from '../in-process/child.mjs';
import { interleave } from '../in-process/interleave.mjs';

export const title =
  'Starting: what importing the package adds to bare Nest, and what the module adds until it listens';

const NEST = ['reflect-metadata', '@nestjs/common', '@nestjs/core'];
const ENTRIES = ['', '/typeorm', '/redis', '/file', '/tiered', '/sealed', '/bridges'].map((path) => ({
  path,
  entry: `nestjs-tessera${path}`,
  // Whoever keeps sessions with TypeORM has imported that.
  before: path === '/typeorm' ? [...NEST, 'typeorm'] : NEST,
}));
const PLATFORMS = ['express', 'fastify'];

export async function run({ quick }) {
  const rounds = quick ? 3 : 7;
  const times = await interleave(ENTRIES, rounds, (entry) => inFreshProcess('time', entry));
  const imports = [];
  for (const [i, entry] of ENTRIES.entries())
    imports.push(importRow(entry, times[i], await inFreshProcess('count', entry)));

  const starts = [];
  for (const platform of PLATFORMS) starts.push({ platform, ...(await listening(platform, rounds)) });
  const noise = Math.max(...starts.map((start) => start.noise));
  return { rows: [...imports, ...starts.map((start) => listenRow(start, noise))], noise, notes };
}

async function listening(platform, rounds) {
  const subjects = [false, true, false].map((hasSessions) => ({ platform, hasSessions }));
  const [bare, ours, again] = await interleave(subjects, rounds, (subject) =>
    inFreshProcess('listen', subject),
  );
  return { bare, ours, noise: noiseOf(cpuOf(bare), cpuOf(again)) };
}

function inFreshProcess(task, parameters) {
  return withChildren([() => Child.start('startup')], ([child]) => child.ask(task, parameters));
}

function importRow({ path, entry }, times, modules) {
  return row({
    id: `startup/import${path.replace('/', '-')}`,
    what: `import '${entry}'`,
    unit: 'ms',
    ours: cpuOf(times),
    more: { modules, 'ms passed': medianOf(times, 'passed') },
  });
}

function listenRow({ platform, bare, ours }, noise) {
  const added = differences(cpuOf(ours), cpuOf(bare));
  return row({
    id: `startup/listen-${platform}/bare Nest`,
    what: `until it listens, ${platform}`,
    unit: 'ms',
    ours: cpuOf(ours),
    peer: { name: 'bare Nest', values: cpuOf(bare) },
    noise,
    more: {
      'ms added': summarize(added).median,
      'ms passed': medianOf(ours, 'passed'),
      'peer ms passed': medianOf(bare, 'passed'),
    },
  });
}

function cpuOf(times) {
  return times.map(({ cpu }) => cpu);
}

function medianOf(times, key) {
  return summarize(times.map((time) => time[key])).median;
}

const notes = [
  'CPU time of all threads; each figure is of a process of its own. @nestjs/common and @nestjs/core have been imported before, and typeorm for the entry that is for it; each entry is imported alone.',
  'Until it listens: from before Nest is imported, with SessionModule.forRoot() and without.',
];
