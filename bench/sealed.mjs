// npm run build && node bench/sealed.mjs: sessions in the cookie itself, against iron-session and @fastify/secure-session. See README.md.
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import fastify from 'fastify';
import { SealedSessions } from 'nestjs-tessera/sealed';
import { summarize } from './harness/statistics.mjs';

// Those compared with are installed apart: npm ci --prefix bench/peers
const peers = createRequire(new URL('peers/package.json', import.meta.url));
const { sealData, unsealData } = peers('iron-session');
const secureSession = peers('@fastify/secure-session');

// What turns state into a cookie and back is no part of what the package exports, and is the subject here.
const require = createRequire(import.meta.url);
const { jsonCodec } = require('../dist/core/session-codec.js');
const { SessionManager } = require('../dist/core/session-manager.js');
const { decodeBody, encodeBody, newState } = require('../dist/core/session-state.js');
const { newSessionId, newToken } = require('../dist/core/session-token.js');
const { KeyRing } = require('../dist/stores/sealed/key-ring.js');
const { SealedValues } = require('../dist/stores/sealed/sealed-values.js');
const { resolveKeys } = require('../dist/stores/sealed/sealing-keys.js');

const HOUR = 60 * 60 * 1000;
const WARM_UP = 3;
const ROUNDS = process.argv.includes('--quick') ? 7 : 21;
const MICROSECONDS = 40_000;

const key = randomBytes(32);
const timeouts = { lifetime: 24 * HOUR, idleTimeout: HOUR / 2 };
const carrier = { channel: 'cookie __Host-session', capacity: 4096 - '__Host-session'.length };

const server = fastify();
await server.register(secureSession, { key });
await server.ready();

/** JSON of about that many bytes. */
const dataOf = (bytes) => ({
  theme: 'dark',
  visits: 1,
  profile: { name: 'Ada Lovelace', note: 'x'.repeat(bytes - 71) },
});

/** Each opens a cookie to its data and seals data into a cookie, its own clock, expiry and JSON included. */
const subjects = {
  'nestjs-tessera': (data) => tessera(data, false),
  'nestjs-tessera, signed': (data) => tessera(data, true),
  /** The text of the JSON alone: no JSON, no expiry, no version of anything. */
  'nestjs-tessera, text only': (data) => {
    const ring = ringOf(false);
    const text = JSON.stringify(data);
    return {
      seal: () => ring.seal(text),
      open: (cookie) => (ring.boxOf(cookie).open(cookie) === text ? 1 : undefined),
    };
  },
  '@fastify/secure-session': (data) => {
    const session = server.createSecureSession({ ...data });
    return {
      seal: () => server.encodeSecureSession(session),
      open: (cookie) => server.decodeSecureSession(cookie).get('visits'),
    };
  },
  'iron-session': (data) => {
    const password = key.toString('base64url');
    return {
      seal: () => sealData(data, { password }),
      open: async (cookie) => (await unsealData(cookie, { password })).visits,
    };
  },
  /** A request's session from the cookie to the cookie, as the gate and the handler see it. */
  'nestjs-tessera, whole': (data) => whole(data, false),
  'nestjs-tessera, whole, signed': (data) => whole(data, true),
};

function ringOf(readable) {
  const { keys } = resolveKeys([key]);
  return new KeyRing(keys, { instance: 'default', channel: carrier.channel, readable });
}

function tessera(data, readable) {
  const values = new SealedValues(ringOf(readable), carrier.capacity, timeouts.lifetime);
  const id = newSessionId();
  const { secretHash } = newToken(id, 'default');
  const state = { ...newState(Date.now(), timeouts), data };
  return {
    seal: () => {
      const now = Date.now();
      const body = encodeBody(state, jsonCodec, now);
      return values.seal({ id, version: 1, secretHash, principal: null, expiresAt: now + HOUR, body }, now);
    },
    open: (cookie) => {
      const { record } = values.open(cookie);
      const { data: opened, deadline } = decodeBody(record.body, jsonCodec);
      return Date.now() < Math.min(record.expiresAt, deadline) ? opened.visits : undefined;
    },
  };
}

