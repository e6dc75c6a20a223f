import type { SqlClient } from '../sql-client';
import { resultOf } from './driver-answer';
import { whenOver } from './when-over';

interface PostgresJs {
  unsafe(text: string, values?: never[], options?: { prepare?: boolean }): unknown;
  listen(
    channel: string,
    receive: (message: string) => void,
    listens: () => void,
  ): Promise<{ readonly unlisten: () => Promise<void> }>;
}

/**
 * The `sql` of the package `postgres` (porsager), on PostgreSQL. A statement that the store no longer waits for goes on: canceling one may
 * hit another on the same connection. After a failure the package waits up to 20 seconds before it connects again; its option `backoff`
 * makes that shorter. Set `fetch_types: false`: fetching them on a connection that breaks is an unhandled rejection.
 */
export function fromPostgresJs(sql: PostgresJs): SqlClient {
  return {
    dialect: 'postgres',
    limits: ['shared-pool', 'calls-go-on'],
    execute: async (text, values) => resultOf(await sql.unsafe(text, values as never[], { prepare: true })),
    async listen(channel, receive, lost, over) {
      let connections = 0;
      // The package connects again by itself. Messages may have been lost before.
      const { unlisten } = await sql.listen(channel, receive, () => ++connections > 1 && lost());
      whenOver(over, unlisten);
    },
  };
}
