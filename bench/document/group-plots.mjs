import { bars, lines } from './plots.mjs';

const OURS = 'nestjs-tessera';
const HTTP = {
  'overhead-express': 'Nest on Express, sessions in memory',
  'overhead-fastify': 'Nest on Fastify, sessions in memory',
  redis: 'Sessions in Redis',
  postgres: 'Sessions in PostgreSQL',
};

/** The plots of a run, by name. */
export function plotsOf({ about, groups }) {
  const found = new Map();
  for (const group of groups) {
    const title = HTTP[group.name];
    if (title !== undefined) found.set(group.name, barsOf(group, title, about));
    if (group.name === 'growth') found.set(group.name, growthOf(group, about));
  }
  return found;
}

/** Where a group has peers on two platforms, those on the first: each has a route without sessions of its own. */
function barsOf({ rows }, title, { node }) {
  const compared = rows.filter(({ peer }) => peer);
  const here = compared.filter(({ platform }) => platform === compared[0].platform);
  const categories = unique(here.map(({ what }) => what));
  const peers = unique(here.map(({ peer }) => peer.name));
  const of = (what, name) =>
    here.find((row) => row.what === what && (name === undefined || row.peer.name === name));
  const way = here.some(({ sockets }) => sockets) ? ', without sockets' : '';
  return bars({
    title,
    unit: `µs of CPU a request over the route without sessions${way}, Node ${node.slice(1)}; shorter is better`,
    categories,
    series: [
      { name: OURS, ours: true, values: categories.map((what) => of(what).ours.median) },
      ...peers.map((name) => ({
        name,
        values: categories.map((what) => of(what, name)?.peer.median ?? null),
      })),
    ],
  });
}

/** Rows are called `growth/memory-<operation>-<size>/1k`. */
function growthOf({ rows }, { node }) {
  const points = rows.flatMap(({ id, ratio }) => {
    const [, operation, size] = /^growth\/memory-(read|write|revoke|sweep)-(\w+)\/1k$/.exec(id) ?? [];
    return operation === undefined ? [] : [{ operation, size, value: ratio.median }];
  });
  const sizes = unique(points.map(({ size }) => size));
  return lines({
    title: 'Growth',
    unit: `the memory store, as a multiple of the cost with 1,000 sessions, Node ${node.slice(1)}`,
    sizes: ['1k', ...sizes],
    limit: 1.3,
    series: unique(points.map(({ operation }) => operation)).map((operation, i) => ({
      name: operation,
      ours: i === 0,
      values: [
        1,
        ...sizes.map(
          (size) =>
            points.find((point) => point.operation === operation && point.size === size)?.value ?? null,
        ),
      ],
    })),
  });
}

function unique(values) {
  return [...new Set(values)];
}
