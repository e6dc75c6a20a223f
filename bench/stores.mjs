// npm run bench:stores: what going through many sessions costs those who only want theirs. See README.md.
import { setFlagsFromString } from 'node:v8';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { runInNewContext } from 'node:vm';
import { createRequire } from 'node:module';
import { isPrepared, isSweepable } from 'nestjs-tessera';
import { quantile } from './harness/statistics.mjs';
import { stores } from './subjects/stores.mjs';

const require = createRequire(import.meta.url);
const { newSessionId, newToken } = require('../dist/core/session-token.js');
const { pauseAfter } = require('../dist/core/pacer.js');

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

const { values: options } = parseArgs({
  options: {
    sessions: { type: 'string', default: '100000' },
    store: { type: 'string', multiple: true, default: Object.keys(stores) },
  },
});
const SESSIONS = Number(options.sessions);
const HOUR = 60 * 60 * 1000;
const BATCH = 200;
const VISITORS = 4;
const call = { signal: new AbortController().signal };
const now = Date.now();
const LATER = now + HOUR;

async function measure(name, { store, close }) {
  try {
    if (isPrepared(store)) await store.prepare();
    console.log(
      `${name}, ${SESSIONS.toLocaleString('en')} sessions of about 200 bytes, Node ${process.version}`,
    );
    await fill(store, 100);
    const few = await revoking(store);
    await fill(store, SESSIONS - 100);
    const many = await revoking(store);
    console.log(
      `  revoking 5 sessions of one principal: ${ms(few)} with 100 stored, ${ms(many)} now, ratio ${(many / few).toFixed(2)}`,
    );

    const visitors = await Visitors.begin(store);
    await visitors.during(() => pause(1000));
    const quiet = await visitors.during(() => pause(4000));
    console.log(`  a visit (find, update) on a quiet store: ${show(quiet)}`);
    console.log(`  enumerating holds ${await holding(store)}`);
    compare('enumerating', quiet, await visitors.during(() => enumerate(store)));
    if (isSweepable(store)) compare('sweeping', quiet, await visitors.during(() => sweep(store)));
    console.log();
  } finally {
    await close();
  }
}

function compare(what, quiet, { result, ...busy }) {
  const ratio = (key) => (busy[key] / quiet[key]).toFixed(2);
  console.log(`  ${what}: ${result}`);
  console.log(
    `    a visit meanwhile: ${show(busy)}; ratio ${ratio('median')} (median), ${ratio('p99')} (99 %)`,
  );
}

function aRecord(given = {}) {
  const id = newSessionId();
  const { secretHash } = newToken(id, 'bench');
  return { id, version: 1, secretHash, principal: null, expiresAt: LATER, body: 'x'.repeat(200), ...given };
}

async function fill(store, count) {
  for (let left = count; left > 0; left -= BATCH) {
    const records = Array.from({ length: Math.min(BATCH, left) }, (_, n) =>
      aRecord(n % 2 === 0 ? {} : { principal: `bench:${left}-${n % 50}` }),
    );
    await Promise.all(records.map((record) => store.insert(record, call)));
  }
}

/** Median milliseconds to revoke one principal's five sessions. */
async function revoking(store) {
  const times = [];
  for (let round = -30; round < 60; round++) {
    const principal = `bench:revoked-${round}`;
    await Promise.all(Array.from({ length: 5 }, () => store.insert(aRecord({ principal }), call)));
    const begun = performance.now();
    const removed = await store.deleteByPrincipal(principal, call);
    if (round >= 0) times.push(performance.now() - begun);
    if (removed !== 5) throw new Error(`${removed} sessions removed instead of 5`);
  }
  return quantile(times, 0.5);
}

/** Goes through everything. */
async function enumerate(store, look = () => {}) {
  const begun = performance.now();
  let seen = 0;
  for await (const record of store.records(call)) {
    if (record.id.length !== 22) throw new Error('a wrong record');
    if (++seen % 20_000 === 0) look();
  }
  if (seen < SESSIONS) throw new Error(`${seen} sessions seen of ${SESSIONS}`);
  return `${Math.round(performance.now() - begun)} ms`;
}

/** What going through everything holds in memory at most, garbage not counted. */
async function holding(store) {
  const heap = () => {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const before = heap();
  let most = 0;
  await enumerate(store, () => (most = Math.max(most, heap() - before)));
  return `${(most / 2 ** 20).toFixed(1)} MB at most`;
}

/** As the module does: batch after batch, with a rest between. */
async function sweep(store) {
  const begun = performance.now();
  let removed = 0;
  for (let last = BATCH; last === BATCH; removed += last) {
    const start = performance.now();
    last = await store.sweep(LATER, BATCH, call);
    await pause(pauseAfter(performance.now() - start, 10));
  }
  if (removed < SESSIONS) throw new Error(`${removed} sessions removed of ${SESSIONS}`);
  const time = performance.now() - begun;
  return `${Math.round(time)} ms, ${((time * 1000) / removed).toFixed(0)} µs a session, pauses included`;
}

/** Some who go on visiting with sessions of their own, one visit after the other, with a breath between. */
class Visitors {
  #records;

  constructor(store, records) {
    this.store = store;
    this.#records = records;
  }

  static async begin(store) {
    const records = Array.from({ length: VISITORS * 25 }, () => aRecord({ expiresAt: LATER + HOUR }));
    for (const record of records) await store.insert(record, call);
    return new Visitors(store, records);
  }

  /** What a visit takes while something else is done. */
  async during(work) {
    const times = [];
    let done = false;
    const visits = Array.from({ length: VISITORS }, async (_, visitor) => {
      for (let n = visitor; !done; n = (n + VISITORS) % this.#records.length) {
        times.push(await this.#visit(n));
        await pause(2);
      }
    });
    const result = await Promise.resolve(work()).finally(() => (done = true));
    await Promise.all(visits);
    return { result, median: quantile(times, 0.5), p99: quantile(times, 0.99), most: Math.max(...times) };
  }

  async #visit(n) {
    const begun = performance.now();
    const found = await this.store.find(this.#records[n].id, call);
    const updated = await this.store.update({ ...found, version: found.version + 1 }, found.version, call);
    if (!updated) throw new Error('a visit was refused');
    return performance.now() - begun;
  }
}

function show({ median, p99, most }) {
  return `${ms(median)} (99 % ${ms(p99)}, most ${ms(most)})`;
}

function ms(milliseconds) {
  return `${milliseconds.toFixed(milliseconds < 1 ? 3 : 1)} ms`;
}

for (const name of options.store) {
  const open = stores[name];
  if (open === undefined)
    throw new Error(`There is no store ${name}; known are ${Object.keys(stores).join(', ')}.`);
  if (typeof open === 'string') console.log(`${name}: skipped, ${open}\n`);
  else await measure(name, await open());
}
