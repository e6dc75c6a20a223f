import type { SessionRecord } from './session-record';
import type { SessionId } from './session-token';

/** What accompanies every call to a store. */
export interface StoreCall {
  /** Aborts when the manager has stopped waiting. Stop early if you can; the answer is no longer used either way. */
  readonly signal: AbortSignal;
  /** What `signal.aborted` says, without a signal being made for who asks. Calls by hand need not have it. */
  readonly aborted?: boolean;
}

/**
 * Where sessions rest. Five calls, each atomic with regard to the others on the same id.
 *
 * - **Only `insert` creates.** `update` and `extend` never bring back what was deleted, not even when they arrive late.
 * - **Absence is an answer**, not an error: `null`, `false`, or nothing to do.
 * - **Expiry is the caller's business.** A store may return an expired record or may have dropped it; it must not
 *   drop one before its `expiresAt`. An `expiresAt` in the past is stored (or dropped at once), never made immortal.
 * - **Failure rejects.** A call that rejects or is abandoned may or may not have happened, but never by half.
 * - Records handed in and out are values: a store keeps no reference that somebody could change.
 */
export interface SessionStore {
  /** The record of this id, or `null` when there is none. */
  find(id: SessionId, call: StoreCall): Promise<SessionRecord | null>;

  /** Creates the record. Rejects when the id exists already, and then changes nothing. */
  insert(record: SessionRecord, call: StoreCall): Promise<void>;

  /**
   * Replaces the whole record in one conditional write, if the stored one still has `expectedVersion`.
   * Resolves `false`, having written nothing, when the record is gone or has another version.
   */
  update(record: SessionRecord, expectedVersion: number, call: StoreCall): Promise<boolean>;

  /**
   * Moves `expiresAt` and nothing else (`version` stays), if the stored record still has `expectedVersion`.
   * Resolves `false`, having written nothing, when the record is gone or has another version.
   */
  extend(id: SessionId, expectedVersion: number, expiresAt: number, call: StoreCall): Promise<boolean>;

  /** Removes the record. Removing one that is not there is not an error. */
  delete(id: SessionId, call: StoreCall): Promise<void>;
}
