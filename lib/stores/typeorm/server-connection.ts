import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { DataSource, type DataSourceOptions } from 'typeorm';
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

/** How often a statement is run at most, when others or broken connections are in its way. */
const MAX_STATEMENT_ATTEMPTS = 6;
/** How long opening the pool, and inspecting, may take, in milliseconds. */
const OPENING_TIMEOUT = 5000;
/** How long closing may take, in milliseconds: a frozen server says goodbye to nobody. */
const CLOSING_TIMEOUT = 2000;

/**
 * A pool of the store's own to the application's database server. On the application's pool, requests whose transactions hold all
 * connections would wait for their sessions until the timeout; a session write would take part in whatever a connection was left in,
 * such as `SET autocommit = 0`; and connections to a server that is half-open would be nobody's to give up.
 *
 * The drivers are used directly: TypeORM's own way logs parameters, tells subscribers, and cannot be rid of a connection.
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
    setMaxListeners(0, signal); // many calls may share one
    const parameters = statement.takes.map((index) => values[index]);
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(statement, parameters, signal);
      if (!('kind' in outcome)) return outcome;
      if (attempt === MAX_STATEMENT_ATTEMPTS || !mayRepeat(outcome, statement))
        throw toStoreError(statement.operation, outcome);
      if (!(await backOff(attempt, signal))) throw callAborted(statement.operation);
    }
  }

  inspect(table: SessionTable): Promise<TableFacts | null> {
    const call = { signal: AbortSignal.timeout(OPENING_TIMEOUT) };
    const ask = async (sql: string, parameters: readonly unknown[] = []) => {
      const takes = [...parameters.keys()];
      return (await this.run({ operation: 'prepare', sql, takes, repeatable: true }, parameters, call)).rows;
    };
    return this.server.inspect(ask as never, table);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const closing = this.#opening?.then((pool) => pool.destroy()).catch(() => undefined);
    this.#opening = undefined;
    await Promise.race([closing, pause(CLOSING_TIMEOUT, undefined, { ref: false })]);
  }

  /** Whatever ends the wait, the connection is either sound or gone: it never goes back with a statement under way. */
  async #attempt(
    { operation, sql }: Statement,
    parameters: readonly unknown[],
    signal: AbortSignal,
  ): Promise<StatementResult | DriverFailure> {
    const held: { lease?: LeasedConnection } = {};
    const exchange = async (): Promise<StatementResult> => {
      const lease = await this.#lease(operation);
      if (!signal.aborted) return (held.lease = lease).execute(sql, parameters);
      // It arrives when nobody waits any more.
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
    if (this.#closed) throw new SessionStoreError(operation, 'it has been closed');
    try {
      return await this.server.lease(await this.#openPool());
    } catch (error) {
      throw new SessionStoreError(operation, `no connection could be had: ${reasonOf(error)}`);
    }
  }

  #openPool(): Promise<DataSource> {
    this.#opening ??= openPool(this.server.options).catch((error: unknown) => {
      this.#opening = undefined; // the next call tries again
      throw error;
    });
    return this.#opening;
  }
}

/** What was certainly not run, or does no harm when it is run again. */
function mayRepeat({ kind }: DriverFailure, { repeatable }: Statement): boolean {
  return kind === 'conflict' || kind === 'refused' || (kind === 'lost' && repeatable);
}

function callAborted(operation: string): SessionStoreError {
  return new SessionStoreError(operation, 'the call was given up before the database answered');
}

/** TypeORM asks the new pool a few questions without minding the time. */
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
