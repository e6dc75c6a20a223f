import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** In the order in which they run. */
export const GROUPS = [
  'overhead-express',
  'overhead-fastify',
  'sockets',
  'redis',
  'postgres',
  'sql-clients',
  'sealed',
  'core',
  'memory',
  'growth',
  'startup',
];

/** The Node that figures are of, unless another is asked for. */
export const NODE = '24';

/** What the command line asks for. */
export function readOptions() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true, default: GROUPS },
      quick: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      json: { type: 'string' },
      node: { type: 'string', default: NODE },
      route: { type: 'string', multiple: true },
      'no-sockets': { type: 'boolean', default: false },
      against: { type: 'string' },
    },
  });
  const unknown = values.only.filter((name) => !GROUPS.includes(name));
  if (unknown.length > 0)
    throw new Error(`There is no group ${unknown.join(', ')}; known are ${GROUPS.join(', ')}.`);
  return {
    /** Groups to run. */
    only: values.only,
    /** Under a minute a group, and rougher: compiling still shows. */
    quick: values.quick,
    /** Of the group that grows: a million sessions on servers too, which takes minutes more. */
    full: values.full,
    /** The file for the figures. */
    json: values.json && resolve(values.json),
    /** The Node that everything runs in: a major version, or a binary. */
    node: values.node,
    /** Of groups that serve: only these routes. */
    routes: values.route,
    /** Of groups that ask both ways: the one over sockets is left out. */
    noSockets: values['no-sockets'],
    /** Of groups that serve, and of the core: a folder or a commit, whose build is compared with. */
    against: values.against,
  };
}
