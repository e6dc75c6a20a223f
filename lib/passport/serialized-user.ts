import { ownerOf } from '../core/rights';
import { principalKey } from '../core/principal';
import { decodeValue } from '../core/session-body';
import { draftOf, type Session } from '../core/session';

/**
 * Returns a function that keeps a value of the logged-in user in the session, instead of an earlier one.
 * @throws SessionValueError
 */
export function userKeeper(session: Session, value: unknown): () => void {
  const draft = draftOf(session);
  const text = value === undefined ? null : draft.values.encode('user', value);
  return () => {
    const of = ownerOf(draft.state);
    draft.record('data', (state) => {
      const { user: _, ...own } = state.own;
      state.own = text === null || of === null ? own : { ...own, user: { of, value: text } };
    });
  };
}

/** Returns a copy of the value kept of the principal of a session, or `undefined`. */
export function userOf(session: Session): unknown {
  const { state, settings } = draftOf(session);
  const { user } = state.own;
  const isOfPrincipal = session.principal !== null && user?.of === principalKey(session.principal);
  return isOfPrincipal ? decodeValue(user.value, settings.codec) : undefined;
}
