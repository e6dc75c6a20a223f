import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import { SessionError } from '../../core/session.errors';
import { sessionTableSql } from '../sql/session-table-sql';
import { checkTableName, DEFAULT_TABLE } from '../sql/session-table';
import { dialectOf, nameInDatabase } from './own-pool';

/**
 * The migration that creates a session table, for any supported database. Run it before the application starts:
 *
 * ```ts
 * new DataSource({ …, migrations: [CreateSessionTable, createSessionTable('admin_sessions')], migrationsRun: true })
 * ```
 *
 * @param tableName the `tableName` of `TypeOrmSessionStore`; `'tessera_sessions'` by default
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
      const { options } = dataSource;
      const dialect = dialectOf(dataSource);
      if (dialect === undefined)
        throw new SessionError(
          'SESSION_OPTIONS_INVALID',
          `Sessions cannot be stored through a DataSource of type '${options.type}'.`,
        );
      const schema = 'schema' in options ? options.schema : undefined;
      const table = { dialect, tableName: nameInDatabase(dataSource, tableName), ...(schema && { schema }) };
      for (const statement of sessionTableSql(table)) await runner.query(statement);
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
