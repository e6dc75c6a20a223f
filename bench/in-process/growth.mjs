// One store with so many sessions: what visiting random ones costs, revoking a principal's, and sweeping expired ones.
import { isPrepared, isSweepable } from 'nestjs-tessera';
import { stores } from '../subjects/stores.mjs';
import { answer, given } from './answer.mjs';
import { Figures } from './figures.mjs';
import { EACH, Population } from './population.mjs';
import { HOUR, newManager } from './sessions.mjs';

const { name, size, served } = given();
const call = { signal: new AbortController().signal };
const { store, close } = await stores[name]();
if (isPrepared(store)) await store.prepare();
const manager = newManager(store);
const population = new Population(store, size);

/** How much is done at once: as much for many sessions as for few, and no more than few can bear. */
const [VISITS, REVOCATIONS, BATCHES] = served ? [100, 10, 1] : [400, 20, 4];
const EXPIRED = 100;
const [BUSY, AGAIN] = [40, 10];
const hasBusy = name === 'memory';

const tasks = {
  fill: () => population.fill(),
  /** Microseconds of each, and of a sweep for each session that it removed. */
  measure: async () => {
    const figures = new Figures();
    for (let batch = 0; batch < BATCHES; batch++) {
      await expire();
      await visit(figures, 'read', openAndGet);
      await visit(figures, 'write', openAndChange);
      await sweep(figures);
      await visit(figures, 'find', find);
      await visit(figures, 'update', update);
      await revoke(figures);
    }
    return figures.means();
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

/** Random sessions; and a few again and again, as when few of many are busy, which the processor then has at hand. */
async function visit(figures, what, prepare) {
  await figures.time(what, VISITS, population.some(VISITS).map(prepare));
  if (!hasBusy) return;
  const busy = population.some(BUSY);
  const first = busy.map(prepare);
  const again = Array.from({ length: AGAIN }, () => busy.map(prepare)).flat();
  await figures.time(`${what}-busy`, again.length, again, first);
}

async function revoke(figures) {
  const principals = population.principals(REVOCATIONS);
  const operations = principals.map((n) => {
    const principal = population.principal(n);
    return async () => {
      const removed = await store.deleteByPrincipal(principal, call);
      if (removed !== EACH) throw new Error(`${removed} sessions were revoked`);
    };
  });
  await figures.time('revoke', REVOCATIONS, operations);
  await population.insert(principals.flatMap((n) => Array.from({ length: EACH }, (_, i) => n + i)));
}

/** Some expire; what is done before they are swept drives them out of the processor's cache. */
async function expire() {
  if (isSweepable(store)) await population.expire(EXPIRED, Date.now() - HOUR);
}

async function sweep(figures) {
  if (!isSweepable(store)) return;
  let removed;
  const sweepAll = async () => (removed = await store.sweep(Date.now(), 2 * EXPIRED, call));
  await figures.time('sweep', EXPIRED, [sweepAll]);
  if (removed !== EXPIRED) throw new Error(`${removed} sessions were swept`);
  await population.revive();
}
