import { KEEP, unwritten, type CommitOutcome } from './commit-outcome';
import type { Principal } from './principal';
import { replacementOf } from './secret-history';
import { UnreadableBody, decodeFacts } from './session-body';
import type { SessionDraft } from './session-draft';
import type { SessionRecord } from './session-record';
import { sameHash } from './session-token';

/**
 * What a request under way may still do when another one has written first: takes `current` as what the session is, with the request's
 * operations on top. Resolves `false` when the request has no right to it any more: see {@link giveWay}.
 */
export function join(draft: SessionDraft, current: SessionRecord): boolean {
  const { token } = draft;
  if (token === null) return false;
  try {
    if (!sameHash(token.secretHash, current.secretHash) && !mayGoOn(draft, current)) return false;
    draft.adopt(current);
    return true;
  } catch (error) {
    if (error instanceof UnreadableBody) return false;
    throw error;
  }
}

/** Whether a request goes on although its secret was replaced while it was under way. A change of the secret that comes second is dropped. */
function mayGoOn(draft: SessionDraft, current: SessionRecord): boolean {
  const { secrets, principal } = decodeFacts(current.body);
  const replaced = replacementOf(secrets, draft.token!);
  if (replaced === null) return false;
  draft.isUnanswered = false;
  if (replaced.by === 'loggedIn' || replaced.by === 'loggedOut') return false;
  const isRotation = replaced.by === 'rotated' && replaced.rights === null;
  // A logout ends what it cannot take along: the client may get the other token last.
  if (!isRotation && draft.has('logout')) return false;
  draft.drop(...(isRotation ? (['rotate'] as const) : (['rotate', 'renew'] as const)));
  if (draft.isLoggingIn) return true;
  if (replaced.rights !== null && hasSameRoles(draft.state.principal, principal)) draft.drop('elevate');
  draft.lent = replaced.rights;
  return true;
}

/** Whether two elevations at once come to the same. */
function hasSameRoles(mine: Principal | null, others: Principal | null): boolean {
  return mine !== null && others !== null && mine.roles.join('\0') === others.roles.join('\0');
}

/**
 * What is left to a request whose session was ended or taken over by others, `current` being what they made of it, or `null` when it is
 * gone. `null` when the request goes on as a new session, which is still to be inserted.
 */
export function giveWay(draft: SessionDraft, current: SessionRecord | null): CommitOutcome | null {
  // A logout is never lost: what cannot be kept any more ends.
  if (current !== null && draft.leaves(current)) {
    if (!draft.isLoggingIn) {
      draft.retire('logout');
      return unwritten(draft);
    }
    draft.ended.push(current.id);
    draft.announceEnd(current, 'logout');
  }
  // A principal that proved who it is in this very request gets a session of its own.
  if (!draft.isLoggingIn) {
    draft.supersede();
    return KEEP;
  }
  draft.fork(current !== null);
  return null;
}
