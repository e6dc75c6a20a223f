import { Server } from './server.mjs';

/**
 * Serves all subjects at once and asks one after the other, round after round: what disturbs the machine disturbs them alike.
 * @param subjects each with a `name` of its own, and the `share` of the `requests` of a round that it gets where it is slow
 * @param seconds for everything; each route goes on for its part of what is left
 * @returns for each route, each subject's measurements by name and round
 */
export async function runRounds({ subjects, platform, routes, requests, seconds }) {
  const end = performance.now() + seconds * 1000;
  const servers = [];
  try {
    for (const subject of subjects) servers.push(await Server.start(subject, platform));
    const results = [];
    for (const [i, route] of routes.entries()) {
      const visits = servers.map((server, s) => ({
        name: server.name,
        visit: server.visit(route),
        requests: Math.round(requests * (subjects[s].share ?? 1)),
      }));
      const now = performance.now();
      const until = now + (end - now) / (routes.length - i);
      results.push({ route, measured: await interleave(visits, until) });
    }
    return results;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

/**
 * Which part of the time goes into compiling, which is not what a server does for most of its life. It takes V8 tens of thousands of
 * requests, and each route has code of its own.
 */
const WARM_UP = 0.5;

async function warmUp(visit, requests, milliseconds) {
  const until = performance.now() + milliseconds;
  await visit.prepare();
  do await visit.measure(requests);
  while (performance.now() < until);
}

/** As many rounds as a figure needs to be a median of anything; where time is short they have fewer requests. */
const ROUNDS = 4;
const FEWEST_REQUESTS = 100;

async function interleave(visits, until) {
  const measured = Object.fromEntries(visits.map(({ name }) => [name, []]));
  const each = (WARM_UP * (until - performance.now())) / visits.length;
  for (const { visit, requests } of visits) await warmUp(visit, requests, each);
  const begun = performance.now();
  for (const { visit, requests } of visits) await visit.measure(requests);
  const once = performance.now() - begun;
  const part = Math.min(1, (until - performance.now()) / (ROUNDS * once));
  let longest = 0;
  for (let round = 0; round < ROUNDS || performance.now() + longest < until; round++) {
    const start = performance.now();
    // Every other round backwards, so that nobody always comes after the same neighbor.
    for (const { name, visit, requests } of round % 2 === 0 ? visits : visits.toReversed())
      measured[name].push(await visit.measure(Math.max(FEWEST_REQUESTS, Math.round(part * requests))));
    longest = Math.max(longest, performance.now() - start);
  }
  for (const { visit } of visits) await visit.verify();
  return measured;
}
