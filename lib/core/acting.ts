import { assertOnlyPrincipal, principalKey, toPrincipal, type PrincipalInput } from './principal';
import { ownerOf, type Rights } from './rights';
import { forgetReads } from './flash-reads';
import { openContent } from './checked-content';
import { encodeContent } from './session-body';
import type { SessionDraft } from './session-draft';
import type { SessionState } from './session-state';
import { SessionError, actingRefused } from './session.errors';

/** See `Session.actAs`. */
export function actAs(draft: SessionDraft, input: PrincipalInput): void {
  const principal = toPrincipal(input);
  assertOnlyPrincipal(input);
  draft.assertWritable();
  // What was changed in place belongs to the real principal.
  draft.noticeMutations();
  const rights = draft.rights ?? draft.state;
  const actor = rights.principal;
  if (actor === null || rights.isPending)
    throw new SessionError('SESSION_NOT_LOGGED_IN', 'actAs() needs a login: call login() first.');
  if (draft.rights !== null) throw actingRefused('another request has changed the rights of this session');
  const owner = principalKey(actor);
  const subject = principalKey(principal);
  if (rights.actor !== null)
    throw actingRefused('it acts as another principal already: call stopActing() first');
  if (subject === owner) throw actingRefused('it was given the principal that is logged in');
  // The commit checks nothing that is set aside.
  draft.values.assertValid(draft.state.data);
  forgetReads(draft);
  const { codec } = draft.settings;
  const announces = { type: 'actedAs', id: null, principal: owner, subject, reason: null } as const;
  const apply = (state: SessionState): void => {
    const isSame = state.actor === null && ownerOf(state) === owner && !state.isPending;
    if (!isSame || state.principal === null) throw actingRefused('another request has changed the login');
    const { amr, level } = state;
    state.actor = { principal: state.principal, amr, level, content: encodeContent(state, codec) };
    Object.assign(state, { principal, data: {}, constants: {}, messages: [], own: {} });
  };
  draft.record('act', apply, { announces });
}

/** See `Session.stopActing`. */
export function stopActing(draft: SessionDraft): void {
  draft.assertWritable();
  endActing(draft, draft.rights ?? draft.state);
}

/** Goes back to the real principal. Does nothing without the rights of one who acts as another. */
export function endActing(draft: SessionDraft, { actor, principal }: Rights): void {
  if (actor === null || principal === null) return;
  forgetReads(draft);
  const [owner, subject] = [principalKey(actor.principal), principalKey(principal)];
  const announces = { type: 'stoppedActing', id: null, principal: owner, subject, reason: null } as const;
  draft.record('act', (state) => restore(state, draft), { announces });
}

/** Brings back what was set aside. What the session got meanwhile belongs to the other principal. */
function restore(state: SessionState, draft: SessionDraft): void {
  const { actor } = state;
  if (actor === null) return;
  const { principal, amr, level, content } = actor;
  const empty = { constants: {}, messages: [], merged: {}, own: {}, receipts: null };
  Object.assign(state, { principal, amr, level, actor: null, ...empty, encodedContent: content });
  openContent(state, draft.settings, draft);
}
