import type { DataSource, QueryResult } from 'typeorm';
import type { StoreCall } from '../../core/session-store';
import { SessionError } from '../../core/session.errors';
import { SqliteConnection } from './sqlite-connection';
import type { TableFacts } from './table-facts';

/**
 * A way to the application's database that shares no transaction with the application: a rollback there takes no session write
 * with it. One class per kind of database.
 */
export interface OwnConnection {
  /**
   * Runs one statement, in a transaction of its own. Waits for a lock without blocking the process until the call is given up.
   * @param operation the store's method, for the message
   * @throws SessionStoreError, free of the parameters; SessionError `SESSION_DUPLICATE_ID` when a key exists already
   */
  run(operation: string, sql: string, parameters: readonly unknown[], call: StoreCall): Promise<QueryResult>;
  /** What there is of a table, or `null` when there is none. */
  inspect(tableName: string): Promise<TableFacts | null>;
  /** Where the database is, for messages. */
  readonly place: string;
  close(): Promise<void>;
}

/** @throws SessionError `SESSION_OPTIONS_INVALID` for a database that the store does not know or cannot share. */
export function ownConnection({ options }: DataSource): OwnConnection {
  switch (options.type) {
    case 'better-sqlite3':
      return new SqliteConnection(options);
    default:
      throw new SessionError(
        'SESSION_OPTIONS_INVALID',
        `TypeOrmSessionStore was given a DataSource of type '${options.type}', which it does not know. It works with 'better-sqlite3'.`,
      );
  }
}
