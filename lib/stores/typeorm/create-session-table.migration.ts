import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { DEFAULT_TABLE, indexName, nameInDatabase } from './session-table';

/**
 * Creates the table of `TypeOrmSessionStore`. Add it to your DataSource's `migrations`, and run them before the application starts:
 *
 * ```ts
 * new DataSource({ …, migrations: [CreateSessionTable1760000000000, …], migrationsRun: true })
 * ```
 *
 * For a table of another name extend it, with a timestamp of your own, since TypeORM tells migrations apart by their class names:
 *
 * ```ts
 * class CreateAdminSessions1770000000000 extends CreateSessionTable1760000000000 {
 *   protected override readonly tableName = 'admin_sessions';
 * }
 * ```
 */
export class CreateSessionTable1760000000000 implements MigrationInterface {
  /** As given to `TypeOrmSessionStore`, without the `entityPrefix` of the DataSource. */
  protected readonly tableName: string = DEFAULT_TABLE;

  // The columns are spelled out: a migration that has run must not change when the entity does.
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: nameInDatabase(runner.dataSource, this.tableName),
        columns: [
          { name: 'id', type: 'varchar', length: '22', isPrimary: true },
          { name: 'version', type: 'integer' },
          { name: 'secret_hash', type: 'varchar', length: '43' },
          { name: 'principal', type: 'varchar', length: '255', isNullable: true },
          { name: 'expires_at', type: 'bigint' },
          { name: 'body', type: 'text' },
        ],
        indices: [
          { name: indexName(this.tableName, 'principal'), columnNames: ['principal'] },
          { name: indexName(this.tableName, 'expires_at'), columnNames: ['expires_at'] },
        ],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable(nameInDatabase(runner.dataSource, this.tableName));
  }
}
