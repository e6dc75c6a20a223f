import type { DataSource, DataSourceOptions } from 'typeorm';
import type { DriverFailure } from './driver-failure';
import type { StatementResult } from './dedicated-connection';
import type { SessionTable } from './session-table';
import type { SqlDialect } from './sql-dialect';
import type { TableFacts } from './table-facts';

/** One kind of database server, as `ServerConnection` wants to know it. */
export interface DatabaseServer {
  readonly dialect: SqlDialect;
  /** What it takes to reach the server with a pool of the store's own. */
  readonly options: DataSourceOptions;
  /** A connection of that pool. */
  lease(pool: DataSource): Promise<LeasedConnection>;
  /** What came of a statement, by the driver's error. */
  failureOf(error: unknown): DriverFailure;
  /** See `DedicatedConnection.inspect`. */
  inspect(ask: RunQuery, table: SessionTable): Promise<TableFacts | null>;
}

/** A connection in the hands of one statement. */
export interface LeasedConnection {
  execute(sql: string, parameters: readonly unknown[]): Promise<StatementResult>;
  /** Back into the pool. */
  release(): void;
  /** Out of the pool, and closed at once: what it waits for is no longer waited for. */
  destroy(): void;
}

/** Runs a statement of the inspection. */
export type RunQuery = <Row>(sql: string, parameters?: readonly unknown[]) => Promise<readonly Row[]>;

/** How long connecting may take, in milliseconds, where the application says nothing else. */
export const CONNECTING_TIMEOUT = 3000;

/** How many connections the store opens at most, where nobody says anything. They are opened as they are needed. */
const DEFAULT_POOL_SIZE = 10;
/** Connections that have not been needed for so long are closed, in milliseconds. */
export const IDLE_TIMEOUT = 10_000;

/** The reachable server of a DataSource that replicates: the one that writes are sent to. */
export function masterOf<Options extends { readonly replication?: { readonly master: object } }>(
  options: Options,
): Options {
  return options.replication ? { ...options, ...options.replication.master } : options;
}

/** As many as the store was told, else no more than the application has for itself. */
export function poolSizeOf(told: number | undefined, ...ofApplication: unknown[]): number {
  const own = ofApplication.find((size): size is number => typeof size === 'number' && size > 0);
  return told ?? Math.min(DEFAULT_POOL_SIZE, own ?? DEFAULT_POOL_SIZE);
}
