import { ServiceUnavailableException } from '@nestjs/common';
import type { SessionError } from '../core/session.errors';

type FailureBody = { readonly statusCode: number; readonly code?: string; readonly message: string };

/**
 * The session store failed, or too many concurrent writes conflicted. A 503 that exception filters can handle. `cause` has the details;
 * the client gets only the `code`.
 */
export class SessionUnavailableException extends ServiceUnavailableException {
  readonly code: string;

  constructor(cause: SessionError) {
    super(unavailable(cause.code), { cause });
    this.code = cause.code;
  }
}

/** Returns the body of the answer when a session could not be saved and exception filters do not run any more. */
export function failureOf(error: unknown): FailureBody {
  return error instanceof SessionUnavailableException
    ? unavailable(error.code)
    : { statusCode: 500, message: 'Internal server error' };
}

/** Returns the body of a 503: a stable code, and no details. */
function unavailable(code: string): FailureBody {
  return { statusCode: 503, code, message: 'Service Unavailable' };
}
