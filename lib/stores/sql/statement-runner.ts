import { setMaxListeners } from 'node:events';
import type { StoreCall } from '../../core/session-store';
import { SessionStoreError } from '../../core/session.errors';
import { backOff } from './backoff';
import { type DriverFailure, failureOf, toStoreError } from './driver-failure';
import type { Statement } from './session-statements';
import type { SqlClient, SqlResult, SqlValue } from './sql-client';
import type { SqlDialect } from './sql-dialect';
import { unlessAborted } from './unless-aborted';

/** Maximum number of attempts of a statement after conflicts and broken connections. */
const MAX_ATTEMPTS = 6;

/** Runs statements with a client: as long as the call waits, and again where that is safe. */
export class StatementRunner {
  #isClosed = false;

  constructor(
    private readonly client: SqlClient,
    private readonly dialect: SqlDialect,
  ) {}

  /**
   * Waits for locks until the call is aborted.
   * @throws SessionStoreError without the statement's values; SessionError `SESSION_DUPLICATE_ID` when the id exists
   */
  async run(statement: Statement, values: readonly SqlValue[], { signal }: StoreCall): Promise<SqlResult> {
    const { operation, sql, takes, returnsRows } = statement;
    setMaxListeners(0, signal); // many calls may share one signal
    const parameters = takes.map((index) => values[index] as SqlValue);
    for (let attempt = 1; ; attempt++) {
      if (this.#isClosed) throw new SessionStoreError(operation, 'the store is closed');
      let failure: DriverFailure;
      try {
        return await unlessAborted(this.client.execute(sql, parameters, { signal, returnsRows }), signal);
      } catch (error) {
        if (signal.aborted) throw callAborted(operation);
        failure = failureOf(error, this.dialect, parameters);
      }
      if (!mayRepeat(failure, statement, attempt)) throw toStoreError(operation, failure, this.dialect);
      if (!(await backOff(attempt, signal))) throw callAborted(operation, failure);
    }
  }

  open(): void {
    this.#isClosed = false;
  }

  close(): void {
    this.#isClosed = true;
  }
}

/** Whether the statement was certainly not run, or may be run twice. A lock may be held for as long as its owner likes. */
function mayRepeat({ kind }: DriverFailure, { repeatable }: Statement, attempt: number): boolean {
  if (kind === 'locked') return true;
  if (attempt === MAX_ATTEMPTS) return false;
  return kind === 'conflict' || kind === 'refused' || (kind === 'lost' && repeatable);
}

function callAborted(operation: string, failure?: DriverFailure): SessionStoreError {
  return new SessionStoreError(
    operation,
    failure?.kind === 'locked'
      ? 'another connection kept the database locked until the call was aborted'
      : 'the call was aborted before the database answered',
  );
}
