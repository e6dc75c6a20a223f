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
import { sqlServerDialect } from './sql-dialects';
import { inspectSqlServerTable } from './sql-server-table';

type SqlServerOptions = Extract<DataSourceOptions, { type: 'mssql' }>;

/** The part of `mssql` that the store uses. */
interface MssqlRequest {
  input(name: string, value: unknown): void;
  query(
    sql: string,
  ): Promise<{ readonly recordset?: readonly unknown[]; readonly rowsAffected: readonly number[] }>;
  cancel(): void;
}

interface MssqlDriver {
  readonly mssql: { readonly Request: new (pool: unknown) => MssqlRequest };
  obtainMasterConnection(): Promise<unknown>;
}

interface MssqlError {
  readonly code?: string;
  readonly number?: number;
}

/** Error numbers and what they mean for a single statement. */
const FAILURE_KINDS: Readonly<Record<number, FailureKind>> = {
  2601: 'duplicate',
  2627: 'duplicate',
  1205: 'conflict', // deadlock
  1222: 'conflict', // LOCK_TIMEOUT
  3960: 'conflict', // snapshot isolation
  978: 'refused', // a readable secondary
  3906: 'refused', // a read-only database
};
/** Errors about a value that does not fit its column; their messages quote the value. */
const QUOTING_ERRORS = [245, 2628, 8114];

/** Microsoft SQL Server. */
export class SqlServer implements DatabaseServer {
  readonly dialect = sqlServerDialect;
  readonly inspect = inspectSqlServerTable;
  readonly options: DataSourceOptions;

  constructor(given: SqlServerOptions, poolSize: number | undefined) {
    this.options = ownOptions(given, poolSize);
  }

  /** mssql itself takes a connection from its pool for each request, and closes failed ones. */
  async lease(pool: DataSource): Promise<LeasedConnection> {
    const driver = pool.driver as unknown as MssqlDriver;
    const request = new driver.mssql.Request(await driver.obtainMasterConnection());
    return {
      execute: async (sql, parameters) => {
        parameters.forEach((value, index) => request.input(String(index), value));
        const { recordset = [], rowsAffected } = await request.query(sql);
        return { rows: recordset, affected: rowsAffected[0] ?? 0 };
      },
      release: () => {},
      destroy: () => request.cancel(),
    };
  }

  failureOf(error: unknown): DriverFailure {
    const { code, number = 0 } = (error ?? {}) as MssqlError;
    const answered = code === 'EREQUEST';
    const reason = reasonOf(error, answered ? `error ${number}` : code, QUOTING_ERRORS.includes(number));
    return { kind: FAILURE_KINDS[number] ?? (answered ? 'other' : 'lost'), reason };
  }
}

/** The options needed to connect. Entities, migrations, logging and the like are left out. */
function ownOptions(given: SqlServerOptions, poolSize: number | undefined): DataSourceOptions {
  const { url, host, port, username, password, database, authentication } = masterOf(given);
  return {
    type: given.type,
    driver: given.driver as unknown,
    ...{ url, host, port, username, password, database, authentication },
    options: {
      ...given.options,
      isolationLevel: undefined,
      connectionIsolationLevel: undefined,
      debug: undefined,
    },
    connectionTimeout: given.connectionTimeout ?? CONNECTING_TIMEOUT,
    requestTimeout: given.requestTimeout,
    pool: {
      idleTimeoutMillis: IDLE_TIMEOUT,
      ...given.pool,
      min: 0,
      max: poolSizeOf(poolSize, given.pool?.max),
    },
    logging: false,
    extra: given.extra as unknown,
  };
}
