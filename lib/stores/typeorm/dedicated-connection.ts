import type { DataSource } from 'typeorm';
import type { StoreCall } from '../../core/session-store';
import { SessionError } from '../../core/session.errors';
import { MysqlServer } from './mysql-server';
import { PostgresServer } from './postgres-server';
import { ServerConnection } from './server-connection';
import type { Statement } from './session-statements';
import type { SessionTable } from './session-table';
import type { SqlDialect } from './sql-dialect';
import { SqlServer } from './sql-server';
import { SqliteConnection } from './sqlite-connection';
import type { TableFacts } from './table-facts';

/** What a statement comes to. */
export interface StatementResult {
  readonly rows: readonly unknown[];
  /** Rows that it matched, changed or not. */
  readonly affected: number;
}

/**
 * A way to the application's database that shares no connection with the application, and so no transaction: a rollback there takes
 * no session write with it.
 */
export interface DedicatedConnection {
  readonly dialect: SqlDialect;
  /** Where the database is, for messages. */
  readonly place: string;
  /**
   * Runs one statement, in a transaction of its own. Waits for a lock without blocking the process until the call is given up.
   * @throws SessionStoreError, free of the values; SessionError `SESSION_DUPLICATE_ID` when a key exists already
   */
  run(statement: Statement, values: readonly unknown[], call: StoreCall): Promise<StatementResult>;
  /**
   * What there is of a table, or `null` when there is none.
   * @throws SessionError `SESSION_SCHEMA_INVALID` when the database itself cannot hold sessions
   */
  inspect(table: SessionTable): Promise<TableFacts | null>;
  close(): Promise<void>;
}

/**
 * @param poolSize at most so many connections to a server
 * @throws SessionError `SESSION_OPTIONS_INVALID` for a database that the store does not know or cannot share
 */
export function dedicatedConnection(
  { options, driver }: DataSource,
  poolSize: number | undefined,
): DedicatedConnection {
  const place = driver.database ? `the database ${driver.database}` : 'the database';
  switch (options.type) {
    case 'better-sqlite3':
      return new SqliteConnection(options);
    case 'postgres':
    case 'cockroachdb':
      return new ServerConnection(new PostgresServer(options, poolSize), place);
    case 'mysql':
    case 'mariadb':
      return new ServerConnection(new MysqlServer(options, poolSize), place);
    case 'mssql':
      return new ServerConnection(new SqlServer(options, poolSize), place);
    default:
      throw new SessionError(
        'SESSION_OPTIONS_INVALID',
        `TypeOrmSessionStore was given a DataSource of type '${options.type}', which it does not know. It works with ` +
          "'postgres', 'mysql', 'mariadb', 'better-sqlite3', 'cockroachdb' and 'mssql'.",
      );
  }
}
