/**
 * A client of the package `redis`, version 5 or 6, made with `createClient`, `createClientPool`, `createSentinel` or `createCluster`.
 * Their `sendCommand` methods take different parameters, so this type declares none.
 */
export interface NodeRedisClient {
  /** Whether the client has been connected and not closed. It tells the two packages apart. */
  readonly isOpen: boolean;
  /** Sends one command. */
  sendCommand(...parameters: never[]): Promise<unknown>;
}

/** A client of the package `ioredis`, version 5 or 6: `Redis`, with or without Sentinels, or `Cluster`. */
export interface IoredisClient {
  /** The state of the connection, such as `ready` or `end`. It tells the two packages apart. */
  readonly status: string;
  /** Sends one command. */
  call(...parameters: never[]): Promise<unknown>;
}

/** The application's client. The store neither connects nor closes it, nor replaces its connections, without the option `closeClient`. */
export type RedisClient = NodeRedisClient | IoredisClient;
