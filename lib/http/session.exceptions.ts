import { ServiceUnavailableException } from '@nestjs/common';
import type { SessionError } from '../core/session.errors';

type FailureBody = { readonly statusCode: number; readonly code?: string; readonly message: string };

/**
 * The session store failed, or other writers were faster too often: a 503 for exception filters to see. The `cause` tells the
 * developer which; the client sees only {@link SessionUnavailableException.code}.
 */
export class SessionUnavailableException extends ServiceUnavailableException {
  readonly code: string;

  constructor(cause: SessionError) {
    super(unavailable(cause.code), { cause });
    this.code = cause.code;
  }
}

/** The fixed answer to a request whose session could not be saved once its handler was done: no filter runs any more. */
export function failureOf(error: unknown): FailureBody {
  return error instanceof SessionUnavailableException
    ? unavailable(error.code)
    : { statusCode: 500, message: 'Internal server error' };
}

/** What the client learns when a session could not be read or written: nothing but that, and a stable code. */
function unavailable(code: string): FailureBody {
  return { statusCode: 503, code, message: 'Service Unavailable' };
}
