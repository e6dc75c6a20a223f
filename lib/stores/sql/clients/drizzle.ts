import { SessionError } from '../../../core/session.errors';
import type { SqlClient } from '../sql-client';
import { fromBetterSqlite3 } from './better-sqlite3';
import { fromLibsql, fromPglite } from './embedded';
import { fromMysql2 } from './mysql2';
import { fromPg } from './pg';
import { fromPostgresJs } from './postgres-js';

type DrizzleDatabase = { readonly $client: unknown };

/** The clients of the drivers, by a method that only this driver has. */
const CLIENTS: readonly (readonly [method: string, client: (driver: never) => SqlClient])[] = [
  ['getConnection', fromMysql2],
  ['inTransaction', fromBetterSqlite3],
  ['unsafe', fromPostgresJs],
  ['executeMultiple', fromLibsql],
  ['dumpDataDir', fromPglite],
  ['totalCount', fromPg],
];

/**
 * A Drizzle database, 0.36 or newer, over a `pg` or `mysql2` pool, `postgres`, `better-sqlite3`, libSQL or PGlite. Uses the driver without
 * Drizzle: its errors and its logger contain the values of statements.
 * @throws SessionError `SESSION_OPTIONS_INVALID` for another driver, or a single connection
 */
export function fromDrizzle({ $client }: DrizzleDatabase): SqlClient {
  const driver: object = $client ?? {};
  const [, client] = CLIENTS.find(([method]) => method in driver) ?? [];
  if (client !== undefined) return client(driver as never);
  throw new SessionError(
    'SESSION_OPTIONS_INVALID',
    `fromDrizzle knows no driver like ${driver.constructor.name}. Give Drizzle a pool instead of one connection, or write execute ` +
      'for your driver: new SqlSessionStore({ dialect, execute }).',
  );
}
