import type { EndServer } from '../../core/end-channel';
import type { StoreCall } from '../../core/session-store';
import type { Statement } from './session-statements';
import type { SessionTable } from './session-table';
import type { SqlDialect } from './sql-dialect';
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
  /** Passes messages between processes; `null` when the database does not. */
  endServer(channel: string): EndServer | null;
  /** Allows statements again after {@link close}. The connections are opened by the first one. */
  open(): void;
  /** Closes the connections. Later statements reject until {@link open}. */
  close(): Promise<void>;
}
