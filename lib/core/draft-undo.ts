import { ENDED, originOf, type Left, type Origin } from './draft-origin';
import { retain } from './retain';
import type { SessionDraft } from './session-draft';
import type { Absorbed, Operation } from './session-operation';
import type { SessionRecord } from './session-record';
import type { SessionId } from './session-token';
import { commitUnderWay, responseStarted } from './session.errors';

const NOTHING: Pick<Left, 'operations' | 'announcements'> = { operations: [], announcements: [] };

/** Forgets everything that was recorded since the last write. Throws when the response has begun or a commit is under way. */
export function rollBack(draft: SessionDraft): void {
  if (draft.sealed) throw responseStarted();
  if (draft.commits > 0) throw commitUnderWay();
  if (draft.origin !== null) return returnTo(draft, draft.origin);
  draft.operations.length = draft.merging.length = 0;
  draft.resume(draft.base);
}

/** Undoes all changes, ends and logins since then, but for these operations. What has ended for good stays ended, and its events stay. */
function returnTo(
  draft: SessionDraft,
  origin: Origin,
  { operations, announcements }: Pick<Left, 'operations' | 'announcements'> = NOTHING,
): void {
  const { base, endable } = origin;
  const isLeft = (id: SessionId | null): boolean => id !== null && id !== base?.id && id !== endable?.id;
  const written = writtenMerges(draft);
  draft.forgetChanges();
  draft.absorbed.push(...written);
  const still = draft.announcements.filter(({ id }) => isLeft(id));
  draft.announcements.splice(0, Infinity, ...new Set([...announcements, ...still]));
  retain(draft.ended, ({ id }) => isLeft(id));
  Object.assign(draft, originOf(origin), {
    destroyed: draft.destroyed && origin === ENDED,
    left: null,
  });
  draft.operations.push(...operations);
  draft.resume(base);
}

/** Takes operations of these kinds back, with their effect. When another one fails without them, the draft stays as it was. */
export function takeBack(
  draft: SessionDraft,
  base: SessionRecord,
  ...kinds: readonly Operation['kind'][]
): void {
  const kept = draft.operations.filter(({ kind }) => !kinds.includes(kind));
  keepOnly(draft, base, kept);
}

function keepOnly(draft: SessionDraft, base: SessionRecord, kept: readonly Operation[]): void {
  draft.adopt(base, kept);
  retain(draft.operations, (operation) => kept.includes(operation));
}

const NEED_TOKEN: readonly Operation['kind'][] = ['elevate', 'isolate', 'renew', 'rotate'];

/** After these, what is recorded is about another principal than before. */
const CHANGE_PRINCIPAL: readonly Operation['kind'][] = ['login', 'act'];

/**
 * Takes back the changes that need a token, but for a logout, and everything that was recorded after a login, the proof that completes one, or
 * an impersonation: it would be among the data of who was there before.
 */
export function withhold(draft: SessionDraft): void {
  if (draft.left !== null) returnTo(draft, draft.left, draft.left);
  if (draft.base === null) return draft.abandon();
  const written = writtenMerges(draft);
  const { operations, isLocked } = draft;
  // Timeouts set after a proof that unlocks would unlock the login without it.
  const isChange = ({ kind, isSignIn = false }: Operation): boolean =>
    isSignIn || CHANGE_PRINCIPAL.includes(kind) || (isLocked && kind === 'elevate');
  const change = operations.findIndex(isChange);
  const own = change === -1 ? operations : operations.slice(0, change);
  const kept = own.filter(({ kind }) => !NEED_TOKEN.includes(kind));
  keepOnly(draft, draft.base, kept);
  forgetLogin(draft, written);
  if (change !== -1) draft.view?.reset();
}

/** Takes the login back, and everything that was recorded after it: that may be about its principal. What came before it stays. */
export function refuseLogin(draft: SessionDraft): void {
  if (draft.left !== null) return returnTo(draft, draft.left, draft.left);
  const { base, operations, origin } = draft;
  const written = writtenMerges(draft);
  const lastLogout = operations.findLastIndex(({ kind }) => kind === 'logout');
  const start = operations.findIndex(
    ({ kind, isSignIn }, index) => index > lastLogout && (kind === 'login' || isSignIn),
  );
  if (base !== null) draft.adopt(base, operations.slice(0, start));
  operations.length = start;
  if (base === null) {
    draft.restart();
    draft.superseded = origin?.superseded ?? false;
  }
  draft.lineage++;
  forgetLogin(draft, written);
  // It may have objects of that principal, and changes that were not recorded yet.
  draft.view?.reset();
}

/** Notes that a session has ended for good: nothing can return to it. */
export function noteEnd(draft: SessionDraft, id: SessionId): void {
  const { origin, left } = draft;
  if (left?.base.id === id) draft.left = null;
  if (origin?.base?.id === id || origin?.endable?.id === id) draft.origin = ENDED;
}

/** Sessions whose data was written, so that they must end whatever is taken back. */
function writtenMerges({ absorbed, operations }: SessionDraft): readonly Absorbed[] {
  return absorbed.filter(({ operation }) => !operations.includes(operation));
}

function forgetLogin(draft: SessionDraft, written: readonly Absorbed[]): void {
  draft.forgetLogins();
  // What is merged may belong to the principal who is not logged in now. Sessions whose data was not written stay as they are.
  draft.merging.length = 0;
  draft.absorbed.splice(0, Infinity, ...written);
  draft.settled = null;
}
