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
 * @param poolSize at most so many connections to a server
 * @throws SessionError `SESSION_OPTIONS_INVALID` for a database that the store does not know or cannot share
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
        `TypeOrmSessionStore was given a DataSource of type '${options.type}', which it does not know. It works with ` +
          "'postgres', 'mysql', 'mariadb', 'better-sqlite3', 'cockroachdb' and 'mssql'.",
      );
  }
}
