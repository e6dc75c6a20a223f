/**
 * Sessions in PostgreSQL, MySQL, MariaDB, SQLite, CockroachDB or SQL Server, through the client that the application has.
 * @module nestjs-tessera/sql
 */
export { SqlSessionStore } from './sql-session-store';
export type { SqlSessionStoreOptions } from './sql-session-store';
export { sessionTableSql } from './session-table-sql';
export type { SessionTableSqlOptions } from './session-table-sql';
export type { SqlDialectName } from './sql-dialect';
export type { SqlClient, SqlClientLimit, SqlExecution, SqlResult, SqlValue } from './sql-client';
export { fromPg } from './clients/pg';
export { fromPostgresJs } from './clients/postgres-js';
export { fromMysql2 } from './clients/mysql2';
export { fromBetterSqlite3, fromNodeSqlite } from './clients/better-sqlite3';
export { fromLibsql, fromPglite } from './clients/embedded';
export { fromPrisma } from './clients/prisma';
export { fromDrizzle } from './clients/drizzle';
export { fromKnex, fromKysely, fromMikroOrm, fromSequelize } from './clients/query-builders';
