import type { CommitOutcome } from '../core/commit-outcome';

/** What a request says about its session. */
export type TokenReading =
  /** Nothing. */
  | { readonly kind: 'none' }
  /** A value, and the transport that found it, which is also the one that answers. Whether it has the form of a token is not checked yet. */
  | { readonly kind: 'token'; readonly value: string; readonly transport: SessionTransport }
  /** Two values that differ. Neither is used: the session is empty, and an event says `rejected` (`ambiguous`). */
  | { readonly kind: 'ambiguous' };

/** What a client is told after a commit: to use a token from now on, or to forget the one it has. */
export type TokenAnswer = Exclude<CommitOutcome, { kind: 'keep' }>;

/** The header section of a request, names in lower case. What came more than once is joined, or a list where it cannot be joined. */
export interface RequestHeaders {
  readonly [name: string]: string | readonly string[] | undefined;
}

/** The header section of a response that has not been sent yet. Names in any case. */
export interface ResponseHeaders {
  /** The values of a field, one for each line; none when it is not set. */
  get(name: string): string[];
  /** Replaces all lines of a field. */
  set(name: string, values: string[]): void;
}

/** Where a request came from, as far as the framework, with its own trust in proxies, can tell. */
export interface Connection {
  /** Whether the client's side of it is encrypted. */
  readonly secure: boolean;
  /** The host the client asked for, with or without a port. */
  readonly host: string | undefined;
}

/**
 * How a token travels between a client and the server: headers in, headers out. One object serves all requests of an instance, so it
 * must not keep anything of a request. No method may block or throw: what `read` or `write` throws is a 500.
 */
export interface SessionTransport {
  /** What carries the token, in words, such as `cookie __Host-session`. Two instances of one application must not use the same. */
  readonly channel: string;
  /**
   * The text that the keys of sealed sessions are derived from. A value that was sealed under another text does not open, so that a
   * value cannot be taken from one place to another. Changing it ends every sealed session.
   */
  readonly sealedFor: string;
  /**
   * Every request header that {@link SessionTransport.read} looks at. Each is named in `Vary` of every answer whose session was
   * touched, whether the request had the header or not.
   */
  readonly vary: readonly string[];
  /**
   * Returns the token of a request, as the client sent it. Called once per request and instance, at the first touch of the session.
   *
   * - Absence: `none`, also for an empty value.
   * - Repetition: one value that was sent twice may be read as one. Two that differ must be `ambiguous`, never ranked, since whoever
   *   planted one of them would choose the session.
   * - Rubbish: returned as it is; it never reaches a store.
   */
  read(headers: RequestHeaders): TokenReading;
  /** The longest token that can be carried, in bytes. Asked whenever a sealed session is written; other tokens have 66 bytes. */
  capacity(): number;
  /**
   * Returns why a token cannot reach the client, in words for the log, or `null` when it can. Asked before each commit that would
   * issue one, which is then not made: a session that cannot be found again must not be stored, and a token that the client never
   * learns must not replace the one it has.
   *
   * @param presented whether this request has brought a token by this transport: where a client keeps one, it can be given another
   */
  obstacle(connection: Connection, presented: boolean): string | null;
  /**
   * Tells the client. Called before the answer begins, at most once for each time its headers are prepared. Repetition: afterwards the
   * headers say one thing about this session, whatever they said before; lines of others must stay.
   *
   * @param now epoch milliseconds, for what is told as a length of time
   */
  write(headers: ResponseHeaders, answer: TokenAnswer, now: number): void;
}
