import { CONNECTIONS } from './load.mjs';
import { countAskedOf } from './counting-proxy.mjs';
import { Server } from './server.mjs';

/**
 * How often a subject asks its database server in one request of each route. Counted in a process of its own and over a proxy, so that
 * neither others on the same server nor the counting have a part in any figure.
 * @returns by route
 */
export async function askedPerRequest(kind, subject, platform, routes) {
  const proxy = await countAskedOf(kind, subject.options.url);
  const server = await Server.start(
    { ...subject, options: { ...subject.options, url: proxy.url } },
    platform,
  );
  try {
    const asked = {};
    for (const route of routes) {
      const visit = server.visit(route);
      await visit.prepare();
      // Connections are made, and what is done once is done.
      await visit.measure(REQUESTS);
      const before = proxy.counted();
      await visit.measure(REQUESTS);
      asked[route.name] = (proxy.counted() - before) / REQUESTS;
    }
    return asked;
  } finally {
    await server.stop();
    await proxy.stop();
  }
}

const REQUESTS = 10 * CONNECTIONS;
