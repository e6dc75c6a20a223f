import type { DataSource, DataSourceOptions } from 'typeorm';
import {
  CONNECTING_TIMEOUT,
  type DatabaseServer,
  IDLE_TIMEOUT,
  type LeasedConnection,
  masterOf,
  poolSizeOf,
} from './database-server';
import { type DriverFailure, type FailureKind, reasonOf } from './driver-failure';
import { inspectMysqlTable } from './mysql-table';
import type { StatementResult } from './dedicated-connection';
import { mysqlDialect } from './sql-dialects';

type MysqlOptions = Extract<DataSourceOptions, { type: 'mysql' | 'mariadb' }>;

type MysqlCallback = (error: Error | null, result: unknown) => void;

/** The part of a `mysql2` pool connection that the store uses. */
interface MysqlConnection {
  execute(sql: string, parameters: readonly unknown[], callback: MysqlCallback): void;
  release(): void;
  destroy(): void;
}

interface MysqlDriver {
  obtainMasterConnection(): Promise<MysqlConnection>;
}

interface MysqlError {
  readonly code?: string;
  readonly errno?: number;
  readonly sqlState?: string;
  readonly fatal?: boolean;
}

/** Error numbers and what they mean for a single statement (https://mariadb.com/kb/en/mariadb-error-codes/). */
const FAILURE_KINDS: Readonly<Record<number, FailureKind>> = {
  1062: 'duplicate',
  1586: 'duplicate',
  1020: 'conflict', // the record has changed since it was read
  1205: 'conflict', // innodb_lock_wait_timeout
  1213: 'conflict', // deadlock
  1615: 'conflict', // the prepared statement must be prepared again
  1047: 'refused', // a Galera node that is not part of the cluster
  1243: 'refused', // unknown prepared statement: a proxy has switched the server connection
  1053: 'lost', // shutdown
  1927: 'lost', // KILL
  4031: 'lost', // wait_timeout
  1290: 'refused', // read-only: the server has become a replica
  1792: 'refused',
  1836: 'refused',
};
/** Errors about a value that does not fit its column; their messages quote the value. */
const QUOTING_ERRORS = [1264, 1265, 1292, 1366, 1406];

/** MySQL and MariaDB. */
export class MysqlServer implements DatabaseServer {
  readonly dialect = mysqlDialect;
  readonly inspect = inspectMysqlTable;
  readonly options: DataSourceOptions;

  constructor(given: MysqlOptions, poolSize: number | undefined) {
    this.options = ownOptions(given, poolSize);
  }

  async lease(pool: DataSource): Promise<LeasedConnection> {
    const connection = await (pool.driver as unknown as MysqlDriver).obtainMasterConnection();
    return {
      execute: (sql, parameters) => execute(connection, sql, parameters),
      release: () => connection.release(),
      destroy: () => connection.destroy(),
    };
  }

  failureOf(error: unknown): DriverFailure {
    const { code, errno = 0, sqlState, fatal } = (error ?? {}) as MysqlError;
    const kind = FAILURE_KINDS[errno] ?? (sqlState !== undefined && !fatal ? 'other' : 'lost');
    return { kind, reason: reasonOf(error, code, QUOTING_ERRORS.includes(errno)) };
  }
}

/** Runs a prepared statement. mysql2's `query` would escape the values into the SQL text, which some server settings parse differently. */
function execute(
  connection: MysqlConnection,
  sql: string,
  parameters: readonly unknown[],
): Promise<StatementResult> {
  // mysql2 sends a number as floating point, which MySQL rejects in LIMIT.
  const texts = parameters.map((value) => (typeof value === 'number' ? String(value) : value));
  return new Promise((resolve, reject) => {
    connection.execute(sql, texts, (error, result) => {
      if (error) reject(error);
      else if (Array.isArray(result)) resolve({ rows: result, affected: 0 });
      else resolve({ rows: [], affected: (result as { affectedRows: number }).affectedRows });
    });
  });
}

/**
 * The options needed to connect. Entities, migrations, logging and the like are left out. Without `flags` the number of affected rows
 * includes rows that matched and did not change.
 */
function ownOptions(given: MysqlOptions, poolSize: number | undefined): DataSourceOptions {
  const master = masterOf(given);
  const { url, host, port, username, password, database, socketPath } = master;
  const application = given.extra as Record<string, unknown> | undefined;
  const connectionLimit = poolSizeOf(poolSize, given.poolSize, application?.['connectionLimit']);
  return {
    type: given.type,
    driver: given.driver as unknown,
    ...{ url, host, port, username, password, database, socketPath },
    ssl: master.ssl as unknown,
    insecureAuth: given.insecureAuth,
    charset: 'utf8mb4',
    connectTimeout: given.connectTimeout ?? CONNECTING_TIMEOUT,
    logging: false,
    extra: {
      idleTimeout: IDLE_TIMEOUT,
      enableKeepAlive: true,
      ...application,
      connectionLimit,
      maxIdle: Math.max(1, connectionLimit - 1), // below the limit, or idle connections would never be closed
      waitForConnections: true,
      queueLimit: 0,
      resetOnRelease: false,
      flags: undefined,
      charset: 'utf8mb4',
      multipleStatements: false,
      namedPlaceholders: false,
      rowsAsArray: false,
      typeCast: true,
      debug: false,
    },
  };
}
