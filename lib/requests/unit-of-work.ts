import type { SessionError } from '../core/session.errors';
import type { Connection, RequestHeaders } from '../transports/session-transport';

/**
 * What sessions are told of the unit of work they serve: an HTTP request, a message of a socket, a GraphQL operation. Each door
 * implements it for what enters through it.
 */
export interface UnitOfWork {
  /** Where tokens are read from, once for each instance that is touched. */
  readonly headers: RequestHeaders;
  readonly connection: Connection;
  /** Whether the answer has begun. Sessions opened from then on cannot be changed, since the client could not be told. */
  readonly hasBegun: boolean;
  /** Whether the answer is over or its client has gone. No commit may follow, so each change of a stored session is saved by itself. */
  readonly isOver: boolean;
  /** Called once, at the first touch of a session, before it is opened. The door commits the scope before it answers, from then on. */
  begin(): void;
  /** Returns what handlers see instead of a store's failure, with that failure as its `cause`. */
  translate(failure: SessionError): Error;
}
