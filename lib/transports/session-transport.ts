import type { SessionCarrier } from '../core/session-carrier';
import type { CommitDecision } from '../core/session-decision';

/** What a request says about its session. */
export type TokenReading =
  /** Nothing. */
  | { readonly kind: 'none' }
  /** A candidate: whether it has the form of a token is not the transport's business. */
  | { readonly kind: 'token'; readonly value: string }
  /** Contradictory things. Nothing is adopted then. */
  | { readonly kind: 'ambiguous' };

/** The header section of a request, names in lower case. What came more than once is joined, or a list where it cannot be joined. */
export interface RequestHeaders {
  readonly [name: string]: string | readonly string[] | undefined;
}

/** The header section of a response that has not been sent yet. Names in any case. */
export interface ResponseHeaders {
  get(name: string): string[];
  set(name: string, values: string[]): void;
}

/** Where a request came from, as far as the framework, with its own trust in proxies, can tell. */
export interface Connection {
  /** Whether the client's side of it is encrypted. */
  readonly secure: boolean;
  /** The host the client asked for, with or without a port. */
  readonly host: string | undefined;
}

/** How a token travels between a client and the server: headers in, headers out. */
export interface SessionTransport extends SessionCarrier {
  /** The request header that the answer depends on, for `Vary`. */
  readonly vary: string;
  read(headers: RequestHeaders): TokenReading;
  /** Why a new token could not reach this client, or `null` when it can. */
  obstacle(connection: Connection): string | null;
  /** Tells the client. Afterwards the headers say one thing about this session, whatever they said before. */
  write(headers: ResponseHeaders, decision: Exclude<CommitDecision, { kind: 'keep' }>, now: number): void;
}
