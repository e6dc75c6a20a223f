import type { Rights } from './rights';
import type { Announcement, Operation, Unconfirmed } from './session-operation';
import type { SessionRecord } from './session-record';
import type { ParsedToken } from './session-token';

/** What a draft can return to, without its state: see the same properties of `SessionDraft`. */
export interface Origin {
  readonly base: SessionRecord | null;
  readonly token: ParsedToken | null;
  readonly lent: Rights | null;
  readonly isUnanswered: boolean;
  readonly endable: SessionRecord | null;
  readonly superseded: boolean;
  readonly discard: boolean;
  readonly isLocked: boolean;
  readonly unconfirmed: Unconfirmed | null;
}

/** A session that a login as another principal has ended in this request. */
export interface Left extends Origin {
  readonly base: SessionRecord;
  readonly announcements: readonly Announcement[];
  readonly operations: readonly Operation[];
}

export function originOf(draft: Origin): Origin {
  const { base, token, lent, isUnanswered, endable, superseded, discard, isLocked, unconfirmed } = draft;
  return { base, token, lent, isUnanswered, endable, superseded, discard, isLocked, unconfirmed };
}

/** @param base the record of the session that ends */
export function leftOf(
  draft: Origin & Pick<Left, 'operations' | 'announcements'>,
  base: SessionRecord,
): Left {
  const { operations, announcements } = draft;
  return { ...originOf(draft), base, operations: [...operations], announcements: [...announcements] };
}

/** The origin of a draft whose session has been ended for good. */
export const ENDED: Origin = {
  base: null,
  token: null,
  lent: null,
  isUnanswered: false,
  endable: null,
  superseded: false,
  discard: true,
  isLocked: false,
  unconfirmed: null,
};
