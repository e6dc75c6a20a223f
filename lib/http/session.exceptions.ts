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
    super({ statusCode: 503, code: cause.code, message: 'Service Unavailable' }, { cause });
    this.code = cause.code;
  }
}

/** Returns the body of the answer when a session could not be saved and exception filters do not run any more. */
export function failureOf(error: unknown): FailureBody {
  return error instanceof SessionUnavailableException
    ? (error.getResponse() as FailureBody)
    : { statusCode: 500, message: 'Internal server error' };
}
