import { ServiceUnavailableException } from '@nestjs/common';
import type { SessionError } from '../core/session.errors';

/** What the client learns when a session could not be read or written: nothing but that, and a stable code. */
export function unavailableBody(code: string): { statusCode: number; code: string; message: string } {
  return { statusCode: 503, code, message: 'Service Unavailable' };
}

/**
 * The session store failed, or other writers were faster too often: a 503 for exception filters to see. The `cause` tells the
 * developer which; the client sees only {@link SessionUnavailableException.code}.
 */
export class SessionUnavailableException extends ServiceUnavailableException {
  readonly code: string;

  constructor(cause: SessionError) {
    super(unavailableBody(cause.code), { cause });
    this.code = cause.code;
  }
}