function whole(data, readableByClient) {
  const manager = new SessionManager({
    name: 'default',
    store: new SealedSessions({ keys: [key], readableByClient, dangerouslyWithoutRevocation: true }),
    codec: jsonCodec,
    clock: () => Date.now(),
    timeouts,
    rememberedTimeouts: timeouts,
    carrier,
    maxBytes: 64 * 1024,
    storeTimeout: 3000,
    emit: () => {},
  });
  let latest;
  return {
    // Opening is a part of it.
    seal: async () => {
      const session = await manager.open(latest ?? null);
      if (latest === undefined) for (const [name, value] of Object.entries(data)) session.set(name, value);
      else session.update('visits', (visits) => (visits === 1 ? 2 : 1));
      latest = (await manager.commit(session)).token;
      return latest;
    },
    open: async (cookie) => {
      const session = await manager.open(cookie);
      const visits = session.get('visits');
      if (manager.settled(session).kind !== 'keep') throw new Error('something was written');
      return visits;
    },
  };
}

/** CPU time of one operation, in µs, as often as fits into a round. */
async function time(operation, iterations) {
  const { user, system } = process.cpuUsage();
  for (let i = 0; i < iterations; i++) {
    const result = operation();
    if (result instanceof Promise) await result;
  }
  const used = process.cpuUsage({ user, system });
  return (used.user + used.system) / iterations;
}

async function measure(bytes) {
  const data = dataOf(bytes);
  const runs = [];
  for (const [name, begin] of Object.entries(subjects)) {
    const { seal, open } = begin(data);
    const cookie = await seal();
    const check = (visits) => {
      if (visits !== 1) throw new Error(`${name} gave back ${visits}`);
    };
    const steps = {
      seal,
      open: () => {
        const visits = open(cookie);
        return visits instanceof Promise ? visits.then(check) : check(visits);
      },
    };
    for (const [step, operation] of Object.entries(steps)) {
      const iterations = Math.ceil(MICROSECONDS / (await time(operation, 200)));
      runs.push({ name, step, operation, iterations, length: cookie.length, values: [] });
    }
  }
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (const run of round % 2 === 0 ? runs : runs.toReversed()) {
      const microseconds = await time(run.operation, run.iterations);
      if (round >= 0) run.values.push(microseconds);
    }
  }
  return runs;
}

function report(bytes, runs) {
  const valuesOf = (name, step) => runs.find((run) => run.name === name && run.step === step).values;
  const both = (name) => valuesOf(name, 'open').map((value, round) => value + valuesOf(name, 'seal')[round]);
  const against = (name, other) =>
    summarize(both(name).map((value, round) => value / both(other)[round])).median;
  const show = (value) => value.toFixed(1).padStart(7);
  console.log(
    `\n${bytes} bytes of JSON                    open    seal    both   of iron   of secure   cookie`,
  );
  for (const name of Object.keys(subjects)) {
    const isWhole = name.includes('whole');
    const open = summarize(valuesOf(name, 'open')).median;
    const seal = summarize(valuesOf(name, 'seal')).median;
    const { length } = runs.find((run) => run.name === name);
    const ratios = isWhole
      ? ['', '']
      : [
          `1/${(1 / against(name, 'iron-session')).toFixed(0)}`,
          `${against(name, '@fastify/secure-session').toFixed(2)} ×`,
        ];
    console.log(
      name.padEnd(30),
      show(open),
      show(seal),
      isWhole ? ''.padStart(7) : show(summarize(both(name)).median),
      ratios[0].padStart(9),
      ratios[1].padStart(11),
      String(length).padStart(8),
    );
  }
}

console.log(`Node ${process.version}; µs of CPU an operation, median of ${ROUNDS} rounds.`);
console.log('"whole": open is a request that reads; seal is one that reads and writes, opening included.');
for (const bytes of [200, 2000]) report(bytes, await measure(bytes));
await server.close();
