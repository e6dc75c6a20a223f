import type { StoreCall } from '../../core/session-store';
import type { Statement } from './session-statements';
import type { SessionTable } from './session-table';
import type { SqlDialect } from './sql-dialect';
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
