import { SessionError } from '../../core/session.errors';
import { cockroach } from './dialects/cockroach';
import { mysql } from './dialects/mysql';
import { postgres } from './dialects/postgres';
import { sqlServer } from './dialects/sql-server';
import { sqlite } from './dialects/sqlite';
import type { SqlDialect, SqlDialectName } from './sql-dialect';

const DIALECTS: Readonly<Record<SqlDialectName, SqlDialect>> = {
  postgres,
  mysql,
  sqlite,
  cockroachdb: cockroach,
  sqlserver: sqlServer,
};

export const SQL_DIALECTS = Object.keys(DIALECTS) as readonly SqlDialectName[];

/** @throws SessionError `SESSION_OPTIONS_INVALID` */
export function sqlDialect(name: SqlDialectName): SqlDialect {
  if (SQL_DIALECTS.includes(name)) return DIALECTS[name];
  throw new SessionError(
    'SESSION_OPTIONS_INVALID',
    `dialect must be one of ${SQL_DIALECTS.join(', ')}, got ${JSON.stringify(name)}. MariaDB is mysql.`,
  );
}
