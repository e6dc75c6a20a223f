// node bench/profile.mjs: where a request's time goes, by whose code takes it. See profile.md.
import { Session } from 'node:inspector/promises';
import { parseArgs } from 'node:util';
import { handOver } from './harness/node.mjs';
import { NODE } from './harness/options.mjs';
import { routesFor } from './harness/routes.mjs';
import { Requests } from './in-process/requests.mjs';

// The first that matches. What is not named here counts for whoever called it: hashing, buffers, and what is built into the language.
const PARTS = [
  [/\/dist\/transports\/|node_modules\/cookie\//, 'ours: the cookie'],
  [/node_modules\/(@nestjs|rxjs)\//, 'Nest and RxJS'],
  [/node_modules\//, 'Express or Fastify'],
  [/\/dist\/http\/(session-gate|held-response|node-response|cache-rules)/, 'ours: gate and headers'],
  [/\/dist\/http\//, 'ours: hook, handle and reply'],
  [/\/dist\/core\/(session-codec|session-body)/, 'ours: JSON'],
  [/\/dist\/core\/session-token/, 'ours: token and SHA-256'],
  [/\/dist\/core\/store-client|\/dist\/stores\//, 'ours: memory store and deadline'],
  [/\/dist\/(core|decorators|[a-z.-]+js)/, 'ours: manager, session and commit'],
  [
    /^node:(_http|events|net|stream|internal\/(streams|stream_base|timers|http))/,
    'Node: HTTP, streams and events',
  ],
  [/^node:(async_hooks|internal\/(process|async))/, 'promises, ticks and async context'],
];

const HERE = new URL('.', import.meta.url).href;

const { values } = parseArgs({
  options: {
    platform: { type: 'string', default: 'fastify' },
    route: { type: 'string', default: 'read' },
    subject: { type: 'string', default: 'tessera' },
    requests: { type: 'string', default: '60000' },
    node: { type: 'string', default: NODE },
  },
});
handOver(values.node);
process.env.NODE_ENV = 'production';
const { platform, route, subject } = values;
const count = Number(values.requests);

const requests = await Requests.start(await import(`./subjects/${subject}.mjs`), platform);
const visit = requests.visit(routesFor({ routes: [route] })[0]);
await visit.prepare();
await visit.measure(30_000);
const { cpu } = await visit.measure(20_000);

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.setSamplingInterval', { interval: 200 });
await session.post('Profiler.start');
await visit.measure(count);
const { profile } = await session.post('Profiler.stop');
await visit.verify();

console.log(`Node ${process.version}, ${platform}, ${route}, ${subject}: ${cpu.toFixed(1)} µs a request\n`);
const parts = partsOf(profile);
const total = [...parts.values()].reduce((a, b) => a + b);
for (const [part, time] of [...parts].sort(([, a], [, b]) => b - a))
  console.log(`${((time / total) * cpu).toFixed(2).padStart(6)} µs  ${part}`);

/** The samples' time by part: the innermost frame that belongs to one decides. */
function partsOf({ nodes, samples, timeDeltas }) {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const found = new Map();
  for (const [i, id] of samples.entries()) {
    let part;
    for (let at = id; at !== undefined && part === undefined; at = parents.get(at))
      part = partOf(frames.get(at));
    if (part === 'idle') continue;
    part ??= 'Node: the rest';
    found.set(part, (found.get(part) ?? 0) + (timeDeltas[i + 1] ?? 0));
  }
  return found;
}

function partOf({ functionName, url }) {
  if (functionName === '(idle)') return 'idle';
  if (functionName === '(garbage collector)') return 'garbage collector';
  if (functionName === 'runMicrotasks') return 'promises, ticks and async context';
  if (url.startsWith(HERE)) return 'this bench';
  return PARTS.find(([pattern]) => pattern.test(url))?.[1];
}
