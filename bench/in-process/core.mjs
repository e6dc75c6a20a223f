// The session manager with the memory store: opens, gets or changes, and commits.
import { MemorySessionStore } from 'nestjs-tessera';
import { answer, given } from './answer.mjs';
import { cpuOf } from './cpu.mjs';
import { dataOf, newManager } from './sessions.mjs';

const SESSIONS = 1000;
const { what, bytes } = given();
const data = dataOf(bytes);
const manager = newManager(new MemorySessionStore());
const tokens = [];
for (let i = 0; i < SESSIONS; i++) tokens.push(await begin(manager));

const operations = {
  /** Opens an existing session, gets one key, commits nothing. */
  read: () => async (i) => {
    const session = await manager.open(tokens[i % SESSIONS]);
    if (session.get('theme') !== 'dark') throw new Error('a wrong value');
    await commit(manager, session, 'keep');
  },
  /** Opens an existing session, counts, commits. */
  write: () => async (i) => {
    const session = await manager.open(tokens[i % SESSIONS]);
    session.update('visits', (visits) => visits + 1);
    await commit(manager, session, 'keep');
  },
  /** Opens nothing, sets everything, commits, and gets a token. Each time with an empty store, or it would only grow. */
  new: () => {
    const empty = newManager(new MemorySessionStore());
    return () => begin(empty);
  },
};

answer({
  /** As in an application, each has been done before, so that nothing is compiled for one of them alone. */
  warmUp: async ({ times }) => {
    for (let round = 0; round < 3; round++)
      for (const prepare of Object.values(operations)) await cpuOf(times, prepare());
  },
  measure: async ({ times }) => 1000 * (await cpuOf(times, operations[what]())),
});

async function begin(manager) {
  const session = await manager.open(null);
  for (const [name, value] of Object.entries(data)) session.set(name, value);
  return (await commit(manager, session, 'issue')).token;
}

/** As the module does: what needs no store is settled without a promise. */
async function commit(manager, session, expected) {
  const decision = manager.settled(session) ?? (await manager.commit(session));
  if (decision.kind !== expected) throw new Error(`${decision.kind} instead of ${expected}`);
  return decision;
}
