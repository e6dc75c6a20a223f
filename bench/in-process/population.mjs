import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { dataOf, HOUR, timeouts } from './sessions.mjs';

const require = createRequire(import.meta.url);
const { jsonCodec } = require('../../dist/core/session-codec.js');
const { encodeBody } = require('../../dist/core/session-body.js');
const { newState } = require('../../dist/core/session-state.js');
const { parseToken } = require('../../dist/core/session-token.js');

const SECRET = 's'.repeat(43);
const { secretHash } = parseToken(`${'i'.repeat(22)}.${SECRET}`, 'default');
const call = { signal: new AbortController().signal };
/** Sessions of one principal, unless it is said otherwise. Of ten sessions, five belong to one, and five to visitors. */
export const EACH = 5;
const IN_FLIGHT = 200;
const data = dataOf(200);

/**
 * So many sessions in a store, known by number. Ids and tokens are computed anew each time, as those of a request are: whoever
 * measures holds nothing of them, and nothing of them is still in the processor's cache.
 */
export class Population {
  #random = generator();
  #isExpired;
  /** Sessions of one principal, and of as many visitors as come with it. */
  #group;
  /** How many principals have had the place of one, by its number. */
  #successions = new Map();

  /**
   * @param each sessions of a principal
   * @param visitors sessions without one, for each principal
   * @param insertMany stores records at once; by default one by one, many at a time
   */
  constructor(store, size, { each = EACH, visitors = EACH, insertMany } = {}) {
    this.store = store;
    this.size = size;
    this.each = each;
    this.insertMany =
      insertMany ?? ((records) => Promise.all(records.map((record) => store.insert(record, call))));
    this.#group = each + visitors;
    this.versions = new Uint32Array(size);
    /** Those that have expired and wait to be swept. */
    this.expired = [];
    this.#isExpired = new Uint8Array(size);
  }

  /** In an order that has nothing to do with whose they are. */
  async fill() {
    const step = 7919; // no divisor of any size
    for (let done = 0; done < this.size; done += IN_FLIGHT) {
      const end = Math.min(this.size, done + IN_FLIGHT);
      await this.insert(Array.from({ length: end - done }, (_, i) => ((done + i) * step) % this.size));
    }
  }

  /** Stores sessions that are not there. */
  async insert(numbers) {
    for (const n of numbers) this.versions[n] = 0;
    for (let i = 0; i < numbers.length; i += IN_FLIGHT) {
      const some = numbers.slice(i, i + IN_FLIGHT);
      await this.insertMany(some.map((n) => this.next(n)));
      for (const n of some) this.versions[n] = 1;
    }
  }

  id(n) {
    return createHash('sha256').update(String(n)).digest().subarray(0, 16).toString('base64url');
  }

  token(n) {
    return `${this.id(n)}.${SECRET}`;
  }

  principal(n) {
    if (n % this.#group >= this.each) return null;
    const number = Math.floor(n / this.#group);
    return `user:${number}.${this.#successions.get(number) ?? 0}`;
  }

  /** Its record with the next version, as it would be written now. */
  next(n) {
    const now = Date.now();
    const principal = this.principal(n);
    const state = newState(now, timeouts);
    state.data = data;
    if (principal !== null) {
      const [realm, id] = principal.split(':');
      state.principal = { realm, id, roles: [] };
      state.authenticatedAt = now;
    }
    return {
      id: this.id(n),
      version: this.versions[n] + 1,
      secretHash,
      principal,
      // Not all in the same instant.
      expiresAt: now + HOUR / 2 - Math.floor(this.#random() * 60_000),
      body: encodeBody(state, jsonCodec),
    };
  }

  /** Different live ones. */
  some(count) {
    if (count > this.size - this.expired.length) throw new Error(`there are not ${count} sessions`);
    const chosen = new Set();
    while (chosen.size < count) {
      const n = Math.floor(this.#random() * this.size);
      if (this.#isExpired[n] === 0) chosen.add(n);
    }
    return [...chosen];
  }

  /** Lets another principal take the place of one: stores remember for a while that there was a former one. */
  succeed(n) {
    const number = Math.floor(n / this.#group);
    this.#successions.set(number, (this.#successions.get(number) ?? 0) + 1);
  }

  /** Different principals, each by the first of its sessions. */
  principals(count) {
    const group = this.#group;
    if (count > this.size / group) throw new Error(`there are not ${count} principals`);
    const chosen = new Set();
    while (chosen.size < count) chosen.add(Math.floor((this.#random() * this.size) / group) * group);
    return [...chosen];
  }

  /** Lets some expire. */
  async expire(count, at) {
    this.expired = this.some(count);
    for (const n of this.expired) {
      this.#isExpired[n] = 1;
      await this.store.extend(this.id(n), this.versions[n], at, call);
    }
  }

  /** Brings back those that were swept. */
  async revive() {
    await this.insert(this.expired);
    for (const n of this.expired) this.#isExpired[n] = 0;
    this.expired = [];
  }
}

/** The same numbers in each run (mulberry32). */
function generator(seed = 1) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
