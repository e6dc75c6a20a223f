import { Cluster as Ioredis5Cluster, Redis as Ioredis5 } from 'ioredis';
import { Cluster as Ioredis6Cluster, Redis as Ioredis6 } from 'ioredis-6';
import type { RedisClient } from 'nestjs-tessera/redis';
import * as redis5 from 'redis';
import * as redis6 from 'redis-6';

/** A client as an application opens it. */
export interface OpenClient {
  readonly client: RedisClient;
  close(): Promise<void>;
}

export interface RedisClientKind {
  readonly name: string;
  open(urls: readonly string[]): Promise<OpenClient>;
}

interface NodeRedis {
  on(event: 'error', listener: () => void): unknown;
  connect(): Promise<unknown>;
  destroy(): unknown;
}

interface Ioredis {
  on(event: 'error', listener: () => void): unknown;
  disconnect(): void;
}

/** @param client must have a listener for errors, as every application's has */
export async function opened<C extends NodeRedis & RedisClient>(client: C) {
  client.on('error', () => {});
  await client.connect();
  return { client, close: async () => void (await client.destroy()) };
}

export function openedIoredis<C extends Ioredis & RedisClient>(client: C) {
  client.on('error', () => {});
  return { client, close: async () => client.disconnect() };
}

/** For one server. */
export const redisClients: readonly RedisClientKind[] = [
  { name: 'redis 5', open: ([url]) => opened(redis5.createClient({ url })) },
  { name: 'redis 6', open: ([url]) => opened(redis6.createClient({ url })) },
  { name: 'ioredis 5', open: async ([url]) => openedIoredis(new Ioredis5(url!)) },
  { name: 'ioredis 6', open: async ([url]) => openedIoredis(new Ioredis6(url!)) },
];

/** For a Cluster. */
export const redisClusterClients: readonly RedisClientKind[] = [
  { name: 'redis 5', open: (urls) => opened(redis5.createCluster({ rootNodes: rootNodes(urls) })) },
  { name: 'redis 6', open: (urls) => opened(redis6.createCluster({ rootNodes: rootNodes(urls) })) },
  { name: 'ioredis 5', open: async (urls) => openedIoredis(new Ioredis5Cluster([...urls])) },
  { name: 'ioredis 6', open: async (urls) => openedIoredis(new Ioredis6Cluster([...urls])) },
];

function rootNodes(urls: readonly string[]) {
  return urls.map((url) => ({ url }));
}
