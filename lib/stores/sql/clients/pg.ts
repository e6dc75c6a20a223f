import { createHash } from 'node:crypto';
import { cockroach } from '../dialects/cockroach';
import { postgres } from '../dialects/postgres';
import { failureOf } from '../driver-failure';
import type { SqlClient } from '../sql-client';
import { resultOf } from './driver-answer';
import { onConnection, TransactionLeftOpen } from './on-connection';
import { whenOver } from './when-over';

interface PgPool {
  connect(): Promise<PgPoolClient>;
  readonly options: object;
  /** The class of its clients. */
  readonly Client?: unknown;
}

interface PgPoolClient {
  query(query: never): unknown;
  release(error?: Error): void;
  /** Not of older versions, and not of `pg-native`. */
  getTransactionStatus?(): string | null;
  on(event: 'error', listener: () => void): unknown;
  off(event: 'error', listener: () => void): unknown;
}

/** A connection outside the pool. */
interface PgClient {
  connect(): Promise<unknown>;
  query(text: string): Promise<unknown>;
  end(): Promise<void>;
  on(event: 'error' | 'end', listener: () => void): void;
  on(event: 'notification', listener: (message: { readonly payload?: string }) => void): void;
  /** Not of `pg-native`. */
  unref?(): void;
}

/** Returns values as texts, whatever type parsers the application has registered. */
const TYPES = { getTypeParser: () => (text: string) => text };

/** SQLSTATE codes of a prepared statement that is unknown, or known already. */
const STATEMENT_NAME_ERROR = /^(26000|42P05) /;

/**
 * A `Pool` of `pg`, on PostgreSQL or CockroachDB. A statement that the store no longer waits for is abandoned with its connection. The
 * connection that listens for the ends of sessions is one more, outside the pool.
 */
export function fromPg(pool: PgPool, dialectName: 'postgres' | 'cockroachdb' = 'postgres'): SqlClient {
  const dialect = dialectName === 'cockroachdb' ? cockroach : postgres;
  const names = new Map<string, string>();
  // Prepared statements save the server a third of its work. A PgBouncer before 1.21 in transaction mode breaks them; the first error
  // that shows this turns them off.
  let prepares = true;

  return {
    dialect: dialectName,
    limits: ['shared-pool'],
    execute: (text, values, { signal }) =>
      onConnection(connectionsOf(pool), dialect, signal, async (client) => {
        if (/[TE]/.test(client.getTransactionStatus?.() ?? 'I')) throw new TransactionLeftOpen();
        const name = prepares ? nameOf(text, names) : undefined;
        try {
          return resultOf(await client.query({ name, text, values, types: TYPES } as never));
        } catch (error) {
          if (STATEMENT_NAME_ERROR.test(failureOf(error, dialect, []).reason)) prepares = false;
          throw error;
        }
      }),
    ...(dialectName === 'postgres' && typeof pool.Client === 'function' && { listen: listening(pool) }),
  };
}

function connectionsOf(pool: PgPool) {
  return {
    take: async () => {
      const client = await pool.connect();
      client.on('error', ignore);
      return client;
    },
    release: (client: PgPoolClient, error?: Error) => {
      client.release(error);
      client.off('error', ignore);
    },
    destroy(client: PgPoolClient): void {
      this.release(client, new Error('given up'));
    },
  };
}

/** A broken connection also rejects the statement. An `error` event without a listener would end the process. */
function ignore(): void {}

function listening(pool: PgPool): NonNullable<SqlClient['listen']> {
  const Client = pool.Client as new (options: object) => PgClient;
  return async (channel, receive, lost, over) => {
    over.throwIfAborted(); // a client that was ended still connects
    const client = new Client(pool.options);
    client.on('error', lost);
    client.on('end', lost);
    client.on('notification', ({ payload = '' }) => receive(payload));
    whenOver(over, () => client.end());
    await client.connect();
    client.unref?.();
    await client.query(`LISTEN "${channel}"`);
  };
}

/** A name derived from the statement's text, so that statements for different tables have different names. */
function nameOf(text: string, names: Map<string, string>): string {
  let name = names.get(text);
  if (name === undefined) {
    name = `tessera_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`;
    names.set(text, name);
  }
  return name;
}
