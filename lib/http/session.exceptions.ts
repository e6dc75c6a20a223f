import {
  ForbiddenException,
  HttpException,
  ServiceUnavailableException,
  UnauthorizedException,
} from '@nestjs/common';
import { SessionError } from '../core/session.errors';
import { coded } from '../requests/coded';
import { isRefusedLogin } from '../requests/session-instance';
import type { Failure } from '../requests/session-scope';

/**
 * The session store failed, or too many concurrent writes conflicted. A 503 that exception filters can handle. `cause` has the details;
 * the client gets only the `code`.
 */
export class SessionUnavailableException extends ServiceUnavailableException {
  /** The code of the `SessionError` that is its `cause`. */
  readonly code: string;

  constructor(cause: SessionError) {
    super({ statusCode: 503, code: cause.code, message: 'Service Unavailable' }, { cause });
    this.code = cause.code;
  }
}

/** Returns the exception that handlers and filters see instead of a failure: 401 or 403 for a refused login, else 503. */
export function exceptionOf(cause: SessionError): HttpException {
  const { code } = cause;
  if (!isRefusedLogin(cause)) return coded(new SessionUnavailableException(cause));
  const refusal =
    code === 'SESSION_LIMIT_REACHED'
      ? new ForbiddenException(
          { statusCode: 403, error: 'Forbidden', code, message: 'Too many sessions' },
          { cause },
        )
      : new UnauthorizedException(
          { statusCode: 401, error: 'Unauthorized', code, message: 'Log in again' },
          { cause },
        );
  return coded(refusal);
}

/**
 * Returns the body of the answer when a session could not be saved and exception filters do not run any more.
 * @param tellsMistakes whether the client is told the code of a mistake in the application's code, as in GraphQL
 */
export function failureOf(error: unknown, tellsMistakes = false): Failure {
  if (error instanceof HttpException && error.cause instanceof SessionError)
    return error.getResponse() as Failure;
  const code = tellsMistakes && error instanceof SessionError ? error.code : undefined;
  return { statusCode: 500, message: 'Internal server error', ...(code !== undefined && { code }) };
}
