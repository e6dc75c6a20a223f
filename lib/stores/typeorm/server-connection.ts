import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { EndServer } from '../../core/end-channel';
import type { StoreCall } from '../../core/session-store';
import { SessionStoreError } from '../../core/session.errors';
import type { DatabaseServer, LeasedConnection } from './database-server';
import { type DriverFailure, reasonOf, toStoreError } from './driver-failure';
import type { StatementResult, DedicatedConnection } from './dedicated-connection';
import { backOff } from './backoff';
import type { Statement } from './session-statements';
import type { SessionTable } from './session-table';
import type { SqlDialect } from './sql-dialect';
import type { TableFacts } from './table-facts';
import { unlessAborted } from './unless-aborted';

/** Maximum number of attempts of a statement after conflicts and broken connections. */
const MAX_STATEMENT_ATTEMPTS = 6;
/** How long opening the pool, and inspecting the table, may take, in milliseconds. */
const OPENING_TIMEOUT = 5000;
/** How long sending a message may take, in milliseconds. */
const SENDING_TIMEOUT = 2000;
/** How long closing may take, in milliseconds: a frozen server does not answer. */
const CLOSING_TIMEOUT = 2000;

/** Sends a message to all who listen. Sending it twice does no harm. */
const NOTIFY: Statement = {
  operation: 'watchEnds',
  sql: 'SELECT pg_notify($1, $2)',
  takes: [0, 1],
  repeatable: true,
};

/**
 * The store's own pool to the application's database server. With the application's pool, requests whose transactions occupy all
 * connections would wait for their sessions until the timeout. A session write would inherit the state of a connection, such as
 * `SET autocommit = 0`. And the store could not close a half-open connection.
 *
 * The drivers are used directly, because TypeORM's query runner logs parameters, notifies subscribers, and cannot destroy a connection.
 */
export class ServerConnection implements DedicatedConnection {
  readonly dialect: SqlDialect;
  #opening: Promise<DataSource> | undefined;
  #closed = false;

  constructor(
    private readonly server: DatabaseServer,
    readonly place: string,
  ) {
    this.dialect = server.dialect;
  }

  async run(
    statement: Statement,
    values: readonly unknown[],
    { signal }: StoreCall,
  ): Promise<StatementResult> {
    setMaxListeners(0, signal); // many calls may share one signal
    const parameters = statement.takes.map((index) => values[index]);
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(statement, parameters, signal);
      if (!('kind' in outcome)) return outcome;
      if (attempt === MAX_STATEMENT_ATTEMPTS || !mayRepeat(outcome, statement))
        throw toStoreError(statement.operation, outcome);
      if (!(await backOff(attempt, signal))) throw callAborted(statement.operation);
    }
  }

  open(): void {
    this.#closed = false;
  }

  inspect(table: SessionTable): Promise<TableFacts | null> {
    const call = { signal: AbortSignal.timeout(OPENING_TIMEOUT) };
    const ask = async (sql: string, parameters: readonly unknown[] = []) => {
      const takes = [...parameters.keys()];
      return (await this.run({ operation: 'prepare', sql, takes, repeatable: true }, parameters, call)).rows;
    };
    return this.server.inspect(ask as never, table);
  }

  endServer(channel: string): EndServer | null {
    const { server } = this;
    if (server.listen === undefined) return null;
    return {
      connect: async (receive, lost, over) => {
        const pool = await openPool(ofOneConnection(server.options));
        const close = (): void => void pool.destroy().catch(() => undefined);
        if (over.aborted) return close();
        over.addEventListener('abort', close, { once: true });
        await server.listen!(pool, channel, receive, lost, over);
      },
      send: (message) =>
        this.run(NOTIFY, [channel, message], { signal: AbortSignal.timeout(SENDING_TIMEOUT) }),
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    const closing = this.#opening?.then((pool) => pool.destroy()).catch(() => undefined);
    this.#opening = undefined;
    await Promise.race([closing, pause(CLOSING_TIMEOUT, undefined, { ref: false })]);
  }

  /** Afterwards the connection is either usable and released, or destroyed. It never returns to the pool with a statement in progress. */
  async #attempt(
    { operation, sql }: Statement,
    parameters: readonly unknown[],
    signal: AbortSignal,
  ): Promise<StatementResult | DriverFailure> {
    const held: { lease?: LeasedConnection } = {};
    const exchange = async (): Promise<StatementResult> => {
      const lease = await this.#lease(operation);
      if (!signal.aborted) return (held.lease = lease).execute(sql, parameters);
      // The connection arrived after the call was aborted.
      lease.release();
      throw callAborted(operation);
    };
    try {
      const answer = await unlessAborted(exchange(), signal);
      held.lease!.release();
      return answer;
    } catch (error) {
      const { lease } = held;
      if (lease === undefined) throw signal.aborted ? callAborted(operation) : error;
      const failure = this.server.failureOf(error);
      if (signal.aborted || failure.kind === 'lost' || failure.kind === 'refused') lease.destroy();
      else lease.release();
      if (signal.aborted) throw callAborted(operation);
      return failure;
    }
  }

  async #lease(operation: string): Promise<LeasedConnection> {
    if (this.#closed) throw new SessionStoreError(operation, 'the store is closed');
    try {
      return await this.server.lease(await this.#openPool());
    } catch (error) {
      throw new SessionStoreError(operation, `connecting to the database failed: ${reasonOf(error)}`);
    }
  }

  #openPool(): Promise<DataSource> {
    if (this.#opening !== undefined) return this.#opening;
    const opening = openPool(this.server.options).catch((error: unknown) => {
      if (this.#opening === opening) this.#opening = undefined; // the next call tries again
      throw error;
    });
    return (this.#opening = opening);
  }
}

/** Whether the statement was certainly not run, or may be run twice. */
function mayRepeat({ kind }: DriverFailure, { repeatable }: Statement): boolean {
  return kind === 'conflict' || kind === 'refused' || (kind === 'lost' && repeatable);
}

function ofOneConnection(options: DataSourceOptions): DataSourceOptions {
  return { ...options, extra: { ...(options.extra as object), max: 1 } };
}

function callAborted(operation: string): SessionStoreError {
  return new SessionStoreError(operation, 'the call was aborted before the database answered');
}

/** Opens the pool with a timeout; TypeORM's own queries on a new pool have none. */
async function openPool(options: DataSourceOptions): Promise<DataSource> {
  const pool = new DataSource(options);
  const opening = pool.initialize();
  const signal = AbortSignal.timeout(OPENING_TIMEOUT);
  try {
    return await unlessAborted(opening, signal, (late) => void late.destroy().catch(() => undefined));
  } catch (error) {
    void pool.driver.disconnect().catch(() => undefined);
    if (signal.aborted) throw new Error(`the server did not answer within ${OPENING_TIMEOUT} ms`);
    throw error;
  }
}
