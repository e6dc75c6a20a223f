// One store in memory: what a session takes, and how long everything else waits while all of them expire. Needs --expose-gc.
import { setTimeout as pause } from 'node:timers/promises';
import { answer, given } from './answer.mjs';
import { LongestPause } from './longest-pause.mjs';
import { HOUR } from './sessions.mjs';

const { name, served } = given();
const { subjects } = await import(served ? './memory-servers.mjs' : './memory-stores.mjs');
const store = await subjects[name]();
let before;

answer({
  port: () => store.port,
  /** What has been stored so far does not count. */
  begin: async () => {
    before = { size: store.size(), bytes: await bytesHeld() };
  },
  fill: async ({ count }) => {
    for (let i = 0; i < count; i++) await store.add(i);
  },
  /** Bytes for each session since the beginning. */
  bytes: async ({ count }) => {
    const bytes = (await bytesHeld()) - before.bytes;
    const stored = store.size() - before.size;
    if (stored !== count) throw new Error(`${name}: ${stored} sessions are stored instead of ${count}`);
    return bytes / count;
  },
  /** All expire at once. */
  expire: async () => {
    // What has been collected for the figures before is still being cleared away.
    await pause(1000);
    const real = Date.now;
    const begun = performance.now();
    const watch = new LongestPause();
    const batch = await store.expire(() => real() + HOUR);
    const longest = await watch.end();
    if (store.size() > 0) throw new Error(`${name}: ${store.size()} sessions are still there`);
    return { ...longest, batch, seconds: (performance.now() - begun) / 1000 };
  },
});

/** After what can be collected has been. */
async function bytesHeld() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await pause(50);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
