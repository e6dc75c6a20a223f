import { SessionError, SessionStoreError } from '../../core/session.errors';

const DUPLICATE = new Set(['SQLITE_CONSTRAINT_PRIMARYKEY', 'SQLITE_CONSTRAINT_UNIQUE']);

/** The driver's own code, such as `SQLITE_BUSY`. */
export function driverCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

/**
 * The error as it may leave the store. TypeORM's carries the statement's parameters, among them the secret's hash and the body, in a
 * property that any logger prints; so nothing of it is kept but code and message.
 */
export function driverFailure(operation: string, error: unknown): SessionError {
  if (error instanceof SessionError) return error;
  const code = driverCode(error);
  if (operation === 'insert' && code !== undefined && DUPLICATE.has(code)) {
    return new SessionError('SESSION_DUPLICATE_ID', 'A session with this id exists already.');
  }
  const message = error instanceof Error ? error.message : 'something that is not an Error was thrown';
  return new SessionStoreError(operation, `the database answered ${code ?? 'an error'} (${message})`);
}
