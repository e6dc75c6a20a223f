import type { CommitOutcome } from '../core/commit-outcome';

/** Result of reading the token of a request. */
export type TokenReading =
  /** The request has no token. */
  | { readonly kind: 'none' }
  /** The request has one value. */
  | {
      readonly kind: 'token';
      /** The value as the client sent it, not validated yet. */
      readonly value: string;
      /** The transport that read it, which also writes the answer. */
      readonly transport: SessionTransport;
    }
  /** Two different values. Neither is used: the session is empty, and an event `rejected` with reason `ambiguous` is emitted. */
  | { readonly kind: 'ambiguous' }
  /** The same, but if exactly one of the values opens a session, that one is used, and the transport writes it to the response again. */
  | {
      readonly kind: 'ambiguous';
      /** The values as the client sent them, not validated yet. */
      readonly values: readonly string[];
      /** The transport that read them, which also writes the answer. */
      readonly transport: SessionTransport;
    };

/** What the client must do after a commit: use a new token, or forget its token. */
export type TokenAnswer = Exclude<CommitOutcome, { kind: 'keep' }>;

/** Headers of a request, with names in lower case. A repeated header is joined, or an array when it cannot be joined. */
export interface RequestHeaders {
  readonly [name: string]: string | readonly string[] | undefined;
}

/** Headers of a response that is not sent yet. Names are case-insensitive. */
export interface ResponseHeaders {
  /** Returns the values of a header, one per line; empty when it is not set. */
  get(name: string): string[];
  /** Replaces all lines of a header. */
  set(name: string, values: string[]): void;
}

/** The client's connection, as the framework reports it according to its trust in proxies. */
export interface Connection {
  /** Whether the client's connection is encrypted. */
  readonly secure: boolean;
  /** The host that the client requested, with or without a port. */
  readonly host: string | undefined;
}

/**
 * Carries a token between client and server: reads it from request headers, and writes it to response headers. One object serves
 * all requests of an instance, so it must not keep state of a request. Methods must not block or throw; an error thrown by `read` or
 * `write` becomes a 500.
 */
export interface SessionTransport {
  /** Names what carries the token, such as `cookie __Host-session`. Must be unique among the instances of an application. */
  readonly channel: string;
  /**
   * Part of the key derivation of sealed sessions: a value sealed under another text does not open, so a value copied from another
   * channel is refused. Changing it ends every sealed session.
   */
  readonly sealedFor: string;
  /** Names what carries a new token, if that is not the channel. Must be unique among the instances, too. */
  readonly answersIn?: string;
  /** The transports of which this one is made. Two instances must not have the same part either. @default itself */
  readonly parts?: readonly SessionTransport[];
  /**
   * Whether clients keep the token of each session until the session's deadline, which `keepUntil` of every answer then says. Otherwise only that
   * of a remembered session.
   * @default false
   */
  readonly persistent?: boolean;
  /**
   * All request headers that {@link SessionTransport.read} uses. They are added to `Vary` of each response whose request used the
   * session, whether or not the request had them (RFC 9110 section 12.5.5).
   */
  readonly vary: readonly string[];
  /**
   * Returns the token of a request, as the client sent it. Called once per request and instance, at the first use of the session.
   *
   * - Absence: returns `none`, also for an empty value.
   * - Repetition: may return one value that was sent twice. Must return `ambiguous` for two different values, and must not prefer one:
   *   an attacker who plants one of them would choose the session.
   * - Malformed values: returned unchanged; they never reach a store.
   */
  read(headers: RequestHeaders): TokenReading;
  /** Returns the maximum length of a token, in bytes. Called at each write of a sealed session; other tokens have 66 bytes. */
  capacity(): number;
  /**
   * Returns `null` when a token can reach the client, else the reason, for the log. Called before each commit that would issue a
   * token. With a reason the commit is not made: a session whose client has no token must not be stored, and a token that does not
   * reach the client must not replace the one it has.
   *
   * @param presented whether the request had a token in this transport, so that the client can store another
   */
  obstacle(connection: Connection, presented: boolean): string | null;
  /**
   * Writes the answer to the response headers. Called before the response begins; may be called again with the same headers.
   * Must then replace its own earlier lines, and must leave all other lines unchanged.
   *
   * @param now epoch milliseconds, for computing durations such as `Max-Age`
   */
  write(headers: ResponseHeaders, answer: TokenAnswer, now: number): void;
}
