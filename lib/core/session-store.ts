import type { SessionRecord } from './session-record';
import type { SessionId } from './session-token';

/** Passed to every store call. */
export interface StoreCall {
  /** Aborts when the manager stops waiting. The store should then stop; its result is ignored. */
  readonly signal: AbortSignal;
  /** Same as `signal.aborted`, without creating the signal. Optional in calls made by hand. */
  readonly aborted?: boolean;
  /**
   * Only for `insert`: whether the record must stay until its `expiresAt`, because a session that was ended would open again without it.
   * A store that removes sessions to make room must never remove this record; if it has no other room, `insert` rejects.
   */
  readonly lasting?: boolean;
}

/**
 * Stores sessions. Each of the five calls is atomic per id.
 *
 * - **Creation:** only `insert` creates a record. `update` and `extend` must not restore a deleted one, not even when they arrive late.
 * - **Absence** is not an error: the calls resolve to `null` or `false`, or do nothing.
 * - **Expiry** is checked by the caller. A store may return or delete an expired record; it must not delete one before its
 *   `expiresAt`. It must accept an `expiresAt` in the past, and must not turn it into "never".
 * - **Failure** rejects. A call that rejected or was aborted may or may not have taken effect, but never in part.
 * - **Values:** records are copied on the way in and out. A store must not keep a reference to an object that a caller can change.
 */
export interface SessionStore {
  /** Returns the record of this id, or `null` when there is none. */
  find(id: SessionId, call: StoreCall): Promise<SessionRecord | null>;

  /** Creates the record. Rejects with `SESSION_DUPLICATE_ID`, and changes nothing, when the id already exists. */
  insert(record: SessionRecord, call: StoreCall): Promise<void>;

  /**
   * Replaces the whole record in one conditional write, if the stored record has `expectedVersion`.
   * Returns `false`, and writes nothing, when the record is absent or has another version.
   */
  update(record: SessionRecord, expectedVersion: number, call: StoreCall): Promise<boolean>;

  /**
   * Sets `expiresAt` and nothing else (`version` stays), if the stored record has `expectedVersion`.
   * Returns `false`, and writes nothing, when the record is absent or has another version.
   */
  extend(id: SessionId, expectedVersion: number, expiresAt: number, call: StoreCall): Promise<boolean>;

  /** Deletes the record. Absence is not an error. */
  delete(id: SessionId, call: StoreCall): Promise<void>;
}
