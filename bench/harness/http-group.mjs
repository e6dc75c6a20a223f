import { routesFor, USUAL } from './routes.mjs';
import { noiseOf, row } from './row.mjs';
import { runRounds } from './rounds.mjs';
import { Server } from './server.mjs';
import { differences, means, medianRange, quantile, ratios } from './statistics.mjs';
import { Unserved } from './unserved.mjs';

export const OURS = 'nestjs-tessera';
const AGAIN = 'nestjs-tessera again';
const BARE = 'bare';
const BARE_AGAIN = 'bare again';

/** Rounds of about the same length, and processes that start soon enough to be started more than once. */
export const OVER_SOCKETS = { start: Server.start, requests: 700, sittings: 1, warmUp: 0.5 };
export const WITHOUT_SOCKETS = { start: Unserved.start, requests: 1000, sittings: 3, warmUp: 0.6 };

/**
 * Asks ourselves and others, and compares what a request costs over the same route of a bare application: CPU time in
 * microseconds, round by round, less the mean of the two bare ones of the same round.
 * @param way `OVER_SOCKETS` or `WITHOUT_SOCKETS`
 * @param group its name, which begins every row's id
 * @param ours the `module` below bench/subjects, and its `options`
 * @param peers each with a `name`, its `module`, its `options`, and the `share` of the requests that it gets where it is
 *   slow, and as `idle` the routes on which it does nothing: a ratio to that means nothing
 * @param goals by route and peer, as ratios; for `ours`, in microseconds over bare
 * @param seconds for all usual routes
 * @param options what the command line asks for; with `against`, another build is the only peer
 */
export async function measureHttp({
  way = OVER_SOCKETS,
  group,
  platform,
  ours,
  peers,
  goals = {},
  seconds,
  options,
}) {
  const others = options.against === undefined ? peers : [otherOf(options.against, ours)];
  const subjects = [
    { name: BARE, module: 'bare' },
    { ...ours, name: OURS },
    ...others,
    { ...ours, name: AGAIN },
    { name: BARE_AGAIN, module: 'bare' },
  ];
  const routes = routesFor(options);
  const results = await runRounds({
    ...way,
    ...(options.quick && { sittings: 1 }),
    subjects,
    platform,
    routes,
    // A route by itself has code to compile as well.
    seconds: seconds * Math.min(1, Math.max(0.4, routes.length / USUAL.length)),
  });
  const figures = results.map(({ route, measured }) => figuresOf(route.name, measured));
  return {
    rows: figures
      .flatMap((figure) => rowsOf(figure, { group, peers: others, goals }))
      .map((one) => ({ ...one, platform })),
    noise: Math.max(...compared(figures).map(({ over }) => noiseOf(over[OURS], over[AGAIN]))),
    notes: [`${platform}: ${figures.map(summaryOf).join('; ')}`],
  };
}

/** Where nothing is kept there is next to nothing that could be compared with itself; only a run of just that has no better. */
function compared(figures) {
  const busy = figures.filter(({ route }) => route !== 'untouched' && route !== 'anonymous');
  return busy.length > 0 ? busy : figures;
}

/** What each subject of a route takes, over bare by round, and what its clients saw. */
function figuresOf(route, measured) {
  const cpuOf = (name) => measured[name].map(({ cpu }) => cpu);
  const bare = means(cpuOf(BARE), cpuOf(BARE_AGAIN));
  const over = Object.fromEntries(
    Object.keys(measured).map((name) => [name, differences(cpuOf(name), bare)]),
  );
  const bareNoise = differences(cpuOf(BARE), cpuOf(BARE_AGAIN)).map(Math.abs);
  const seen = Object.fromEntries(Object.entries(measured).map(([name, rounds]) => [name, seenBy(rounds)]));
  return { route, bare: quantile(bare, 0.5), bareNoise: quantile(bareNoise, 0.5), over, seen };
}

/** Nothing, where there are no clients of its own. */
function seenBy(rounds) {
  if (rounds[0].perSecond === undefined) return {};
  const median = (name) =>
    quantile(
      rounds.map((measurement) => measurement[name]),
      0.5,
    );
  return { 'requests/s': Math.round(median('perSecond')), 'p99 ms': round(median('p99')) };
}

function rowsOf({ route, over, seen }, { group, peers, goals }) {
  const goalsHere = goals[route] ?? {};
  const alone =
    goalsHere.ours === undefined
      ? []
      : [
          row({
            id: `${group}/${route}`,
            what: route,
            unit: UNIT,
            ours: over[OURS],
            goal: goalsHere.ours,
            more: seen[OURS],
          }),
        ];
  const busy = peers.filter(({ idle = [] }) => !idle.includes(route));
  const besidePeers = busy.map(({ name }) =>
    row({
      id: `${group}/${route}/${name}`,
      what: route,
      unit: UNIT,
      ours: over[OURS],
      peer: { name, values: over[name] },
      noise: ratioNoise(over[OURS], over[AGAIN], over[name]),
      goal: goalsHere[name],
      more: { ...seen[OURS], ...ofPeer(seen[name]) },
    }),
  );
  return [...alone, ...besidePeers];
}

const UNIT = 'µs';

/** By how much the ratio to a peer may differ when ours is replaced by itself. */
function ratioNoise(once, again, peer) {
  return Math.max(...medianRange(ratios(differences(once, again), peer)).map(Math.abs));
}

export function ofPeer(figures) {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [`peer ${name}`, value]));
}

function summaryOf({ route, bare, bareNoise, over }) {
  return `${route} ${bare.toFixed(1)} µs bare (± ${bareNoise.toFixed(1)}, ${over[OURS].length} rounds)`;
}

function otherOf(build, ours) {
  return { ...ours, name: `${OURS} of ${build.name}`, build };
}

function round(value) {
  return Math.round(value * 100) / 100;
}
