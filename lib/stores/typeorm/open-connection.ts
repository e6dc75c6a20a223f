import type { DataSource } from 'typeorm';
import { SessionError } from '../../core/session.errors';
import { MysqlServer } from './mysql-server';
import type { DedicatedConnection } from './dedicated-connection';
import { PostgresServer } from './postgres-server';
import { ServerConnection } from './server-connection';
import { SqlServer } from './sql-server';
import { SqliteConnection } from './sqlite-connection';

/**
 * A connection of the store's own to an application's database.
 * @param poolSize maximum number of connections to a server
 * @throws SessionError `SESSION_OPTIONS_INVALID` for an unsupported database, or one that a second connection cannot reach
 */
export function openConnection(
  { options, driver }: DataSource,
  poolSize: number | undefined,
): DedicatedConnection {
  const place = driver.database ? `the database ${driver.database}` : 'the database';
  switch (options.type) {
    case 'better-sqlite3':
      return new SqliteConnection(options);
    case 'postgres':
    case 'cockroachdb':
      return new ServerConnection(new PostgresServer(options, poolSize), place);
    case 'mysql':
    case 'mariadb':
      return new ServerConnection(new MysqlServer(options, poolSize), place);
    case 'mssql':
      return new ServerConnection(new SqlServer(options, poolSize), place);
    default:
      throw new SessionError(
        'SESSION_OPTIONS_INVALID',
        `TypeOrmSessionStore does not support a DataSource of type '${options.type}'. Use ` +
          "'postgres', 'mysql', 'mariadb', 'better-sqlite3', 'cockroachdb' or 'mssql'.",
      );
  }
}
