import { Logger } from '@nestjs/common';
import { Cluster } from 'ioredis';
import { RedisSessionStore } from 'nestjs-tessera/redis';

/**
 * The sessions of all processes, in a Redis Cluster.
 * @param urls some of its nodes, separated by commas: they know the others
 */
export function openStore(urls: string | undefined): RedisSessionStore {
  if (!urls)
    throw new Error('Set REDIS_CLUSTER_URLS to nodes of a Redis Cluster: redis://host:port,redis://…');
  const client = new Cluster(urls.split(','), { lazyConnect: true });
  client.on('error', (error) => new Logger('Redis').error(error));
  // The client is for the store alone, which connects it, replaces lost connections, and closes it.
  return new RedisSessionStore(client, { prefix: 'cluster-sample:', closeClient: true });
}
