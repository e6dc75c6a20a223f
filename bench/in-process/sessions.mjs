import { createRequire } from 'node:module';

// What works inside the module is no part of what the package exports, and is the subject here.
const require = createRequire(import.meta.url);
const { jsonCodec } = require('../../dist/core/session-codec.js');
const { SessionManager } = require('../../dist/core/session-manager.js');

export const HOUR = 60 * 60 * 1000;
export const timeouts = { lifetime: 24 * HOUR, idleTimeout: HOUR / 2 };

/** A session manager as the module makes it of its defaults. */
export function newManager(store) {
  return new SessionManager(store, {
    name: 'default',
    codec: jsonCodec,
    clock: () => Date.now(),
    timeouts,
    rememberedTimeouts: timeouts,
    rotateEvery: null,
    logins: { pendingLifetime: 600_000, locksWhenIdle: false, limit: null },
    persistent: false,
    maxBytes: 64 * 1024,
    storeTimeout: 3000,
    sealedFor: 'cookie session',
    emit: () => {},
  });
}

/** What a session holds: JSON of that many bytes. */
export function dataOf(bytes) {
  const data = { theme: 'dark', visits: 1, profile: { name: 'Ada Lovelace', note: '' } };
  data.profile.note = 'x'.repeat(bytes - JSON.stringify(data).length);
  return data;
}
