import type { Revocation } from '../../core/principal-revocations';
import type { SessionRecord } from '../../core/session-record';
import type { SessionId } from '../../core/session-token';
import type { ListEntry } from './list-entry';

/** Whether a genuine value is still valid. */
export type RevocationStatus =
  /** The value is valid. `entry` is the list's record of the session, if it has one. */
  | { readonly kind: 'good'; readonly entry: SessionRecord | null }
  /** The token was renewed. */
  | Extract<ListEntry, { kind: 'renewed' }>
  /** The session was ended, or all sessions of its principal were. */
  | { readonly kind: 'ended' };

export const ENDED: RevocationStatus = { kind: 'ended' };

/** Records which sessions were renewed or ended, so that their older values are refused. Calls reject when the store fails. */
export interface Revocations {
  /** @param startedAt when the principal of the record logged in, in epoch milliseconds */
  statusOf(
    record: Pick<SessionRecord, 'id' | 'secretHash' | 'principal'>,
    startedAt: number,
  ): Promise<RevocationStatus>;

  /** Returns when all sessions of a principal were last ended, or `null`. */
  revocationOf(principal: string): Promise<Revocation | null>;

  /** Returns the instant up to which logins of a principal are invalid, in epoch milliseconds; `-Infinity` when none are. */
  deadUntil(principal: string): Promise<number>;

  /**
   * Makes the secret hash of `next` the only valid one of its session, in the place of that of `base`. Returns `false`, and changes nothing, when the list's record
   * is not `entry` any more: of two concurrent renewals one succeeds.
   */
  renew(entry: SessionRecord | null, next: SessionRecord, base: SessionRecord): Promise<boolean>;

  /**
   * Keeps an entry of the session until `deadline`, because values of it may be valid for longer than its other values tell. They all stay valid.
   * Returns `false`, and changes nothing, when the list's record is not `entry` any more.
   */
  keep(entry: SessionRecord | null, next: SessionRecord, deadline: number): Promise<boolean>;

  /**
   * Notes, for those who watch older values of a session, that it stays after {@link endAll}. Does nothing when it was renewed or ended
   * meanwhile.
   */
  stay(record: SessionRecord): Promise<void>;

  /** Ends a session for good, of which this is one value. */
  end(record: SessionRecord): Promise<void>;

  /** Ends the session with this id for good. An unknown id is not an error, and is recorded too. */
  revoke(id: SessionId): Promise<void>;

  /** Ends every session to which the principal has logged in so far. Returns {@link deadUntil} as it was `before`, and as it is. */
  endAll(principal: string): Promise<{ readonly before: number; readonly deadUntil: number }>;
}
