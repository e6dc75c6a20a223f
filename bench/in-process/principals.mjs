// One store with so many sessions, ten to a principal: what it costs to list those of one principal, and to end them.
import { isPrepared } from 'nestjs-tessera';
import { stores } from '../subjects/stores.mjs';
import { answer, given } from './answer.mjs';
import { Figures } from './figures.mjs';
import { Population } from './population.mjs';
import { newManager } from './sessions.mjs';

const { name, size } = given();
const call = { signal: new AbortController().signal };
const { store, close, insertMany, settle = () => {} } = await stores[name]();
if (isPrepared(store)) await store.prepare();
const manager = newManager(store);
const EACH = 10;
const population = new Population(store, size, { each: EACH, visitors: 0, insertMany });

/** How many principals are asked for at once. */
const [LISTS, ENDS] = [50, 10];

/** How many lists are made before anything is measured, and over how many connections: see {@link warmUp}. */
const [WARM_UP, CONNECTIONS] = [120_000, 10];

const tasks = {
  fill: async () => {
    await population.fill();
    await settle();
    await warmUp();
  },
  /** Microseconds of each. */
  measure: async () => {
    const figures = new Figures();
    await figures.time('list', LISTS, population.principals(LISTS).map(list));
    const ended = population.principals(ENDS);
    await figures.time('endAll', ENDS, ended.map(endAll));
    await bringBack(ended);
    return figures.means();
  },
};

answer(tasks, async () => {
  manager.close();
  await close();
});

/** As in a server that has been up for a while. A process of PostgreSQL that touches a page for the first time waits until it is mapped. */
async function warmUp() {
  const pass = Math.min(size / EACH, WARM_UP / CONNECTIONS);
  const connection = async () => {
    for (let done = 0; done < WARM_UP / CONNECTIONS; done += pass)
      for (const n of population.principals(pass)) await list(n)();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
}

/** As `SessionRegistry.list` does. */
function list(n) {
  const principal = population.principal(n);
  return async () => {
    const infos = await manager.directory.list(principal, null);
    if (infos.length !== EACH) throw new Error(`${infos.length} sessions were listed`);
  };
}

/** Each client can be told afterwards why its session has ended. */
function endAll(n) {
  const [realm, id] = population.principal(n).split(':');
  return () => manager.endAll({ realm, id });
}

async function bringBack(principals) {
  for (const n of principals) {
    const left = await manager.directory.countOf(population.principal(n));
    if (left > 0) throw new Error(`${left} sessions were not ended`);
    population.succeed(n);
  }
  const numbers = principals.flatMap((n) => Array.from({ length: EACH }, (_, i) => n + i));
  // What tells the clients why is still there.
  for (const n of numbers) await store.delete(population.id(n), call);
  await population.insert(numbers);
}
