import { KEEP, FORGET, type CommitOutcome } from './commit-outcome';
import type { SessionDraft } from './session-draft';
import type { EmitSessionEvent } from './session-event';
import { keepUntil, type PendingWrite } from './pending-write';
import type { SessionRecord } from './session-record';
import type { SessionId, SessionToken } from './session-token';
import { SessionError } from './session.errors';

/** Where a commit lays sessions down, step by step. The writer decides which step it is. */
export interface SessionShelf {
  /** A session that was not there before. */
  insert(draft: SessionDraft): Promise<CommitOutcome>;

  /** A session that was. Where somebody else was faster, it joins them or gives way: see {@link giveWay}. */
  update(draft: SessionDraft): Promise<CommitOutcome>;

  /** Whether a draft without changes is worth an {@link extend}. */
  isDue(draft: SessionDraft): boolean;

  /** Moves the end of a session that has rested and does no more now. */
  extend(draft: SessionDraft): Promise<CommitOutcome>;

  /** Ends a session for good. Ending one that is over is not an error. */
  end(id: SessionId): Promise<void>;

  /** The record that a token opens, whatever its age; `null` when it opens none. */
  open(token: string): Promise<SessionRecord | null>;

  /** Ends a session as it was opened; `false`, having done nothing, when somebody has written to it since. */
  take(record: SessionRecord): Promise<boolean>;
}

/** The decision when nothing was written. */
export function nothing({ discard }: SessionDraft): CommitOutcome {
  return discard ? FORGET : KEEP;
}

/** After a page was written: what is told to listeners and to the client. */
export function finish(
  draft: SessionDraft,
  { record, token, isNew, tells, written }: PendingWrite,
  emit: EmitSessionEvent,
): CommitOutcome {
  const { id, principal } = record;
  if (isNew) emit({ type: 'created', id, principal });
  else if (written.renewals > 0) emit({ type: 'renewed', id, principal });
  draft.settle(record, token, written);
  return tells ? issue(draft, token.token) : KEEP;
}

/** A token for the client, and until when it may keep it. */
export function issue({ state }: SessionDraft, token: SessionToken): CommitOutcome {
  return { kind: 'issue', token, keepUntil: keepUntil(state) };
}

/**
 * What is left to a request whose session was ended or taken over by others, `current` being what they made of it, or `null` when it is
 * gone. `null` when the request goes on as a new session, which is still to be inserted.
 */
export function giveWay(draft: SessionDraft, current: SessionRecord | null): CommitOutcome | null {
  // Who has logged out does not stay logged in under a token renewed meanwhile: what cannot be kept any more ends.
  if (current !== null && draft.leaves(current)) {
    if (!draft.loggingIn) {
      draft.retire('logout');
      return nothing(draft);
    }
    draft.ended.push(current.id);
    draft.announceEnd(current, 'logout');
  }
  // Who proved an identity in this very request gets a session of its own; nobody else has a right to this one any more.
  if (!draft.loggingIn) {
    draft.supersede();
    return KEEP;
  }
  draft.fork(current !== null);
  return null;
}

/** Others kept writing first. Each of these conflicts means that somebody else succeeded; so many in a row mean that something is wrong. */
export function tooManyConflicts(attempts: number): SessionError {
  return new SessionError(
    'SESSION_CONFLICT',
    `Other writers were faster ${attempts} times in a row; the session was not written.`,
  );
}
