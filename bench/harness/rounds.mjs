import { Server } from './server.mjs';
import { ROUTES, Visit } from './routes.mjs';

/**
 * Serves all subjects at once and asks one after the other, round after round: what disturbs the machine disturbs them alike.
 * @param subjects each with a `name` of its own
 * @returns for each route, each subject's CPU time in microseconds a request, by round
 */
export async function runRounds({ subjects, platform, node, routes, rounds, requests, warmup }) {
  const servers = [];
  try {
    for (const subject of subjects) servers.push(await Server.start(subject, platform, node));
    const results = [];
    for (const route of ROUTES.filter(({ name }) => routes.includes(name))) {
      const visits = servers.map((server) => new Visit(server, route));
      results.push({ route: route.name, figures: await interleave(visits, { rounds, requests, warmup }) });
    }
    return results;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

async function interleave(visits, { rounds, requests, warmup }) {
  const figures = visits.map(() => []);
  for (const visit of visits) {
    await visit.prepare();
    await visit.measure(warmup);
  }
  for (let round = 0; round < rounds; round++) {
    // Every other round backwards, so that nobody always comes after the same neighbor.
    const order = visits.map((_, i) => (round % 2 === 0 ? i : visits.length - 1 - i));
    for (const i of order) figures[i].push(await visits[i].measure(requests));
  }
  for (const visit of visits) await visit.verify();
  return figures;
}
