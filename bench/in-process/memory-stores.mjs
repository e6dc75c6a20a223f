import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { MemorySessionStore } from 'nestjs-tessera';
import { HOUR, timeouts } from './sessions.mjs';

const peers = createRequire(new URL('../peers/package.json', import.meta.url));
const require = createRequire(import.meta.url);
const { jsonCodec } = require('../../dist/core/session-codec.js');
const { encodeBody } = require('../../dist/core/session-body.js');
const { newState } = require('../../dist/core/session-state.js');
const { newSessionId, newToken } = require('../../dist/core/session-token.js');
const { SessionSweeper } = require('../../dist/session.sweeper.js');
const { StoreClient } = require('../../dist/core/store-client.js');

/** What a small session holds. */
export const DATA = { theme: 'dark', visits: 1 };

/**
 * Each store in memory by itself: `add` puts a small session in as its own library does, `size` counts, and `expire` does what there
 * is to do once all of them have expired, given the clock that says so.
 */
export const subjects = {
  'nestjs-tessera': () => tessera(() => null),
  'nestjs-tessera, logged in': () => tessera((i) => ({ id: String(i), realm: 'user', roles: [] })),
  'express-session': () => expressSession(),
  '@fastify/session': () => fastifySession(),
};

function tessera(principalOf) {
  const store = new MemorySessionStore();
  const call = { signal: new AbortController().signal };
  return {
    add: (i) => {
      const id = newSessionId();
      const now = Date.now();
      const principal = principalOf(i);
      const state = { ...newState(now, timeouts), data: DATA, principal };
      if (principal !== null) state.authenticatedAt = now;
      return store.insert(
        {
          id,
          version: 1,
          secretHash: newToken(id, 'default').secretHash,
          principal: principal && `${principal.realm}:${principal.id}`,
          expiresAt: now + HOUR / 2,
          body: encodeBody(state, jsonCodec),
        },
        call,
      );
    },
    size: () => store.size,
    expire: (clock) => swept(store, clock),
  };
}

/** As the module does: batch after batch, with a rest between. @returns what the longest batch took of the CPU, in milliseconds */
async function swept(store, clock) {
  let longest = 0;
  const { promise, resolve } = withResolvers();
  const watched = {
    sweep: async (...parameters) => {
      const begun = process.cpuUsage();
      const removed = await store.sweep(...parameters);
      const { user, system } = process.cpuUsage(begun);
      longest = Math.max(longest, (user + system) / 1000);
      if (store.size === 0) resolve();
      return removed;
    },
  };
  const client = new StoreClient(watched, 3000, () => {});
  const sweeper = new SessionSweeper(watched, client, clock, 1);
  sweeper.start();
  // The sweeper's own timer keeps no process alive.
  const alive = setInterval(() => {}, 1000);
  await promise;
  clearInterval(alive);
  await sweeper.stop();
  return longest;
}

/** It holds JSON, and forgets an expired session when it is asked for, or for all of them, as `length` asks too. */
function expressSession() {
  const session = peers('express-session');
  const store = new session.MemoryStore();
  let count = 0;
  return {
    add: () => {
      const cookie = new session.Cookie({ maxAge: HOUR / 2 });
      store.set(newPeerId(), { cookie, ...DATA });
      count++;
    },
    size: () => count,
    expire: async (clock) => {
      const now = Date.now;
      Date.now = clock;
      try {
        store.all();
      } finally {
        Date.now = now;
        count = Object.keys(store.sessions).length;
      }
    },
  };
}

/** It holds the objects, and forgets an expired session when its own visitor comes again. */
function fastifySession() {
  const { MemoryStore } = peers('@fastify/session');
  const Cookie = peers('@fastify/session/lib/cookie.js');
  const store = new MemoryStore();
  return {
    add: () => {
      const cookie = new Cookie({ maxAge: HOUR / 2 });
      store.set(newPeerId(), { cookie, ...DATA }, () => {});
    },
    size: () => store.store.size,
  };
}

/** As long as both make theirs. */
function newPeerId() {
  return randomBytes(24).toString('base64url');
}

/** `Promise.withResolvers`, which Node 20 has not. */
function withResolvers() {
  let resolve;
  const promise = new Promise((settle) => (resolve = settle));
  return { promise, resolve };
}
