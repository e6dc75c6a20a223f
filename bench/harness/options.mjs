import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ROUTES } from './routes.mjs';

const ALL_ROUTES = ROUTES.map(({ name }) => name);

/** What the command line asks for. */
export function readOptions() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      node: { type: 'string', default: process.execPath },
      platform: { type: 'string', multiple: true, default: ['express', 'fastify'] },
      route: { type: 'string', multiple: true, default: ALL_ROUTES },
      rounds: { type: 'string' },
      requests: { type: 'string' },
      against: { type: 'string' },
    },
  });
  const unknown = values.route.filter((name) => !ALL_ROUTES.includes(name));
  if (unknown.length > 0)
    throw new Error(`There is no route ${unknown.join(', ')}; known are ${ALL_ROUTES.join(', ')}.`);
  const { quick } = values;
  return {
    node: resolve(values.node),
    platforms: values.platform,
    routes: values.route,
    rounds: Number(values.rounds ?? (quick ? 5 : 11)),
    requests: Number(values.requests ?? (quick ? 1000 : 2500)),
    warmup: quick ? 3000 : 8000,
    against: values.against === undefined ? undefined : resolve(values.against),
  };
}
