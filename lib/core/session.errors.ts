import type { SchemaIssue } from './standard-schema';

/** Error codes, stable between releases. Match on them, not on messages. */
export type SessionErrorCode =
  | 'SESSION_STORE_UNAVAILABLE'
  | 'SESSION_CONFLICT'
  | 'SESSION_TOO_LARGE'
  | 'SESSION_VALUE_UNSUPPORTED'
  | 'SESSION_VALUE_INVALID'
  | 'SESSION_RESPONSE_STARTED'
  | 'SESSION_READ_ONLY'
  | 'SESSION_DESTROYED'
  | 'SESSION_ENDED'
  | 'SESSION_CONSTANT_FIXED'
  | 'SESSION_NOT_LOGGED_IN'
  | 'SESSION_TOKEN_INVALID'
  | 'SESSION_MERGE_REFUSED'
  | 'SESSION_TOKEN_UNDELIVERABLE'
  | 'SESSION_EXPIRED'
  | 'SESSION_LOGIN_OUTDATED'
  | 'SESSION_LIMIT_REACHED'
  | 'SESSION_ACTING_REFUSED'
  | 'SESSION_DUPLICATE_ID'
  | 'SESSION_RECORD_UNREADABLE'
  | 'PRINCIPAL_INVALID'
  | 'SESSION_OPTIONS_INVALID'
  | 'SESSION_SCHEMA_INVALID'
  | 'SESSION_MODULE_MISSING'
  | 'SESSION_REQUEST_MISSING'
  | 'SESSION_NAME_TAKEN';

/** Base class of all errors of this library. `message` is for developers and contains no token and no session data. */
export class SessionError extends Error {
  /** The name of the class, for logs. */
  override readonly name: string = 'SessionError';

  constructor(
    /** What went wrong. Stable between releases. */
    readonly code: SessionErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** Where GraphQL looks for the code of an error that a resolver throws. */
  get extensions(): {
    /** Same as `code` of the error. */
    readonly code: SessionErrorCode;
  } {
    return { code: this.code };
  }
}

/** A store call failed or timed out. A write may or may not have happened. */
export class SessionStoreError extends SessionError {
  /** The name of the class, for logs. */
  override readonly name = 'SessionStoreError';

  constructor(operation: string, reason: string, options?: ErrorOptions) {
    super('SESSION_STORE_UNAVAILABLE', `The session store failed at '${operation}': ${reason}.`, options);
  }
}

/**
 * A value is not supported in a session (`SESSION_VALUE_UNSUPPORTED`), or its schema refuses it (`SESSION_VALUE_INVALID`). Thrown by the call
 * that sets it, with the key and the reason.
 */
export class SessionValueError extends SessionError {
  /** The name of the class, for logs. */
  override readonly name = 'SessionValueError';
  readonly #issues: readonly SchemaIssue[];

  constructor(
    /** Names the value: its key, quoted, and the path to the refused part, such as `'cart'.items[2]`. */
    readonly key: string,
    /** Why it is refused, as a part of a sentence. Contains no value. */
    readonly reason: string,
    issues: readonly SchemaIssue[] = [],
  ) {
    const code = issues.length === 0 ? 'SESSION_VALUE_UNSUPPORTED' : 'SESSION_VALUE_INVALID';
    super(code, `The session cannot store ${key}: ${reason}.`);
    this.#issues = issues;
  }

  /** Why the schema refuses the value, in its own words, which may quote the value: not for a log. Empty without a schema. */
  get issues(): readonly SchemaIssue[] {
    return this.#issues;
  }
}

/** The encoded session exceeds `maxBytes`, or the limit of its transport. Thrown at commit, before the store is called. */
export class SessionTooLargeError extends SessionError {
  /** The name of the class, for logs. */
  override readonly name = 'SessionTooLargeError';

  constructor(
    /** Names the largest part of the session. */
    readonly key: string,
    size: number,
    limit: number,
    wayOut = 'Keep large data elsewhere and its id in the session, or raise maxBytes.',
  ) {
    super(
      'SESSION_TOO_LARGE',
      `The session takes ${size} bytes, more than its limit of ${limit}; the largest part is ${key}. ${wayOut}`,
    );
  }
}

export function sessionDestroyed(): SessionError {
  const message =
    'The session was destroyed in this request and cannot change any more. Use logout() to begin anew.';
  return new SessionError('SESSION_DESTROYED', message);
}

/** The client of a sealed session could not be sent what it would have had to store. */
export function lostAfterResponse(): SessionError {
  const message =
    'What changed in the session after the response had begun is lost: it could not be sent. Change it before the first byte.';
  return new SessionError('SESSION_RESPONSE_STARTED', message);
}

export function responseStarted(): SessionError {
  const message =
    'The response has begun, so the session cannot change any more. Change it before the first byte is sent.';
  return new SessionError('SESSION_RESPONSE_STARTED', message);
}

/** @param reason why, and what to do instead */
export function readOnly(reason: string): SessionError {
  return new SessionError('SESSION_READ_ONLY', `The session cannot change here: ${reason}.`);
}

export function actingRefused(reason: string): SessionError {
  return new SessionError('SESSION_ACTING_REFUSED', `Acting as another principal was refused: ${reason}.`);
}

export function commitUnderWay(): SessionError {
  const message =
    'A commit of the session is under way, which cannot be taken back. Await it before rollback().';
  return new SessionError('SESSION_CONFLICT', message);
}

/** The error after this many conflicts. In each one another request succeeded; so many in a row indicate a fault. */
export function tooManyConflicts(attempts: number): SessionError {
  return new SessionError(
    'SESSION_CONFLICT',
    `Other requests wrote first ${attempts} times in a row; the session was not written.`,
  );
}

export function unrepeatable(): SessionError {
  return new SessionError(
    'SESSION_CONFLICT',
    'The store did not answer a write, and another request wrote since: it cannot be repeated safely.',
  );
}

export function expiredMeanwhile(): SessionError {
  return new SessionError(
    'SESSION_EXPIRED',
    'The session expired during this request, which took longer than a request may take. Its changes were not written.',
  );
}
