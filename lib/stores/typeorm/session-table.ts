import type { DataSource } from 'typeorm';
import { SessionError } from '../../core/session.errors';

/** The default name of the table. */
export const DEFAULT_TABLE = 'tessera_sessions';

/** At most 48 characters: PostgreSQL truncates names to 63, and an index name has 15 more than the table's. */
const TABLE_FORM = /^[A-Za-z_][A-Za-z0-9_]{0,47}$/;

/** The names of a table in the database. */
export interface SessionTable {
  /** With the DataSource's `entityPrefix`. */
  readonly name: string;
  /** The DataSource's `schema`; `undefined` for the database's default. */
  readonly schema: string | undefined;
  /** For statements: quoted, and with the DataSource's `schema` if it has one. */
  readonly quoted: string;
}

/** @throws SessionError `SESSION_OPTIONS_INVALID` when the name is not a plain identifier of at most 48 characters */
export function checkTableName(tableName: string): string {
  if (TABLE_FORM.test(tableName)) return tableName;
  throw new SessionError(
    'SESSION_OPTIONS_INVALID',
    `tableName must be at most 48 letters, digits and underscores, not starting with a digit, got ${JSON.stringify(tableName)}; leave it out for ${DEFAULT_TABLE}.`,
  );
}

/** The name with the DataSource's `entityPrefix`, which TypeORM adds to all tables of entities. */
export function nameInDatabase({ options, namingStrategy }: DataSource, tableName: string): string {
  return options.entityPrefix ? namingStrategy.prefixTableName(options.entityPrefix, tableName) : tableName;
}

export function sessionTable(dataSource: DataSource, tableName: string): SessionTable {
  const { driver, options } = dataSource;
  const name = nameInDatabase(dataSource, checkTableName(tableName));
  const schema = 'schema' in options ? options.schema : undefined;
  return {
    name,
    schema,
    quoted: [schema, name].flatMap((part) => (part ? [driver.escape(part)] : [])).join('.'),
  };
}

/** The name of a column's index. Fixed, because names that TypeORM generates differ between a migration and an entity. */
export function indexName(tableName: string, column: string): string {
  return `${tableName}_${column}_idx`;
}
