import { Server } from './server.mjs';
import { Visit } from './visit.mjs';

/**
 * Serves all subjects at once and asks one after the other, round after round: what disturbs the machine disturbs them alike.
 * @param subjects each with a `name` of its own, and the `share` of the requests that it is asked where it is slow
 * @param seconds for everything; each route goes on for its part of what is left, with two rounds at least
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
        visit: new Visit(server, route),
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

const FEWEST = 2;

async function interleave(visits, until) {
  const measured = Object.fromEntries(visits.map(({ name }) => [name, []]));
  let longest = 0;
  for (const { visit, requests } of visits) {
    await visit.prepare();
    // Compiling should be over before the first round.
    await visit.measure(requests);
  }
  for (let round = 0; round < FEWEST || performance.now() + longest < until; round++) {
    const begun = performance.now();
    // Every other round backwards, so that nobody always comes after the same neighbor.
    for (const { name, visit, requests } of round % 2 === 0 ? visits : visits.toReversed())
      measured[name].push(await visit.measure(requests));
    longest = Math.max(longest, performance.now() - begun);
  }
  for (const { visit } of visits) await visit.verify();
  return measured;
}
