import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import fastify from 'fastify';
import { SealedSessions } from 'nestjs-tessera/sealed';
import { dataOf, HOUR, newManager, timeouts } from './sessions.mjs';

// Those compared with are installed apart: npm ci --prefix bench/peers
const peers = createRequire(new URL('../peers/package.json', import.meta.url));

// What turns state into a cookie and back is no part of what the package exports, and is the subject here.
const require = createRequire(import.meta.url);
const { jsonCodec } = require('../../dist/core/session-codec.js');
const { decodeBody, encodeBody } = require('../../dist/core/session-body.js');
const { newState } = require('../../dist/core/session-state.js');
const { newSessionId, newToken } = require('../../dist/core/session-token.js');
const { KeyRing } = require('../../dist/stores/sealed/key-ring.js');
const { SealedValues } = require('../../dist/stores/sealed/sealed-values.js');
const { resolveKeys } = require('../../dist/stores/sealed/sealing-keys.js');

const key = randomBytes(32);

/**
 * Each gives `seal`, data into a cookie, and `open`, a cookie into the number of visits in it; each as its own requests do it, its
 * own clock, expiry and JSON included.
 */
export const subjects = {
  'nestjs-tessera': (bytes) => tessera(bytes, false),
  'nestjs-tessera, signed': (bytes) => tessera(bytes, true),
  'nestjs-tessera, request': (bytes) => request(bytes, false),
  'nestjs-tessera, request, signed': (bytes) => request(bytes, true),
  '@fastify/secure-session': secureSession,
  'iron-session': ironSession,
  'cookie-session': cookieSession,
};

function tessera(bytes, readable) {
  const { keys } = resolveKeys([key]);
  const ring = new KeyRing(keys, { instance: 'default', channel: 'cookie __Host-session', readable });
  const values = new SealedValues(ring, timeouts.lifetime);
  const id = newSessionId();
  const { secretHash } = newToken(id, 'default');
  const state = { ...newState(Date.now(), timeouts), data: dataOf(bytes) };
  return {
    seal: () => {
      const now = Date.now();
      const body = encodeBody(state, jsonCodec);
      return values.seal({ id, version: 1, secretHash, principal: null, expiresAt: now + HOUR, body }, now);
    },
    open: (cookie) => {
      const { record } = values.open(cookie);
      const { data, deadline } = decodeBody(record.body, jsonCodec);
      return Date.now() < Math.min(record.expiresAt, deadline) ? data.visits : undefined;
    },
  };
}

/** All that a request asks of the session manager: `open` only reads, `seal` opens what was sealed last, changes it and seals it anew. */
async function request(bytes, readableByClient) {
  const store = new SealedSessions({ keys: [key], readableByClient, dangerouslyWithoutRevocation: true });
  const manager = newManager(store);
  const first = await manager.open(null);
  for (const [name, value] of Object.entries(dataOf(bytes))) first.set(name, value);
  let latest = (await manager.commit(first)).token;
  return {
    seal: async () => {
      const session = await manager.open(latest);
      // Ends as it began, and changes each time.
      session.update('visits', (visits) => (visits === 1 ? 2 : 1));
      latest = (await manager.commit(session)).token;
      return latest;
    },
    open: async (cookie) => {
      const session = await manager.open(cookie);
      const visits = session.get('visits');
      if (manager.settled(session)?.kind !== 'keep') throw new Error('something was written');
      return visits;
    },
  };
}

async function secureSession(bytes) {
  const server = fastify();
  await server.register(peers('@fastify/secure-session'), { key });
  await server.ready();
  const session = server.createSecureSession(dataOf(bytes));
  return {
    seal: () => server.encodeSecureSession(session),
    open: (cookie) => server.decodeSecureSession(cookie)?.get('visits'),
  };
}

function ironSession(bytes) {
  const { sealData, unsealData } = peers('iron-session');
  const password = key.toString('base64url');
  const data = dataOf(bytes);
  return {
    seal: () => sealData(data, { password }),
    open: async (cookie) => (await unsealData(cookie, { password })).visits,
  };
}

/** Has no functions to call by themselves: its middleware reads a header and writes two. */
function cookieSession(bytes) {
  const middleware = peers('cookie-session')({ keys: [key.toString('base64url')] });
  const data = dataOf(bytes);
  const next = () => {};
  return {
    seal: () => {
      const response = new Response();
      const request = { headers: {}, protocol: 'https', session: undefined };
      middleware(request, response, next);
      request.session = data;
      response.writeHead(200);
      // Name and value of each; what follows is the same for everybody.
      return response.lines.map((line) => line.slice(0, line.indexOf(';'))).join('; ');
    },
    open: (cookie) => {
      const response = new Response();
      const request = { headers: { cookie }, protocol: 'https', session: undefined };
      middleware(request, response, next);
      const { visits } = request.session;
      response.writeHead(200);
      if (response.lines !== undefined) throw new Error('something was written');
      return visits;
    },
  };
}

/** What cookie-session needs of a response. */
class Response {
  lines;

  getHeader() {
    return this.lines;
  }

  setHeader(_name, lines) {
    this.lines = lines;
  }

  writeHead() {}
}
