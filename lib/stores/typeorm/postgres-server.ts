import { createHash } from 'node:crypto';
import type { DataSource, DataSourceOptions } from 'typeorm';
import { inspectCockroachTable } from './cockroach-table';
import {
  type RunQuery,
  CONNECTING_TIMEOUT,
  type DatabaseServer,
  IDLE_TIMEOUT,
  type LeasedConnection,
  masterOf,
  poolSizeOf,
} from './database-server';
import { driverCode, type DriverFailure, type FailureKind, reasonOf } from './driver-failure';
import type { StatementResult } from './dedicated-connection';
import { inspectPostgresTable } from './postgres-table';
import type { SessionTable } from './session-table';
import type { SqlDialect } from './sql-dialect';
import { cockroachDialect, postgresDialect } from './sql-dialects';
import type { TableFacts } from './table-facts';

type PostgresOptions = Extract<DataSourceOptions, { type: 'postgres' | 'cockroachdb' }>;

/** The part of a `pg` client that the store uses. */
interface PgClient {
  query(query: object): Promise<{ readonly rows: readonly unknown[]; readonly rowCount: number | null }>;
  on(event: 'error' | 'end', listener: () => void): void;
  on(event: 'notification', listener: (message: { readonly payload?: string }) => void): void;
  off(event: 'error', listener: () => void): void;
  /** Not of `pg-native`. */
  unref?(): void;
}

interface PgDriver {
  obtainMasterConnection(): Promise<[client: PgClient, release: (error?: Error) => void]>;
}

/** SQLSTATE codes and what they mean for a single statement (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const FAILURE_KINDS: Readonly<Record<string, FailureKind>> = {
  23505: 'duplicate',
  40001: 'conflict', // serialization failure
  '40P01': 'conflict', // deadlock
  '55P03': 'conflict', // lock_timeout
  25006: 'refused', // read-only: the server has become a standby
  '0A000': 'refused', // the table was altered under a prepared statement
  26000: 'refused', // unknown prepared statement,
  '42P05': 'refused', // or a duplicate one: a proxy has switched the server connection
};
const STATEMENT_NAME_ERRORS = ['26000', '42P05'];

/** Returns values as texts, whatever type parsers the application has registered. */
const TYPES = { getTypeParser: () => (text: string) => text };

/** CockroachDB uses the protocol of PostgreSQL and most of its SQL. */
const DIALECTS = {
  postgres: { dialect: postgresDialect, inspect: inspectPostgresTable },
  cockroachdb: { dialect: cockroachDialect, inspect: inspectCockroachTable },
};

export class PostgresServer implements DatabaseServer {
  readonly dialect: SqlDialect;
  readonly inspect: (ask: RunQuery, table: SessionTable) => Promise<TableFacts | null>;
  readonly options: DataSourceOptions;
  /** Not of CockroachDB. */
  readonly listen?: NonNullable<DatabaseServer['listen']>;
  readonly #statementNames = new Map<string, string>();
  /**
   * Whether to use prepared statements, which save the server a third of its work. A PgBouncer before 1.21 in transaction mode breaks them;
   * the first error that shows this turns them off.
   */
  #prepares = true;

  constructor(given: PostgresOptions, poolSize: number | undefined) {
    ({ dialect: this.dialect, inspect: this.inspect } = DIALECTS[given.type]);
    this.options = ownOptions(given, poolSize);
    if (given.type === 'postgres') this.listen = listen;
  }

  async lease(pool: DataSource): Promise<LeasedConnection> {
    const [client, release] = await (pool.driver as unknown as PgDriver).obtainMasterConnection();
    // A broken connection also rejects the statement. An `error` event without a listener would end the process.
    const ignore = (): void => {};
    client.on('error', ignore);
    const end = (error?: Error): void => {
      release(error);
      client.off('error', ignore);
    };
    return {
      execute: (sql, parameters) => this.#execute(client, sql, parameters),
      release: () => end(),
      destroy: () => end(new Error('given up')),
    };
  }

  failureOf(error: unknown): DriverFailure {
    const code = driverCode(error) ?? '';
    if (STATEMENT_NAME_ERRORS.includes(code)) this.#prepares = false;
    const kind = FAILURE_KINDS[code] ?? (isConnected(error, code) ? 'other' : 'lost');
    // Messages of class 22, data exceptions, quote the value.
    return { kind, reason: reasonOf(error, code || undefined, code.startsWith('22')) };
  }

  async #execute(client: PgClient, text: string, values: readonly unknown[]): Promise<StatementResult> {
    const name = this.#prepares ? this.#nameOf(text) : undefined;
    const { rows, rowCount } = await client.query({ name, text, values, types: TYPES });
    return { rows, affected: rowCount ?? 0 };
  }

  /** A name derived from the statement's text, so that statements for different tables have different names. */
  #nameOf(text: string): string {
    let name = this.#statementNames.get(text);
    if (name === undefined) {
      name = `tessera_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`;
      this.#statementNames.set(text, name);
    }
    return name;
  }
}

async function listen(
  pool: DataSource,
  channel: string,
  receive: (message: string) => void,
  lost: () => void,
  over: AbortSignal,
): Promise<void> {
  const [client, release] = await (pool.driver as unknown as PgDriver).obtainMasterConnection();
  client.on('error', lost);
  client.on('end', lost);
  client.on('notification', ({ payload = '' }) => receive(payload));
  const close = (): void => release(new Error('closed'));
  if (over.aborted) return close();
  over.addEventListener('abort', close, { once: true });
  client.unref?.();
  await client.query({ text: `LISTEN "${channel}"` });
}

/** Whether the connection still works: errors of the server have a severity. After classes 08 and 57P it closes the connection. */
function isConnected(error: unknown, code: string): boolean {
  return (error as { severity?: unknown } | null)?.severity !== undefined && !/^(08|57P)/.test(code);
}

/** The options needed to connect. Entities, migrations, logging and the like are left out. */
function ownOptions(given: PostgresOptions, poolSize: number | undefined): DataSourceOptions {
  const { url, host, port, username, password, database, ssl, applicationName } = masterOf(given);
  const application = given.extra as Record<string, unknown> | undefined;
  const connectTimeout = 'connectTimeoutMS' in given ? given.connectTimeoutMS : undefined;
  return {
    type: given.type,
    driver: given.driver as unknown,
    nativeDriver: given.nativeDriver as unknown,
    ...{ url, host, port, username, password, database, ssl, applicationName },
    logging: false,
    installExtensions: false,
    timeTravelQueries: false,
    extra: {
      connectionTimeoutMillis: connectTimeout ?? CONNECTING_TIMEOUT,
      idleTimeoutMillis: IDLE_TIMEOUT,
      keepAlive: true,
      // A server that is gone does not answer the farewell of an idle connection. The process need not wait for it.
      allowExitOnIdle: true,
      ...application,
      max: poolSizeOf(poolSize, given.poolSize, application?.['max']),
      min: 0,
      binary: false,
      pipeline: false,
      query_timeout: undefined,
    },
  } as DataSourceOptions;
}
