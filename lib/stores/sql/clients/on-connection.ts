import { failureOf } from '../driver-failure';
import type { SqlDialect } from '../sql-dialect';

/** A pool of connections, each of which one statement uses at a time. */
interface ConnectionPool<Connection> {
  take(): Promise<Connection>;
  /** Returns a connection to the pool. */
  release(connection: Connection): void;
  /** Closes a connection at once, even with a statement in progress, and removes it from the pool. */
  destroy(connection: Connection): void;
}

/**
 * Runs a statement on a connection of a pool. Afterwards the connection is either usable and released, or destroyed: it never returns to
 * the pool with a statement in progress.
 */
export async function onConnection<Connection, Result>(
  pool: ConnectionPool<Connection>,
  dialect: SqlDialect,
  signal: AbortSignal,
  run: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const connection = await pool.take();
  if (signal.aborted) {
    pool.release(connection);
    throw signal.reason;
  }
  const abandon = (): void => pool.destroy(connection);
  signal.addEventListener('abort', abandon, { once: true });
  try {
    const result = await run(connection);
    if (!signal.aborted) pool.release(connection);
    return result;
  } catch (error) {
    const { kind } = failureOf(error, dialect, []);
    if (!signal.aborted) pool[kind === 'lost' || kind === 'refused' ? 'destroy' : 'release'](connection);
    throw error;
  } finally {
    signal.removeEventListener('abort', abandon);
  }
}

/** Makes the store use another connection. This one is closed, and the server rolls back what is uncommitted on it. */
export class TransactionLeftOpen extends Error {
  readonly code = '25001';
  readonly errno = 1568;
  override readonly message = 'the application has returned a connection to the pool with a transaction open';
}
