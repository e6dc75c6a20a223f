// One store with so many sessions: what visiting random ones costs, revoking a principal's, and sweeping expired ones.
import { isPrepared, isSweepable } from 'nestjs-tessera';
import { stores } from '../subjects/stores.mjs';
import { answer, given } from './answer.mjs';
import { EACH, Population } from './population.mjs';
import { HOUR, newManager } from './sessions.mjs';

const { name, size, served } = given();
const call = { signal: new AbortController().signal };
const { store, close } = await stores[name]();
if (isPrepared(store)) await store.prepare();
const manager = newManager(store);
const population = new Population(store, size);

/** What is there to do, and how often in a round: no more than a small store can bear. */
const VISITS = served ? 150 : Math.min(2000, size / 2);
const REVOCATIONS = served ? 10 : 20;
const EXPIRED = 100;

const tasks = {
  fill: async () => {
    await population.fill();
  },
  /** Microseconds of each, and of a sweep for each session that it removed. */
  measure: async () => {
    const figures = {};
    await expire();
    figures.read = await timed(VISITS, population.some(VISITS).map(openAndGet));
    figures.find = await timed(VISITS, population.some(VISITS).map(find));
    const first = await sweep();
    await expire();
    figures.write = await timed(VISITS, population.some(VISITS).map(openAndChange));
    figures.update = await timed(VISITS, population.some(VISITS).map(update));
    const second = await sweep();
    if (isSweepable(store)) figures.sweep = (first + second) / 2;
    figures.revoke = await revoke();
    return figures;
  },
};

answer(tasks, async () => {
  manager.close();
  await close();
});

/** All that a request asks of the session manager to read. */
function openAndGet(n) {
  const token = population.token(n);
  return async () => {
    const session = await manager.open(token);
    if (session.get('theme') !== 'dark' || manager.settled(session)?.kind !== 'keep')
      throw new Error('a wrong session');
  };
}

/** All that a request asks of the session manager to write. */
function openAndChange(n) {
  const token = population.token(n);
  population.versions[n]++;
  return async () => {
    const session = await manager.open(token);
    session.update('visits', (visits) => visits + 1);
    if ((await manager.commit(session)).kind !== 'keep') throw new Error('a wrong decision');
  };
}

function find(n) {
  const id = population.id(n);
  return async () => {
    if ((await store.find(id, call))?.id !== id) throw new Error('a wrong record');
  };
}

function update(n) {
  const record = population.next(n);
  const expected = population.versions[n]++;
  return async () => {
    if (!(await store.update(record, expected, call))) throw new Error('an update was refused');
  };
}

async function revoke() {
  const first = population.principals(REVOCATIONS);
  const operations = first.map((n) => {
    const principal = population.principal(n);
    return async () => {
      const removed = await store.deleteByPrincipal(principal, call);
      if (removed !== EACH) throw new Error(`${removed} sessions were revoked`);
    };
  });
  const time = await timed(REVOCATIONS, operations);
  await population.insert(first.flatMap((n) => Array.from({ length: EACH }, (_, i) => n + i)));
  return time;
}

/** Some expire, and what is done before they are swept drives them out of the processor's cache. */
async function expire() {
  if (isSweepable(store)) await population.expire(EXPIRED, Date.now() - HOUR);
}

async function sweep() {
  if (!isSweepable(store)) return 0;
  let removed;
  const time = await timed(EXPIRED, [
    async () => (removed = await store.sweep(Date.now(), 2 * EXPIRED, call)),
  ]);
  if (removed !== EXPIRED) throw new Error(`${removed} sessions were swept`);
  await population.revive();
  return time;
}

/** CPU time of this process, or, where another serves, the time until it answered. One after the other. */
async function timed(count, operations) {
  const cpu = process.cpuUsage();
  const begun = performance.now();
  for (const operation of operations) await operation();
  const passed = (performance.now() - begun) * 1000;
  const { user, system } = process.cpuUsage(cpu);
  return (served ? passed : user + system) / count;
}
