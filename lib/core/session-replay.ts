import { KEEP, unwritten, type CommitOutcome } from './commit-outcome';
import type { Rights } from './rights';
import { isStrict, replacementOf } from './secret-history';
import { UnreadableBody, decodeFacts } from './session-body';
import type { SessionDraft } from './session-draft';
import type { SessionRecord } from './session-record';
import { sameHash } from './session-token';
import { isSameLogin } from './watched-login';

/**
 * Replays the operations of a request on the record that another request wrote first. Returns `false` when the request has no right to
 * the session any more: see {@link giveWay}.
 */
export function join(draft: SessionDraft, current: SessionRecord): boolean {
  const { token } = draft;
  if (token === null && !mayAdminister(draft, current)) return false;
  try {
    if (token !== null && !sameHash(token.secretHash, current.secretHash) && !mayGoOn(draft, current))
      return false;
    draft.adopt(current);
    return true;
  } catch (error) {
    if (error instanceof UnreadableBody) return false;
    throw error;
  }
}

function mayAdminister({ isAdministered, isForLogin, base }: SessionDraft, current: SessionRecord): boolean {
  if (!isAdministered || base === null) return false;
  return isForLogin ? isSameLogin(base, current) : current.principal === base.principal;
}

/** Whether a request goes on after its secret was replaced. Drops its own change of the secret where that came second. */
function mayGoOn(draft: SessionDraft, current: SessionRecord): boolean {
  const facts = decodeFacts(current.body);
  const replaced = replacementOf(facts.secrets, draft.token!);
  if (replaced === null || isStrict(replaced.by)) return false;
  draft.isUnanswered = false;
  const isRotation = replaced.by === 'rotate' && replaced.rights === null;
  // The client may receive the other token last. A logout that keeps the data then ends the session, see giveWay.
  if (!isRotation && (draft.has('logout') || draft.has('act'))) return false;
  draft.drop('rotate', ...(isRotation ? [] : (['renew'] as const)));
  if (draft.isLoggingIn) return true;
  if (replaced.rights !== null && hasProved(facts, draft.state)) draft.drop('elevate');
  // A change of rights replaces the secret all the same, and then as strictly as was asked.
  if (!isRotation && !draft.has('elevate')) draft.drop('isolate');
  draft.lent = replaced.rights;
  return true;
}

/** Whether a session has the rights that another request would give it, by a proof of its own. */
function hasProved({ principal, level, amr }: Rights, asked: Rights): boolean {
  const hasSameRoles = principal?.roles.join('\0') === asked.principal?.roles.join('\0');
  return hasSameRoles && level >= asked.level && asked.amr.every((method) => amr.includes(method));
}

/**
 * Decides what is left to a request whose session was ended or taken over. Returns `null` when it goes on as a new session, which must
 * be inserted.
 * @param current what the other request wrote; `null` when the session has ended
 */
export function giveWay(draft: SessionDraft, current: SessionRecord | null): CommitOutcome | null {
  // A logout is never lost: if it cannot keep the session's data, it ends the session.
  const isLogout =
    draft.has('logout') && current?.principal != null && current.principal === draft.base?.principal;
  if (current !== null && isLogout) {
    if (!draft.isLoggingIn) {
      draft.retire('logout');
      return unwritten(draft);
    }
    draft.ended.push(current);
    draft.announceEnd(current, 'logout');
  }
  // A login of this very request gets a session of its own.
  if (!draft.isLoggingIn) {
    draft.supersede();
    return KEEP;
  }
  draft.fork(current !== null);
  return null;
}
