import type { SqlClient } from '../sql-client';
import { resultOf } from './driver-answer';
import { whenOver } from './when-over';

interface Pglite {
  query(text: string, values?: never[]): Promise<unknown>;
  listen(channel: string, receive: (message: string) => void): Promise<() => Promise<void>>;
}

type LibsqlClient = { execute(statement: { sql: string; args: never[] }): Promise<unknown> };

/** PostgreSQL in this process: `@electric-sql/pglite`. A statement waits until a transaction of the application has ended. */
export function fromPglite(database: Pglite): SqlClient {
  return {
    dialect: 'postgres',
    limits: ['one-connection', 'calls-go-on'],
    execute: async (text, values) => resultOf(await database.query(text, values as never[])),
    listen: async (channel, receive, _, over) =>
      whenOver(over, await database.listen(`"${channel}"`, receive)),
  };
}

/** A client of `@libsql/client`. Proven on local files. */
export function fromLibsql(client: LibsqlClient): SqlClient {
  return {
    dialect: 'sqlite',
    limits: ['one-connection', 'calls-go-on'],
    execute: async (sql, args) => resultOf(await client.execute({ sql, args: args as never[] })),
  };
}
