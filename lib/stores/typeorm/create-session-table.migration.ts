import {
  type DataSource,
  type MigrationInterface,
  type QueryRunner,
  Table,
  type TableColumnOptions,
} from 'typeorm';
import { checkTableName, DEFAULT_TABLE, indexName, nameInDatabase } from './session-table';

// The columns are repeated here, because a migration must not change when the entity changes.
const COLUMNS: readonly TableColumnOptions[] = [
  { name: 'id', type: 'varchar', length: '22', isPrimary: true },
  { name: 'version', type: 'integer' },
  { name: 'secret_hash', type: 'varchar', length: '43' },
  { name: 'principal', type: 'varchar', length: '255', isNullable: true },
  { name: 'expires_at', type: 'bigint' },
  { name: 'body', type: 'text' },
];

const MYSQL_TEXT = { charset: 'utf8mb4', collation: 'utf8mb4_bin' };
const MYSQL_COLUMNS: readonly TableColumnOptions[] = [
  { name: 'id', type: 'varchar', length: '22', isPrimary: true, ...MYSQL_TEXT },
  { name: 'version', type: 'int' },
  { name: 'secret_hash', type: 'varchar', length: '43', ...MYSQL_TEXT },
  { name: 'principal', type: 'varchar', length: '255', isNullable: true, ...MYSQL_TEXT },
  { name: 'expires_at', type: 'bigint' },
  { name: 'body', type: 'mediumtext', ...MYSQL_TEXT },
];

const MSSQL_TEXT = { type: 'nvarchar', collation: 'Latin1_General_100_BIN2' };
const MSSQL_COLUMNS: readonly TableColumnOptions[] = [
  { name: 'id', length: '22', isPrimary: true, ...MSSQL_TEXT },
  { name: 'version', type: 'int' },
  { name: 'secret_hash', length: '43', ...MSSQL_TEXT },
  { name: 'principal', length: '255', isNullable: true, ...MSSQL_TEXT },
  { name: 'expires_at', type: 'bigint' },
  { name: 'body', length: 'max', ...MSSQL_TEXT },
];

const COLUMNS_OF: Readonly<Record<string, readonly TableColumnOptions[]>> = {
  mysql: MYSQL_COLUMNS,
  mariadb: MYSQL_COLUMNS,
  mssql: MSSQL_COLUMNS,
};

/**
 * The migration that creates a session table, for any supported database. Run it before the application starts:
 *
 * ```ts
 * new DataSource({ …, migrations: [CreateSessionTable, createSessionTable('admin_sessions')], migrationsRun: true })
 * ```
 *
 * @param tableName the `tableName` of `TypeOrmSessionStore`. @default 'tessera_sessions'
 * @throws SessionError `SESSION_OPTIONS_INVALID`
 */
export function createSessionTable(tableName: string = DEFAULT_TABLE): new () => MigrationInterface {
  checkTableName(tableName);
  const suffix = tableName === DEFAULT_TABLE ? '' : `_${tableName}_`;

  return class implements MigrationInterface {
    /** The name under which TypeORM records the migration. It must end with a timestamp. */
    readonly name = `CreateSessionTable${suffix}1760000000000`;

    async up(runner: QueryRunner): Promise<void> {
      const dataSource = dataSourceOf(runner);
      const name = nameInDatabase(dataSource, tableName);
      await runner.createTable(
        new Table({
          name,
          columns: [...(COLUMNS_OF[dataSource.options.type] ?? COLUMNS)],
          indices: ['principal', 'expires_at'].map((column) => ({
            name: indexName(name, column),
            columnNames: [column],
          })),
        }),
      );
    }

    async down(runner: QueryRunner): Promise<void> {
      await runner.dropTable(nameInDatabase(dataSourceOf(runner), tableName));
    }
  };
}

/** {@link createSessionTable} of the default table: add it to your DataSource's `migrations`. */
export const CreateSessionTable = createSessionTable();

/** TypeORM 0.3 has it under another name. */
function dataSourceOf(runner: QueryRunner): DataSource {
  return (runner as Partial<QueryRunner>).dataSource ?? (runner as { connection?: DataSource }).connection!;
}
