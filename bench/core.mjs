// npm run bench:core: the session manager alone, with the memory store and no HTTP. See README.md.
import { createRequire } from 'node:module';
import { MemorySessionStore } from 'nestjs-tessera';
import { summarize } from './harness/statistics.mjs';

// The manager is no part of what the package exports, and is the whole subject here.
const require = createRequire(import.meta.url);
const { SessionManager } = require('../dist/core/session-manager.js');
const { jsonCodec } = require('../dist/core/session-codec.js');

const HOUR = 60 * 60 * 1000;
const SESSIONS = 1000;
const ROUNDS = 15;
const ITERATIONS = 20_000;

const timeouts = { lifetime: 24 * HOUR, idleTimeout: HOUR / 2 };
const manager = new SessionManager({
  name: 'default',
  store: new MemorySessionStore(),
  codec: jsonCodec,
  clock: () => Date.now(),
  timeouts,
  rememberedTimeouts: timeouts,
  maxBytes: 64 * 1024,
  storeTimeout: 3000,
  emit: () => {},
});

const tokens = [];
for (let i = 0; i < SESSIONS; i++) tokens.push(await begin());

const subjects = {
  /** Opens an existing session, gets one key, commits nothing. */
  read: async (i) => {
    const session = await manager.open(tokens[i % SESSIONS]);
    if (session.get('theme') !== 'dark') throw new Error('a wrong value');
    await commit(session, 'keep');
  },
  /** Opens an existing session, counts, commits. */
  write: async (i) => {
    const session = await manager.open(tokens[i % SESSIONS]);
    session.update('visits', (visits) => visits + 1);
    await commit(session, 'keep');
  },
  /** Opens nothing, sets one key, commits, and gets a token. */
  new: async () => {
    const session = await manager.open(null);
    session.set('theme', 'dark');
    await commit(session, 'issue');
  },
};

const nanoseconds = Object.fromEntries(Object.keys(subjects).map((name) => [name, []]));
for (let round = -3; round < ROUNDS; round++) {
  for (const [name, run] of Object.entries(subjects)) {
    const { user, system } = process.cpuUsage();
    for (let i = 0; i < ITERATIONS; i++) await run(i);
    const used = process.cpuUsage({ user, system });
    // The first rounds warm up.
    if (round >= 0) nanoseconds[name].push(((used.user + used.system) * 1000) / ITERATIONS);
  }
}

console.log(`Node ${process.version}, sessions of about 200 bytes in memory; CPU time in ns an operation.\n`);
for (const [name, values] of Object.entries(nanoseconds)) {
  const { median, low, high, min } = summarize(values);
  const [m, l, h, least] = [median, low, high, min].map(Math.round);
  console.log(`open + get + commit, ${name.padEnd(5)}  ${m} ns  (quartiles ${l} … ${h}, least ${least})`);
}

async function begin() {
  const session = await manager.open(null);
  session
    .set('theme', 'dark')
    .set('visits', 0)
    .set('profile', { name: 'Ada Lovelace', note: '-'.repeat(130) });
  return (await manager.commit(session)).token;
}

/** As the module does: what needs no store is settled without a promise. */
async function commit(session, expected) {
  const { kind } = manager.settled(session) ?? (await manager.commit(session));
  if (kind !== expected) throw new Error(`${kind} instead of ${expected}`);
}
