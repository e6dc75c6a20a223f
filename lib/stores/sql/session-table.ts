import { SessionError } from '../../core/session.errors';
import type { QuotedNames, SessionTable, SqlDialect } from './sql-dialect';

/** The default name of the table. */
export const DEFAULT_TABLE = 'tessera_sessions';

/** At most 48 characters: PostgreSQL truncates names to 63, and an index name has 15 more than the table's. */
const TABLE_FORM = /^[A-Za-z_][A-Za-z0-9_]{0,47}$/;

/** @throws SessionError `SESSION_OPTIONS_INVALID` when the name is not a plain identifier of at most 48 characters */
export function checkTableName(tableName: string): string {
  if (TABLE_FORM.test(tableName)) return tableName;
  throw new SessionError(
    'SESSION_OPTIONS_INVALID',
    `tableName must be at most 48 letters, digits and underscores, not starting with a digit, got ${JSON.stringify(tableName)}; leave it out for ${DEFAULT_TABLE}.`,
  );
}

/** @param name checked already */
export function sessionTable(dialect: SqlDialect, name: string, schema: string | undefined): SessionTable {
  const parts = schema ? [schema, name] : [name];
  return { name, schema, quoted: parts.map((part) => quoted(dialect, part)).join('.') };
}

export function quotedNames(dialect: SqlDialect, table: string): QuotedNames {
  const [id, version, secretHash, principal, expiresAt, body] = (
    ['id', 'version', 'secret_hash', 'principal', 'expires_at', 'body'] as const
  ).map((column) => quoted(dialect, column)) as [string, string, string, string, string, string];
  const columns = { id, version, secretHash, principal, expiresAt, body };
  const head = `${id}, ${version}, ${secretHash} AS hash, ${principal}, ${expiresAt} AS expiry`;
  return { table, ...columns, all: Object.values(columns).join(', '), head, record: `${head}, ${body}` };
}

/** The name of a column's index. Fixed, because names that TypeORM generates differ between a migration and an entity. */
export function indexName(tableName: string, column: string): string {
  return `${tableName}_${column}_idx`;
}

export function quoted({ quotes: [begin, end] }: SqlDialect, name: string): string {
  return `${begin}${name.replaceAll(end, end + end)}${end}`;
}
