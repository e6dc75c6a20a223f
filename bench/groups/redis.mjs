import { measureStored } from '../harness/stored-group.mjs';

export const title =
  'What a session in Redis costs a request, over the same route without: CPU time of the application';

export function run(options) {
  return measureStored({
    group: 'redis',
    kind: 'redis',
    asked: 'commands',
    ours: 'tessera-redis',
    peers: [
      { name: 'express-session + connect-redis', module: 'express-session-redis', platform: 'express' },
      { name: '@fastify/session + connect-redis', module: 'fastify-session-redis', platform: 'fastify' },
      { name: 'ioredis alone, Express', module: 'limit-redis', platform: 'express', isLimit: true },
      { name: 'ioredis alone, Fastify', module: 'limit-redis', platform: 'fastify', isLimit: true },
    ],
    seconds: options.quick ? 50 : 115,
    options,
  });
}
