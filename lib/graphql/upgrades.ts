import type { IncomingHttpHeaders, IncomingMessage, Server } from 'node:http';
import type { SessionInstances } from '../requests/session-instance';

/** A request that opened a socket. */
export interface Upgrade {
  readonly instances: SessionInstances;
  readonly request: IncomingMessage;
  /** As they came. Mercurius adds what a client sends later: the page of another site could pretend to be of this one. */
  readonly headers: IncomingHttpHeaders;
  /** When it came, by the clock of the application. */
  readonly openedAt: number | undefined;
}

const upgrades = new WeakMap<object, Upgrade>();
const noted = new WeakSet<object>();

/**
 * Notes the requests that open sockets, before any other code has changed them. Called when the application is initialized. A listener makes Node
 * treat every request that offers another protocol as one that opens a socket, so there must be another listener already.
 */
export function noteUpgrades(instances: SessionInstances, server: Server | undefined): void {
  if (server === undefined || noted.has(server) || server.listenerCount('upgrade') === 0) return;
  noted.add(server);
  server.prependListener('upgrade', (request) => {
    const headers = { ...request.headers };
    upgrades.set(request, { instances, request, headers, openedAt: instances.clock?.() });
  });
}

/** @param request of Node or Fastify */
export function upgradeOf(request: { readonly raw?: object } | undefined): Upgrade | undefined {
  return request && upgrades.get(request.raw ?? request);
}
