import type { CheckedLogin } from './principal-revocations';
import type { Replacement } from './secret-history';
import type { SessionEventReason, SessionEventType } from './session-event';
import type { SessionRecord } from './session-record';
import type { SessionState } from './session-state';
import type { SessionId } from './session-token';

/** What a login, or the proof that completes one, adds to its operation. */
export interface LoginNotes {
  /** Of a login that is refused if all sessions of its principal were ended since its credentials were checked. */
  readonly login?: CheckedLogin | undefined;
  /** Whether a principal is logged in by it, so that the limit of its sessions applies. */
  readonly isSignIn?: boolean;
  /** The event of the change, emitted once it is written. */
  readonly announces?: Announcement;
}

/** A login that must be confirmed after it was written. */
export interface Unconfirmed {
  /** That of {@link LoginNotes}, or `null`. */
  readonly checked: CheckedLogin | null;
  /** Whether the limit of the principal's sessions is to be kept. */
  readonly isLimited: boolean;
}

/** A change that can be replayed on a newer state of the session. */
export interface Operation extends LoginNotes {
  /**
   * `take` takes out a value that no other request may get. `lifespan` changes how long the client may keep its token. `data` is any other
   * change that does not replace the secret.
   */
  readonly kind: 'data' | 'take' | 'lifespan' | Replacement;
  readonly apply: (state: SessionState) => void;
  /** Whether it notes the use of the session only, which need not be written. */
  readonly isNote?: true;
}

/** `unchanged`: nothing to write. `changed`: to be written. `destroyed`: ended, and cannot change any more. */
export type SessionStatus = 'unchanged' | 'changed' | 'destroyed';

/** A session whose data was taken over, and the operation that did it. */
export interface Absorbed {
  readonly token: string;
  readonly record: SessionRecord;
  readonly operation: Operation;
}

/** An event that is emitted once the commit has succeeded. */
export interface Announcement {
  readonly type: SessionEventType;
  /** `null` for the id that the session has then. */
  readonly id: SessionId | null;
  readonly principal: string | null;
  readonly reason: SessionEventReason | null;
  /** `realm:id` of the principal that is acted as. */
  readonly subject?: string;
}

/** The events of logins, which are dropped with them. */
export const OF_LOGINS: readonly SessionEventType[] = [
  'loggedIn',
  'loginPending',
  'actedAs',
  'stoppedActing',
];

/** Operations after which the rights of a former secret do not limit the request any more. */
export const PROOFS: readonly Operation['kind'][] = ['login', 'logout', 'elevate'];

/** Returns the events of operations that were written: none of a login that the same write has ended. */
export function announcedBy(done: readonly Operation[]): readonly Announcement[] {
  const start = done.findLastIndex(({ kind }) => kind === 'logout') + 1;
  return done.slice(start).flatMap(({ announces = [] }) => announces);
}

/** Called before a session changes. */
export interface SessionWatcher {
  changing(): void;
}

/** The login among these operations that is refused if its principal was revoked meanwhile: the earliest check counts; `null` for none. */
export function checkedLoginOf(operations: readonly Operation[]): CheckedLogin | null {
  let earliest: CheckedLogin | null = null;
  for (const { kind, login } of operations) {
    if (kind === 'logout') earliest = null;
    else if (login !== undefined && !(earliest !== null && earliest.checkedAt <= login.checkedAt))
      earliest = login;
  }
  return earliest;
}

/** What must be confirmed after these operations were written; `null` for nothing. */
export function unconfirmedOf(operations: readonly Operation[], hasLimit: boolean): Unconfirmed | null {
  const checked = checkedLoginOf(operations);
  const isLimited = hasLimit && operations.some(({ isSignIn }) => isSignIn);
  return checked === null && !isLimited ? null : { checked, isLimited };
}
