import type { SqlDialectName } from './sql-dialect';

/** A value of a statement. */
export type SqlValue = string | number | null;

/** The result of a statement. */
export interface SqlResult {
  /** What it has selected or returned: an object for each row, by the names of the columns. Integers may be numbers, bigints or texts. */
  readonly rows: readonly unknown[];
  /** The number of rows that it matched, changed or not. Ignored for a statement that returns rows. */
  readonly affected: number;
}

/** How a statement is run. */
export interface SqlExecution {
  /** Aborts when the store stops waiting. A client that can abandon a statement should, and free its connection. */
  readonly signal: AbortSignal;
  /** Whether the statement returns rows, for clients with a method for each kind. */
  readonly returnsRows: boolean;
}

/**
 * What a client does not do for sessions. None of it breaks the contract of a store.
 *
 * - `shared-pool`: the connections are those of the application. While its transactions hold all of them, requests wait for their sessions
 *   until `storeTimeout`.
 * - `one-connection`: the same, with a single connection: a session write waits for a transaction of the application to end, so do not
 *   await one inside it.
 * - `calls-go-on`: a statement that the store no longer waits for goes on. Its connection is not free until the server answers.
 */
export type SqlClientLimit = 'shared-pool' | 'one-connection' | 'calls-go-on';

/** What a `SqlSessionStore` needs of a client. */
export interface SqlClient {
  /** The kind of database; MariaDB is `mysql`. */
  readonly dialect: SqlDialectName;
  /**
   * Runs one statement in a transaction of its own, and commits it. Must not make it part of a transaction of the application.
   *
   * Parameters are `$1`, `$2`, … on PostgreSQL and CockroachDB, `?` on MySQL and SQLite, `@0`, `@1`, … on SQL Server. Their values must be
   * bound, and must not be logged.
   *
   * Rejects with the driver's error, or one that has it as its `cause`: the store reads the database's code from it.
   */
  execute(sql: string, parameters: readonly SqlValue[], execution: SqlExecution): Promise<SqlResult>;
  /**
   * Receives the messages of a PostgreSQL channel, on a connection of its own. With it the store tells all processes which sessions ended.
   * It need not connect again when the connection breaks.
   * @param receive called with each message
   * @param lost called when the connection breaks
   * @param over aborts when the connection must be closed, perhaps while it is being opened
   */
  listen?(
    channel: string,
    receive: (message: string) => void,
    lost: () => void,
    over: AbortSignal,
  ): Promise<void>;
  /** Closes what the client itself has opened. The store may use the client again afterwards. */
  close?(): Promise<void>;
  /** The database's location, for messages. @default 'the database' */
  readonly place?: string;
  /** What the application must do to have the table, as a sentence for messages. */
  readonly setup?: () => string;
  /** For documentation. @default none */
  readonly limits?: readonly SqlClientLimit[];
}
