import type { DataSource } from 'typeorm';
import { SessionError } from '../../core/session.errors';

/** The table's name where nothing else is said. */
export const DEFAULT_TABLE = 'tessera_sessions';

/** PostgreSQL cuts names off after 63 characters, and the index's is the table's with 15 more. */
const TABLE_FORM = /^[A-Za-z_][A-Za-z0-9_]{0,47}$/;

/** A table as the database knows it. */
export interface SessionTable {
  /** With the DataSource's `entityPrefix`. */
  readonly name: string;
  /** The DataSource's `schema`; without one, the database finds the table by a rule of its own. */
  readonly schema: string | undefined;
  /** For statements: quoted, and with the DataSource's `schema` where it has one. */
  readonly quoted: string;
}

/** @throws SessionError `SESSION_OPTIONS_INVALID` for a name that is not a plain identifier. */
export function checkTableName(tableName: string): string {
  if (TABLE_FORM.test(tableName)) return tableName;
  throw new SessionError(
    'SESSION_OPTIONS_INVALID',
    `tableName is ${JSON.stringify(tableName)}; give at most 48 letters, digits and underscores, or leave it out for ${DEFAULT_TABLE}.`,
  );
}

/** The name as it stands in the database: TypeORM puts the `entityPrefix` of a DataSource before every table of its entities. */
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

/** The index on a column. Named by us, because generated names differ between a migration and an entity. */
export function indexName(tableName: string, column: string): string {
  return `${tableName}_${column}_idx`;
}
