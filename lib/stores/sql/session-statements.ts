import { quotedNames } from './session-table';
import type { SqlDialect } from './sql-dialect';

/** A statement for one table of one database. */
export interface Statement {
  /** The store's operation, for messages. */
  readonly operation: string;
  readonly sql: string;
  /** For each parameter the index of its value. */
  readonly takes: readonly number[];
  /** Whether the statement is idempotent, so that it may be repeated when its outcome is unknown. */
  readonly repeatable: boolean;
  readonly returnsRows: boolean;
}

/** The store's statements. Each is atomic by itself; no operation needs a transaction of several. */
export interface SessionStatements {
  /** id */
  readonly find: Statement;
  /** id, version, secret hash, principal, expiry, body */
  readonly insert: Statement;
  /** version, secret hash, principal, expiry, body; id, expected version */
  readonly update: Statement;
  /** expiry; id, expected version */
  readonly extend: Statement;
  /** id */
  readonly delete: Statement;
  /** principal */
  readonly findByPrincipal: Statement;
  /** ids, {@link HEADS_PER_STATEMENT} of them; may contain one several times */
  readonly findHeads: Statement;
  /** principal */
  readonly deleteByPrincipal: Statement;
  /** the last id of the page before, or '' ; page size */
  readonly records: Statement;
  /** now, limit */
  readonly sweep: Statement;
}

/** Number of ids that `findHeads` takes: always the same, so that a server prepares it once. */
export const HEADS_PER_STATEMENT = 100;

/**
 * Builds the statements in a dialect. They never contain values.
 * @param table quoted
 */
export function sessionStatements(dialect: SqlDialect, table: string): SessionStatements {
  const names = quotedNames(dialect, table);
  const { all, head, record, id, version, secretHash, principal, expiresAt, body } = names;
  const once = (operation: string, sql: string) => written(dialect, operation, sql, false);
  const repeatable = (operation: string, sql: string) => written(dialect, operation, sql, true);
  const isPrincipal = dialect.isPrincipal(names);
  const page = `SELECT ${record} FROM ${table} WHERE ${id} > :0 ORDER BY ${id} LIMIT :1`;
  const ids = Array.from({ length: HEADS_PER_STATEMENT }, (_, n) => `:${n}`).join(', ');

  return {
    find: repeatable('find', `SELECT ${record} FROM ${table} WHERE ${id} = :0`),
    insert: once('insert', `INSERT INTO ${table} (${all}) VALUES (:0, :1, :2, :3, :4, :5)`),
    update: once(
      'update',
      `UPDATE ${table} SET ${version} = :0, ${secretHash} = :1, ${principal} = :2, ${expiresAt} = :3, ${body} = :4 ` +
        `WHERE ${id} = :5 AND ${version} = :6`,
    ),
    extend: repeatable(
      'extend',
      `UPDATE ${table} SET ${expiresAt} = :0 WHERE ${id} = :1 AND ${version} = :2`,
    ),
    delete: repeatable('delete', `DELETE FROM ${table} WHERE ${id} = :0`),
    findByPrincipal: repeatable('findByPrincipal', `SELECT ${record} FROM ${table} WHERE ${isPrincipal}`),
    findHeads: repeatable('findHeads', `SELECT ${head} FROM ${table} WHERE ${id} IN (${ids})`),
    deleteByPrincipal: once(
      'deleteByPrincipal',
      `DELETE FROM ${table} WHERE ${isPrincipal}${dialect.returningIds?.(names) ?? ''}`,
    ),
    records: repeatable('records', dialect.page?.(names) ?? page),
    sweep: once('sweep', dialect.sweep(names)),
  };
}

/** Replaces placeholders by the dialect's parameters. With `?` each occurrence is a separate parameter; otherwise they are numbered. */
function written(dialect: SqlDialect, operation: string, text: string, repeatable: boolean): Statement {
  const takes: number[] = [];
  const sql = text.replace(/:(\d+)/g, (_, digit: string) => {
    const value = Number(digit);
    const parameter = dialect.parameter(value);
    if (parameter === '?' || !takes.includes(value)) takes.push(value);
    return parameter;
  });
  // Numbered parameters are passed in the order of their numbers, not of their occurrence.
  if (!sql.includes('?')) takes.sort((a, b) => a - b);
  return { operation, sql, takes, repeatable, returnsRows: /^SELECT|\bRETURNING\b/.test(sql) };
}
