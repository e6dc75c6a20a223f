import type { SessionError } from '../core/session.errors';
import type { Session } from '../core/session';
import type { SessionInstance } from './session-instance';
import type { Connection, RequestHeaders } from '../transports/session-transport';

/**
 * The part of a request that has its headers.
 * @inline
 */
export interface RequestHead {
  /** The headers, with names in lower case. */
  readonly headers: RequestHeaders;
}

/** What sessions know of the HTTP request, socket message or GraphQL operation that they serve. Each door implements it. */
export interface UnitOfWork {
  /**
   * Its headers have the tokens. They are read once for each instance that is used. The method is that of an HTTP request; a unit without
   * one is taken for a request that changes something.
   */
  readonly request: RequestHead & { readonly method?: string | undefined };
  readonly connection: Connection;
  /** The client's address, as the framework trusts its proxies. Absent when it is unknown. */
  readonly address?: string | undefined;
  /** Why no answer can carry a token, in a unit that has none. What needs a token is then refused. */
  readonly obstacle?: string;
  /** Why no session can change, in a unit that is never committed, and what to do instead. @default sessions can change */
  readonly readOnly?: string | undefined;
  /** Whether the answer is complete or the client has gone. No commit follows, so each change of a stored session is saved by itself. */
  readonly isOver: boolean;
  /**
   * Called at the first use of each session, before it is opened, and when the scope names headers for `Vary`. With the first call, the door
   * starts to commit the scope before it answers. Returns whether the answer has begun. The session then cannot be changed, since the client could not be told.
   */
  begin(isFirst: boolean): boolean;
  /** Opens the session of an instance, in a unit whose client does not send its token. */
  readonly open?: (
    instance: SessionInstance,
    arrivedAt: number | undefined,
    touches: boolean,
  ) => Promise<Session>;
  /** Returns the error that handlers see instead of a store's failure, with that failure as its `cause`. */
  translate(failure: SessionError): Error;
}
