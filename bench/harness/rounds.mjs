/**
 * Starts all subjects at once and asks one after the other, round after round: what disturbs the machine disturbs them alike.
 * @param start starts a subject: `Server.start` or `Unserved.start`
 * @param subjects each with a `name` of its own, and the `share` of the `requests` of a round that it gets where it is slow
 * @param sittings how often all of them are started anew, since one process of a subject differs from the next
 * @param warmUp which part of the time goes into compiling, which is not what a server does for most of its life: it takes V8 tens of
 *   thousands of requests, and each route has code of its own
 * @param seconds for everything; each route of each sitting goes on for its part of what is left
 * @returns for each route, each subject's measurements by name and round
 */
export async function runRounds({ start, subjects, platform, routes, requests, sittings, warmUp, seconds }) {
  const end = performance.now() + seconds * 1000;
  const results = routes.map((route) => ({
    route,
    measured: Object.fromEntries(subjects.map(({ name }) => [name, []])),
  }));
  for (let sitting = 0; sitting < sittings; sitting++) {
    const now = performance.now();
    const servers = [];
    try {
      for (const subject of subjects) servers.push(await start(subject, platform));
      const until = now + (end - now) / (sittings - sitting);
      await sit({ servers, subjects, results, requests, sittings, warmUp }, until);
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
    }
  }
  return results;
}

async function sit({ servers, subjects, results, requests, sittings, warmUp }, end) {
  const perRoute = results.map(({ route, measured }) =>
    servers.map((server, s) => ({
      rounds: measured[server.name],
      visit: server.visit(route),
      requests: Math.round(requests * (subjects[s].share ?? 1)),
    })),
  );
  // All routes before any is measured: as in an application, nothing is compiled for one of them alone.
  const all = perRoute.flat();
  const each = (warmUp * (end - performance.now())) / all.length;
  for (const { visit, requests } of all) await warm(visit, requests, each);
  for (const [i, visits] of perRoute.entries()) {
    const now = performance.now();
    await interleave(visits, Math.ceil(ROUNDS / sittings), now + (end - now) / (perRoute.length - i));
  }
}

async function warm(visit, requests, milliseconds) {
  const until = performance.now() + milliseconds;
  await visit.prepare();
  do await visit.measure(requests);
  while (performance.now() < until);
}

/** As many as a median needs to be sure of anything; where time is short they have fewer requests. */
const ROUNDS = 9;
const FEWEST_REQUESTS = 100;

async function interleave(visits, fewest, until) {
  const begun = performance.now();
  for (const { visit, requests } of visits) await visit.measure(requests);
  const once = performance.now() - begun;
  const part = Math.min(1, (until - performance.now()) / (fewest * once));
  let longest = 0;
  for (let round = 0; round < fewest || performance.now() + longest < until; round++) {
    const start = performance.now();
    // Every other round backwards, so that nobody always comes after the same neighbor.
    for (const { rounds, visit, requests } of round % 2 === 0 ? visits : visits.toReversed())
      rounds.push(await visit.measure(Math.max(FEWEST_REQUESTS, Math.round(part * requests))));
    longest = Math.max(longest, performance.now() - start);
  }
  for (const { visit } of visits) await visit.verify();
}
