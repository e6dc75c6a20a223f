import type { TableFacts } from './schema-check';

/** The names of a table in the database. */
export interface SessionTable {
  readonly name: string;
  /** `undefined` for the database's default. */
  readonly schema: string | undefined;
  /** For statements: quoted, and with the schema if there is one. */
  readonly quoted: string;
}

/** Quoted names; the table's includes its schema if one is set. */
export interface QuotedNames {
  readonly table: string;
  readonly id: string;
  readonly version: string;
  readonly secretHash: string;
  readonly principal: string;
  readonly expiresAt: string;
  readonly body: string;
  /** All columns, separated by commas. */
  readonly all: string;
  /** All columns but the body, as statements select them: the names of the results are words that no client changes. */
  readonly head: string;
  /** The same with the body. */
  readonly record: string;
}

/**
 * Why a statement failed.
 *
 * - `duplicate`: the id exists already.
 * - `conflict`: rolled back because of a concurrent transaction. A retry may succeed.
 * - `locked`: not run, because another connection has locked the database. A retry may succeed.
 * - `refused`: not run, and it cannot be on this connection. A retry on another connection may succeed.
 * - `lost`: no answer of the database. Whether the statement was run is unknown.
 * - `other`: any other error. A retry does not help.
 */
export type FailureKind = 'duplicate' | 'conflict' | 'locked' | 'refused' | 'lost' | 'other';

/** The kinds of databases. MariaDB is `mysql`. */
export type SqlDialectName = 'postgres' | 'mysql' | 'sqlite' | 'cockroachdb' | 'sqlserver';

/**
 * What differs between databases. In statements `:0` is a placeholder for the first value, `:1` for the second; each may occur several
 * times.
 */
export interface SqlDialect {
  readonly name: SqlDialectName;
  /** The parameter of a value, by its index. With `?` each occurrence is a parameter of its own. */
  parameter(index: number): string;
  /** Begins and ends a quoted name. */
  readonly quotes: readonly [string, string];
  /** The types of columns, in the SQL that creates the table. */
  readonly types: {
    readonly text: (length: number) => string;
    readonly integer: string;
    readonly body: string;
  };
  /** A condition that is true when the principal is exactly the text `:0`, including trailing spaces. Must use an index. */
  isPrincipal(names: QuotedNames): string;
  /** Selects at most `:1` records with ids after `:0`, ordered by id. Absent where `LIMIT :1` does it. */
  page?(names: QuotedNames): string;
  /** Removes at most `:1` records that expire at or before `:0`, earliest first. */
  sweep(names: QuotedNames): string;
  /** Ends a DELETE so that it returns the ids of the deleted rows. Only where they are announced. */
  returningIds?(names: QuotedNames): string;
  /**
   * The table's definition, or `null` when there is no such table. Absent for databases that the tests do not run on.
   * @throws SessionError `SESSION_SCHEMA_INVALID` when the database cannot store sessions
   */
  inspect?(ask: RunQuery, table: SessionTable): Promise<TableFacts | null>;
  /** The code by which the database says why a statement failed; `null` if the error is not an answer of the database. */
  codeOf(error: DriverError): string | null;
  kindOf(code: string): FailureKind;
  /** Whether the message of an error with this code quotes a value. */
  quotesValues(code: string): boolean;
}

/** Runs a statement of the inspection. */
export type RunQuery = <Row>(sql: string, parameters?: readonly unknown[]) => Promise<readonly Row[]>;

/** The properties in which drivers, and what wraps them, report a code. Prisma has `originalCode` and `extendedCode`. */
export type DriverError = Readonly<
  Partial<
    Record<'code' | 'errno' | 'errcode' | 'number' | 'originalCode' | 'extendedCode' | 'message', unknown>
  >
>;
