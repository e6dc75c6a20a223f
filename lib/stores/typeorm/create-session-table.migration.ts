import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { checkTableName, DEFAULT_TABLE, indexName, nameInDatabase } from './session-table';

/**
 * The migration that creates a session table. It is to be run before the application starts:
 *
 * ```ts
 * new DataSource({ …, migrations: [CreateSessionTable, createSessionTable('admin_sessions')], migrationsRun: true })
 * ```
 *
 * @param tableName as given to `TypeOrmSessionStore`. @default 'tessera_sessions'
 * @throws SessionError `SESSION_OPTIONS_INVALID`
 */
export function createSessionTable(tableName: string = DEFAULT_TABLE): new () => MigrationInterface {
  checkTableName(tableName);
  const suffix = tableName === DEFAULT_TABLE ? '' : `_${tableName}_`;

  // The columns are spelled out: a migration that has run must not change when the entity does.
  return class implements MigrationInterface {
    /** TypeORM remembers it by this name, and wants a timestamp at its end. */
    readonly name = `CreateSessionTable${suffix}1760000000000`;

    async up(runner: QueryRunner): Promise<void> {
      await runner.createTable(
        new Table({
          name: nameInDatabase(runner.dataSource, tableName),
          columns: [
            { name: 'id', type: 'varchar', length: '22', isPrimary: true },
            { name: 'version', type: 'integer' },
            { name: 'secret_hash', type: 'varchar', length: '43' },
            { name: 'principal', type: 'varchar', length: '255', isNullable: true },
            { name: 'expires_at', type: 'bigint' },
            { name: 'body', type: 'text' },
          ],
          indices: [
            { name: indexName(tableName, 'principal'), columnNames: ['principal'] },
            { name: indexName(tableName, 'expires_at'), columnNames: ['expires_at'] },
          ],
        }),
      );
    }

    async down(runner: QueryRunner): Promise<void> {
      await runner.dropTable(nameInDatabase(runner.dataSource, tableName));
    }
  };
}

/** {@link createSessionTable} of the default table: add it to your DataSource's `migrations`. */
export const CreateSessionTable = createSessionTable();
