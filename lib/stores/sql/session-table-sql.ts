import { checkTableName, DEFAULT_TABLE, indexName, quoted, quotedNames, sessionTable } from './session-table';
import type { SqlDialectName } from './sql-dialect';
import { sqlDialect } from './sql-dialects';

/** Options of {@link sessionTableSql}. */
export interface SessionTableSqlOptions {
  /** The kind of database; MariaDB is `mysql`. */
  readonly dialect: SqlDialectName;
  /** The `tableName` of the store. @default 'tessera_sessions' */
  readonly tableName?: string;
  /** The `schema` of the store. @default none */
  readonly schema?: string;
}

/**
 * Returns the statements that create the session table and its indexes, for a migration of any tool. They never change with a release; a
 * change of the table would be another function.
 * @throws SessionError `SESSION_OPTIONS_INVALID`
 */
export function sessionTableSql({
  dialect: dialectName,
  tableName = DEFAULT_TABLE,
  schema,
}: SessionTableSqlOptions): string[] {
  const dialect = sqlDialect(dialectName);
  const { name, quoted: table } = sessionTable(dialect, checkTableName(tableName), schema);
  const { id, version, secretHash, principal, expiresAt, body } = quotedNames(dialect, table);
  const { text, integer, body: bodyType } = dialect.types;
  const index = (column: string) =>
    `CREATE INDEX ${quoted(dialect, indexName(name, column))} ON ${table} (${quoted(dialect, column)})`;
  return [
    [
      `CREATE TABLE ${table} (`,
      `  ${id} ${text(22)} NOT NULL,`,
      `  ${version} ${integer} NOT NULL,`,
      `  ${secretHash} ${text(43)} NOT NULL,`,
      `  ${principal} ${text(255)},`,
      `  ${expiresAt} bigint NOT NULL,`,
      `  ${body} ${bodyType} NOT NULL,`,
      `  PRIMARY KEY (${id})`,
      dialectName === 'mysql' ? ') ENGINE=InnoDB' : ')',
    ].join('\n'),
    index('principal'),
    index('expires_at'),
  ];
}
