/** What can happen to a session. */
export type SessionEventType =
  /** A new session was stored. */
  | 'created'
  /** The token was replaced; the old one is dead. */
  | 'renewed'
  | 'loggedIn'
  | 'loggedOut'
  /** Ended on purpose: `destroy`, `logout`, a merge, or a login as somebody else. */
  | 'destroyed'
  /** Ended by its idle timeout or its lifetime, and noticed by a request. */
  | 'expired'
  /** Ended because a request came with a copy of a token that was rotated, and whose successor is in use. */
  | 'stolen'
  /** A request was not given the session it asked for, or its changes were refused; `reason` tells. */
  | 'rejected'
  /** A call to the store failed or was given up. */
  | 'storeFailed';

/** One entry of the security log. Holds public names only: never a token, a hash, or session data (ASVS 16.2.5). */
export interface SessionEvent {
  readonly type: SessionEventType;
  /** The name of the instance, `'default'` unless `forRoot({ name })` says otherwise. */
  readonly sessionName: string;
  /** The session's public id, where one is known. */
  readonly id: string | null;
  /** `realm:id` of who is, or was, logged in. */
  readonly principal: string | null;
  /** Why, in a word that does not change between releases. */
  readonly reason: SessionEventReason | null;
  /** Epoch milliseconds. */
  readonly at: number;
}

export type SessionEventReason =
  /** The id is not in the store. */
  | 'unknown'
  /** The id exists, the secret is not, or no longer, its own. */
  | 'stale-token'
  /** The record cannot be read; it was removed. */
  | 'corrupt'
  /** The record was written by a newer release; it was left alone. */
  | 'newer-format'
  /** Two cookies of one name. */
  | 'ambiguous'
  /** The session was ended or taken over while this request worked on it; its changes were dropped. */
  | 'superseded'
  /** A new token could not be told to the client, so what needed one was not done. */
  | 'undeliverable'
  /** The token was replaced by one with the same rights. */
  | 'rotation'
  | 'idle-timeout'
  | 'lifetime'
  | 'logout'
  | 'login'
  | 'merge'
  | 'destroy'
  | 'deadline-passed'
  /** Ended by `revoke` or `revokeAll`. Of a rejected request: its sealed session is genuine, and was ended in this way or another. */
  | 'revoked'
  /** A failed store call: `timeout` or `error`. */
  | 'timeout'
  | 'error';

/** Where the core reports. Must not throw. */
export type EmitSessionEvent = (event: Pick<SessionEvent, 'type'> & Partial<SessionEvent>) => void;
