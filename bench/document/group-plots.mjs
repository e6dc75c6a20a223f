import { bars, lines } from './plots.mjs';

const OURS = 'nestjs-tessera';
const HTTP = ['overhead-express', 'overhead-fastify', 'redis', 'postgres'];

/** The plots of a run, by name. */
export function plotsOf({ about, groups }) {
  const found = new Map();
  for (const group of groups) {
    const isServed = HTTP.includes(group.name);
    if (isServed)
      found.set(group.name, barsOf(group, 'µs of CPU a request over the route without sessions', about));
    if (group.name === 'growth') found.set(group.name, growthOf(group, about));
  }
  return found;
}

function barsOf({ title, rows }, unit, { node }) {
  const compared = rows.filter(({ peer }) => peer);
  const categories = unique(compared.map(({ what }) => what));
  const peers = unique(compared.map(({ peer }) => peer.name));
  const valueOf = (match, side) => compared.find(match)?.[side].median ?? null;
  return bars({
    title,
    unit: `${unit}, Node ${node.slice(1)}; shorter is better`,
    categories,
    series: [
      {
        name: OURS,
        ours: true,
        values: categories.map((what) => valueOf((row) => row.what === what, 'ours')),
      },
      ...peers.map((name) => ({
        name,
        values: categories.map((what) =>
          valueOf((row) => row.what === what && row.peer.name === name, 'peer'),
        ),
      })),
    ],
  });
}

/** Rows are called `<store>, <operation>, <size>`. */
function growthOf({ title, rows }, { node }) {
  const points = rows
    .filter(({ id }) => id.startsWith('growth/memory'))
    .map(({ id, ratio, ours }) => ({
      operation: id.split('/')[2],
      size: id.split('/')[3],
      value: ratio?.median ?? ours.median,
    }));
  const sizes = unique(points.map(({ size }) => size));
  return lines({
    title,
    unit: `the memory store, cost as a multiple of that with 1,000 sessions, Node ${node.slice(1)}`,
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
