import { SessionError, SessionStoreError } from '../../core/session.errors';

/**
 * What came of a statement that failed.
 *
 * - `duplicate`: the id exists already.
 * - `conflict`: it was undone whole, because somebody else was at the same rows. It may well pass the next time.
 * - `refused`: it was not run, and never will be on this connection. Another connection may do.
 * - `lost`: the connection broke. Whether it was run, nobody knows.
 * - `other`: it cannot be run.
 */
export type FailureKind = 'duplicate' | 'conflict' | 'refused' | 'lost' | 'other';

export interface DriverFailure {
  readonly kind: FailureKind;
  /** The driver's code, and what it says unless that could quote a value. */
  readonly reason: string;
}

/** The driver's own code, such as `SQLITE_BUSY`, `40001` or `ECONNRESET`. */
export function driverCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

/**
 * What a log may have of a driver's error. The error itself carries the statement's parameters, among them the secret's hash and
 * the body, in properties that any logger prints; so nothing of it is kept but code and message.
 * @param quotesValues whether its message may do so too
 */
export function reasonOf(
  error: unknown,
  code = driverCode(error) ?? 'an error',
  quotesValues = false,
): string {
  if (quotesValues) return code;
  return `${code} (${error instanceof Error ? error.message : 'something that is not an Error was thrown'})`;
}

/** The failure as it leaves the store. */
export function toStoreError(operation: string, { kind, reason }: DriverFailure): SessionError {
  return operation === 'insert' && kind === 'duplicate'
    ? new SessionError('SESSION_DUPLICATE_ID', 'A session with this id exists already.')
    : new SessionStoreError(operation, `the database answered ${reason}`);
}
