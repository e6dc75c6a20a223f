import { measureOverhead } from '../harness/overhead-group.mjs';

export const title =
  'What a session costs a request on Nest + Fastify, over the same route without: CPU time, sessions in memory';

export function run(options) {
  return measureOverhead({
    group: 'overhead-fastify',
    platform: 'fastify',
    ours: { module: 'tessera' },
    peers: [
      { name: '@fastify/session', module: 'fastify-session' },
      { name: '@fastify/secure-session', module: 'secure-session' },
    ],
    goals: {
      untouched: { ours: 3 },
      read: { '@fastify/session': 0.8, '@fastify/secure-session': 1.2 },
      write: { '@fastify/session': 0.8, '@fastify/secure-session': 1 },
      login: { '@fastify/session': 0.8 },
    },
    seconds: options.quick ? 27 : 90,
    options,
  });
}
