import type { EndReason } from './ended-session';

/** The types of session events. */
export type SessionEventType =
  /** A new session was stored. */
  | 'created'
  /** The token was replaced. */
  | 'renewed'
  | 'loggedIn'
  /** A first factor was proved, and a further one is due. */
  | 'loginPending'
  | 'loggedOut'
  /** Ended explicitly: by `destroy`, `logout`, `merge`, revocation, or a login as another principal. */
  | 'destroyed'
  /** Ended by its idle timeout or lifetime, and detected by a request. */
  | 'expired'
  /** Ended because its principal has as many newer sessions as allowed. */
  | 'evicted'
  /** A principal began to act as another one, the `subject`. */
  | 'actedAs'
  /** A principal who acted as another one acts as itself again. */
  | 'stoppedActing'
  /** `setRoles` changed the roles of a principal in all its sessions. */
  | 'rolesChanged'
  /** Ended because a request used a rotated token after its successor was used: one of them is a copy. */
  | 'stolen'
  /** A token was refused, or the changes of a request were dropped; see `reason`. */
  | 'rejected'
  /** A store call failed or timed out. */
  | 'storeFailed';

/** One entry of a security log. Contains no token, hash, or session data (ASVS 16.2.5). */
export interface SessionEvent {
  /** What has happened. Stable between releases. */
  readonly type: SessionEventType;
  /** The name of the instance, set by `forRoot({ name })`. @default 'default' */
  readonly sessionName: string;
  /** The session's public id, if known. */
  readonly id: string | null;
  /** `realm:id` of the principal that is or was logged in, or `null`. Of one who acts as another, the real one. */
  readonly principal: string | null;
  /** `realm:id` of the principal that the other one acts as, with `actedAs` and `stoppedActing`. */
  readonly subject: string | null;
  /** The reason, stable between releases. */
  readonly reason: SessionEventReason | EndReason | null;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** The reasons of session events. An event of an end may have an {@link EndReason} instead. */
export type SessionEventReason =
  /** The store has no session with this id. */
  | 'unknown'
  /** The id exists, but the secret is wrong or was replaced. */
  | 'stale-token'
  /** The record is unreadable and was removed. */
  | 'corrupt'
  /** The record was written by a newer release, and was not changed. */
  | 'newer-format'
  /**
   * The request has two tokens, such as two cookies of one name: after a change of `cookie.domain` or `cookie.path`, name the former ones in
   * `cookie.replaces`.
   */
  | 'ambiguous'
  /** A page of another site sent the request, or it has no valid CSRF token: see `CsrfGuard`. */
  | 'csrf'
  /** A stored value does not match its schema, and was dropped: see the option `schema`. */
  | 'schema'
  /** A concurrent request ended the session or renewed its token; the changes of this request were dropped. */
  | 'superseded'
  /** A new token could not reach the client, so the change was not made. */
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
  /** With type `evicted`: the principal has as many sessions as allowed. */
  | 'limit'
  /** Ended by `endAll`, `revoke` or `revokeAll`. With type `rejected`: the value is genuine, but the sealed session has ended. */
  | 'revoked'
  /** A failed store call: `timeout` or `error`. */
  | 'timeout'
  | 'error';

/** Receives the events of the core. Must not throw. */
export type EmitSessionEvent = (event: Pick<SessionEvent, 'type'> & Partial<SessionEvent>) => void;
