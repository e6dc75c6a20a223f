/**
 * What the store needs of a client of the package `redis`, version 5 or 6: `createClient`, `createClientPool`, `createSentinel` or
 * `createCluster`. Their `sendCommand` differ in parameters, hence the type that asks for none.
 */
export interface NodeRedisClient {
  readonly isOpen: boolean;
  sendCommand(...parameters: never[]): Promise<unknown>;
}

/** What the store needs of a client of the package `ioredis`, version 5 or 6: `Redis`, with or without Sentinels, or `Cluster`. */
export interface IoredisClient {
  readonly status: string;
  call(...parameters: never[]): Promise<unknown>;
}

/** The application's own client; the store neither connects nor closes it. */
export type RedisClient = NodeRedisClient | IoredisClient;
