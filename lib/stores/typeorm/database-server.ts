import type { DataSource, DataSourceOptions } from 'typeorm';
import type { DriverFailure } from './driver-failure';
import type { StatementResult } from './dedicated-connection';
import type { SessionTable } from './session-table';
import type { SqlDialect } from './sql-dialect';
import type { TableFacts } from './table-facts';

/** One kind of database server, for `ServerConnection`. */
export interface DatabaseServer {
  readonly dialect: SqlDialect;
  /** The options of the store's own pool. */
  readonly options: DataSourceOptions;
  /** Takes a connection from that pool. */
  lease(pool: DataSource): Promise<LeasedConnection>;
  /** Classifies the driver's error of a statement. */
  failureOf(error: unknown): DriverFailure;
  /**
   * Receives the messages of a channel on a connection of the pool. Only a server that passes messages has it.
   * @param lost called when the connection breaks
   * @param over aborts when the connection must be closed
   */
  listen?(
    pool: DataSource,
    channel: string,
    receive: (message: string) => void,
    lost: () => void,
    over: AbortSignal,
  ): Promise<void>;
  /** Reads the table's definition; see `DedicatedConnection.inspect`. */
  inspect(ask: RunQuery, table: SessionTable): Promise<TableFacts | null>;
}

/** A connection that one statement uses exclusively. */
export interface LeasedConnection {
  execute(sql: string, parameters: readonly unknown[]): Promise<StatementResult>;
  /** Returns the connection to the pool. */
  release(): void;
  /** Removes the connection from the pool and closes it at once, even with a statement in progress. */
  destroy(): void;
}

/** Runs a statement of the inspection. */
export type RunQuery = <Row>(sql: string, parameters?: readonly unknown[]) => Promise<readonly Row[]>;

/** Default timeout of connecting, in milliseconds. */
export const CONNECTING_TIMEOUT = 3000;

/** Default maximum number of the store's connections. They are opened on demand. */
const DEFAULT_POOL_SIZE = 10;
/** Idle time after which a connection is closed, in milliseconds. */
export const IDLE_TIMEOUT = 10_000;

/** The options of the server for writes; for a DataSource with replication, those of its master. */
export function masterOf<Options extends { readonly replication?: { readonly master: object } }>(
  options: Options,
): Options {
  return options.replication ? { ...options, ...options.replication.master } : options;
}

/** The configured pool size. By default {@link DEFAULT_POOL_SIZE}, and at most the size of the application's pool. */
export function poolSizeOf(told: number | undefined, ...ofApplication: unknown[]): number {
  const own = ofApplication.find((size): size is number => typeof size === 'number' && size > 0);
  return told ?? Math.min(DEFAULT_POOL_SIZE, own ?? DEFAULT_POOL_SIZE);
}
