import { inOwnPlace } from '../harness/own-place.mjs';
import { noiseOf, row } from '../harness/row.mjs';
import { Child, withChildren } from '../in-process/child.mjs';
import { interleave } from '../in-process/interleave.mjs';

export const title =
  "SqlSessionStore on PostgreSQL without HTTP: CPU time of a find and of an update, over the same statement by the client's own query";

const CLIENTS = {
  pg: 'pg',
  postgres: 'postgres',
  prisma: 'Prisma',
  drizzle: 'Drizzle over pg',
  typeorm: 'TypeORM',
};
const WARM_UP = 1500;

export function run({ quick }) {
  const [rounds, times] = quick ? [7, 300] : [15, 1000];
  const names = Object.keys(CLIENTS);
  return inOwnPlace('postgres', ({ url }) => {
    const start = (name) => () => Child.start('sql-clients', { name }, { env: { POSTGRES_URL: url } });
    // The first once more, for the noise.
    return withChildren([...names, names[0]].map(start), async (children) => {
      for (const child of children) await child.ask('measure', { times: WARM_UP });
      const values = await interleave(children, rounds, (child) => child.ask('measure', { times }));
      const of = (i, what) => values[i].map((round) => round[what]);
      const noise = Math.max(
        ...['read', 'write'].map((what) => noiseOf(of(0, what), of(names.length, what))),
      );
      const rows = names.flatMap((name, i) =>
        ['read', 'write'].map((what) =>
          row({
            id: `sql-clients/${name}-${what}`,
            what: `${what} through ${CLIENTS[name]}`,
            unit: 'µs',
            ours: of(i, what),
            peer: { name: 'its own raw query', values: of(i, `${what} by itself`) },
            noise,
          }),
        ),
      );
      return { rows, noise, notes };
    });
  });
}

const notes = [
  'A hundred sessions of 200 bytes, one call after the other. The store prepares its statements on pg, TypeORM and postgres; the raw queries of Prisma, Drizzle and TypeORM are not prepared.',
];
