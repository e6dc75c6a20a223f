import type { SessionRecord } from '../../core/session-record';
import type { SessionId } from '../../core/session-token';

/** What has become of a session since a value of it was sealed. */
export type Standing =
  /** Nothing: the value is as good as ever. With what the list knows of the session, if anything. */
  | { readonly kind: 'good'; readonly entry: SessionRecord | null }
  /** Its token was renewed at `at`, epoch milliseconds, when `principal` was logged in. */
  | { readonly kind: 'renewed'; readonly at: number; readonly principal: string | null }
  /** It was ended, or everything of its principal was. */
  | { readonly kind: 'ended' };

/** What is known of sessions whose values must not be believed any more, genuine as they are. */
export interface Revocations {
  /** @param startedAt when the principal of the record logged in, in epoch milliseconds */
  standing(record: SessionRecord, startedAt: number): Promise<Standing>;

  /** The instant up to which logins of a principal are dead, in epoch milliseconds; `-Infinity` when none are. */
  deadUntil(principal: string): Promise<number>;

  /**
   * Lets values with the secret hash of `next` be the only good ones of this session. `false`, having changed nothing, when what the
   * list knows is not `entry` any more: of two renewals at once one succeeds.
   */
  renew(entry: SessionRecord | null, next: SessionRecord): Promise<boolean>;

  /** Ends a session for good, whether or not it is one. */
  end(id: SessionId): Promise<void>;

  /** Ends every session that a principal has been logged in to up to now. */
  endAll(principal: string): Promise<void>;
}
