import { SessionError } from '../../../core/session.errors';
import type { SqlClient, SqlValue } from '../sql-client';
import { resultOf } from './driver-answer';

interface SqliteDatabase {
  prepare(sql: string): unknown;
}

type BetterSqlite3Database = SqliteDatabase & { readonly inTransaction: boolean };
type NodeSqliteDatabase = SqliteDatabase & { readonly isTransaction?: boolean };

interface SqliteStatement {
  all(...parameters: readonly SqlValue[]): unknown[];
  run(...parameters: readonly SqlValue[]): unknown;
}

/**
 * A `Database` of `better-sqlite3`. A session write waits until a transaction of the application on this connection has ended. While
 * another process has locked the file, `better-sqlite3` itself blocks the process, for its option `timeout` (5 seconds by default): set it
 * to 0, and the store waits without blocking.
 */
export function fromBetterSqlite3(database: BetterSqlite3Database): SqlClient {
  return synchronous(database, () => database.inTransaction);
}

/**
 * A `DatabaseSync` of `node:sqlite`, on Node 22.16, 24 or newer. A session write waits until a transaction of the application on this
 * connection has ended. The option `timeout` is 0 by default, with which the store waits for other processes without blocking.
 * @throws SessionError `SESSION_OPTIONS_INVALID` on an older Node, which does not tell of transactions
 */
export function fromNodeSqlite(database: NodeSqliteDatabase): SqlClient {
  if (database.isTransaction === undefined)
    throw new SessionError(
      'SESSION_OPTIONS_INVALID',
      'fromNodeSqlite needs Node 22.16, 24 or newer. Use fromBetterSqlite3 on an older one.',
    );
  return synchronous(database, () => database.isTransaction === true);
}

function synchronous(database: SqliteDatabase, isInTransaction: () => boolean): SqlClient {
  const statements = new Map<string, SqliteStatement>();

  const prepared = (sql: string): SqliteStatement => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const statement = database.prepare(sql) as SqliteStatement;
    statements.set(sql, statement);
    return statement;
  };

  return {
    dialect: 'sqlite',
    limits: ['one-connection'],
    async execute(sql, parameters, { returnsRows }) {
      if (returnsRows) return resultOf(prepared(sql).all(...parameters));
      // The store tries again, as when another connection has locked the database.
      if (isInTransaction())
        throw Object.assign(new Error('the application has a transaction open'), { code: 'SQLITE_BUSY' });
      return resultOf(prepared(sql).run(...parameters));
    },
  };
}
