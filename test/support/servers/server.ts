export type ServiceKind = 'postgres' | 'mariadb' | 'redis' | 'redis-cluster';

/** One server process that belongs to a test. */
export interface Server {
  /** On 127.0.0.1; it stays the same from one start to the next. */
  readonly port: number;
  readonly url: string;
  /** Stops every process of the server where it stands: connections stay open, nothing answers. */
  freeze(): void;
  thaw(): void;
  /** `kill -9` to every process of the server. Resolves when they are gone. */
  kill(): Promise<void>;
  /** Once more, on the same port and data. Resolves when it answers. */
  start(): Promise<void>;
  /** Ends it, whatever state it is in, and removes its directory. Idempotent. */
  stop(): Promise<void>;
}

/** A server that a test file talks to, its own or one that others use too. */
export interface Service {
  /** Leads to a database that this file has to itself; for Redis to the first node. */
  readonly url: string;
  /** Those of a cluster's nodes, the one URL of everything else. */
  readonly urls: readonly string[];
  /** A word that no other file has. On Redis, begin every key with it: those are deleted in the end. */
  readonly prefix: string;
}
