import type { SessionDraft } from './session-draft';
import type { SessionRecord } from './session-record';

/** What a draft can return to, without its state. */
export type Origin = Readonly<
  Pick<SessionDraft, 'base' | 'token' | 'lent' | 'isUnanswered' | 'endable' | 'superseded'>
>;

/** A session that a login as another principal has ended in this request. */
export type Left = Origin & Readonly<Pick<SessionDraft, 'operations'>> & { readonly base: SessionRecord };

export function originOf({ base, token, lent, isUnanswered, endable, superseded }: Origin): Origin {
  return { base, token, lent, isUnanswered, endable, superseded };
}
