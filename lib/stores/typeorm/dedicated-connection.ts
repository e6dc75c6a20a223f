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

/** The result of a statement. */
export interface StatementResult {
  readonly rows: readonly unknown[];
  /** The number of rows that it matched, changed or not. */
  readonly affected: number;
}

/**
 * A connection to the application's database that the application does not use. So session writes are not part of the application's
 * transactions, and its rollbacks do not undo them.
 */
export interface DedicatedConnection {
  readonly dialect: SqlDialect;
  /** The database's location, for messages. */
  readonly place: string;
  /**
   * Runs one statement in its own transaction. Waits for locks until the call is aborted, without blocking the process.
   * @throws SessionStoreError without the statement's values; SessionError `SESSION_DUPLICATE_ID` when the id exists
   */
  run(statement: Statement, values: readonly unknown[], call: StoreCall): Promise<StatementResult>;
  /**
   * The table's definition, or `null` when there is no such table.
   * @throws SessionError `SESSION_SCHEMA_INVALID` when the database cannot store sessions
   */
  inspect(table: SessionTable): Promise<TableFacts | null>;
  /** Closes the connections. Later statements reject. */
  close(): Promise<void>;
}

/**
 * @param poolSize maximum number of connections to a server
 * @throws SessionError `SESSION_OPTIONS_INVALID` for an unsupported database, or one that a second connection cannot reach
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
        `TypeOrmSessionStore does not support a DataSource of type '${options.type}'. Use ` +
          "'postgres', 'mysql', 'mariadb', 'better-sqlite3', 'cockroachdb' or 'mssql'.",
      );
  }
}
