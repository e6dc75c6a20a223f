import { describeRequiring } from '../not-run';
import { ownPlace } from './own-place';
import { startMariadb, startPostgres, startRedis } from './private-server';
import { startRedisCluster, type RedisCluster } from './redis-cluster';
import type { Server, Service, ServiceKind } from './server';
import { privateSourceOf, sourceOf, surroundings, type Source } from './source';

/** What starting or ending a server may take, in milliseconds, on a machine that has much else to do. */
const HOOK = 120_000;

/** What a test file has for a while. */
interface Lease<T> {
  readonly thing: T;
  end(): Promise<void>;
}

const starters = { postgres: startPostgres, mariadb: startMariadb, redis: startRedis };

/**
 * A `describe` whose tests have a server: the one that a variable names, else one of their own. When there is neither,
 * they are skipped, which the block "Not run" counts; with `CI=true` they fail instead.
 * @param body calls `service` in hooks and tests only, since there is none before
 */
export function describeWith(
  kind: ServiceKind,
  title: string,
  body: (service: () => Service) => void,
  where = surroundings(),
): void {
  describeFrom(sourceOf(kind, where), title, body, async (source) => {
    if (source.kind === 'given') {
      const place = await ownPlace(kind, source.urls);
      return { thing: place, end: () => place.leave() };
    }
    const { urls, stop } = await startPrivate(kind);
    return { thing: await ownPlace(kind, urls), end: stop };
  });
}

/**
 * The same, with a server that is always private, so that a test may freeze and kill it.
 * @param start starts it with options of its own: `() => startRedis(['--appendonly', 'yes'])`
 */
export function describeWithPrivate(
  kind: Exclude<ServiceKind, 'redis-cluster'>,
  title: string,
  body: (server: () => Server) => void,
  start: () => Promise<Server> = starters[kind],
): void {
  describeFrom(privateSourceOf(kind, surroundings()), title, body, async () => {
    const server = await start();
    return { thing: server, end: () => server.stop() };
  });
}

/** The same, with a private Redis Cluster. */
export function describeWithCluster(title: string, body: (cluster: () => RedisCluster) => void): void {
  describeFrom(privateSourceOf('redis-cluster', surroundings()), title, body, async () => {
    const cluster = await startRedisCluster();
    return { thing: cluster, end: () => cluster.stop() };
  });
}

async function startPrivate(kind: ServiceKind): Promise<{ urls: readonly string[]; stop(): Promise<void> }> {
  if (kind === 'redis-cluster') return startRedisCluster();
  const server = await starters[kind]();
  return { urls: [server.url], stop: () => server.stop() };
}

function describeFrom<T>(
  source: Source,
  title: string,
  body: (thing: () => T) => void,
  acquire: (source: Exclude<Source, { kind: 'missing' }>) => Promise<Lease<T>>,
): void {
  describeRequiring(source.kind === 'missing' ? source.advice : null, title, () => {
    let lease: Lease<T> | undefined;
    beforeAll(async () => {
      if (source.kind !== 'missing') lease = await acquire(source);
    }, HOOK);
    afterAll(() => lease?.end(), HOOK);
    body(() => lease?.thing ?? absent());
  });
}

function absent(): never {
  throw new Error('The server is there in hooks and tests only, not while they are being described.');
}
