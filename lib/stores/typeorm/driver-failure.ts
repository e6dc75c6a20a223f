import { SessionError, SessionStoreError } from '../../core/session.errors';

/**
 * Why a statement failed.
 *
 * - `duplicate`: the id exists already.
 * - `conflict`: rolled back because of a concurrent transaction. A retry may succeed.
 * - `refused`: not run, and it cannot be on this connection. A retry on another connection may succeed.
 * - `lost`: the connection broke. Whether the statement was run is unknown.
 * - `other`: any other error. A retry does not help.
 */
export type FailureKind = 'duplicate' | 'conflict' | 'refused' | 'lost' | 'other';

export interface DriverFailure {
  readonly kind: FailureKind;
  /** The driver's code, and its message unless that may quote a value. */
  readonly reason: string;
}

/** The driver's error code, such as `SQLITE_BUSY`, `40001` or `ECONNRESET`. */
export function driverCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

/**
 * The part of a driver's error that is safe to log: code and message. The error's other properties hold the statement's parameters, which
 * include the secret's hash and the body, and which loggers print.
 * @param quotesValues whether the message may quote a value, and must be left out
 */
export function reasonOf(
  error: unknown,
  code = driverCode(error) ?? 'an error',
  quotesValues = false,
): string {
  if (quotesValues) return code;
  return `${code} (${error instanceof Error ? error.message : 'something that is not an Error was thrown'})`;
}

/** Converts the failure into the error that the store throws. */
export function toStoreError(operation: string, { kind, reason }: DriverFailure): SessionError {
  return operation === 'insert' && kind === 'duplicate'
    ? new SessionError('SESSION_DUPLICATE_ID', 'A session with this id exists already.')
    : new SessionStoreError(operation, `the database answered ${reason}`);
}
