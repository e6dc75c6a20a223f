import type { SessionDraft } from './session-draft';
import type { SessionSettings } from './session-settings';
import { SessionError, SessionValueError } from './session.errors';

/** Maximum instant of a `Date`, in epoch milliseconds. Every store can store it. */
const LAST_INSTANT = 8.64e15;

/** Returns when a pending login ends that began at this time. No call but `elevate` and `login` moves it. */
export function endOfPending({ logins, timeouts }: SessionSettings, startedAt: number): number {
  return startedAt + Math.min(logins.pendingLifetime, timeouts.lifetime);
}

/** See `Session.deadline`. */
export function setDeadline(draft: SessionDraft, at: number): void {
  if (!Number.isFinite(at) || Math.abs(at) > LAST_INSTANT)
    throw new SessionValueError('the deadline', 'it must be an instant in epoch milliseconds');
  if (at > draft.state.deadline) assertUnlocked(draft);
  const deadline = Math.floor(at);
  const isLocked = isStillLocked(draft);
  draft.record('lifespan', (state) => {
    const endOfLocked = isLocked ? state.deadline : Infinity;
    const latest = state.isPending ? endOfPending(draft.settings, state.startedAt) : endOfLocked;
    Object.assign(state, { deadline: Math.min(deadline, latest), hasOwnDeadline: true });
    // `elevate` applies it to the login.
    if (state.isPending) state.own = { ...state.own, deadline };
  });
}

/** See `Session.idleTimeout`. */
export function setIdleTimeout(draft: SessionDraft, duration: number | null): void {
  if (duration !== null && !(Number.isFinite(duration) && duration >= 1 && duration <= LAST_INSTANT))
    throw new SessionValueError('the idle timeout', 'it must be a positive number of milliseconds or null');
  const idleTimeout = duration && Math.floor(duration);
  assertUnlocked(draft);
  draft.record('data', (state) => (state.idleTimeout = idleTimeout));
}

/** See `Session.rememberMe`. */
export function setRemembered(draft: SessionDraft, remember: boolean): void {
  const { timeouts, rememberedTimeouts } = draft.settings;
  const { lifetime, idleTimeout } = remember ? rememberedTimeouts : timeouts;
  assertUnlocked(draft);
  draft.record('lifespan', (state) => {
    state.remembered = remember;
    // `elevate` applies the timeouts.
    if (state.isPending) return;
    const end = Math.floor(state.startedAt) + lifetime;
    const deadline = state.hasOwnDeadline ? Math.min(end, state.deadline) : end;
    Object.assign(state, { deadline, idleTimeout });
  });
}

/** Whether the login is locked, and this request has not unlocked it. */
function isStillLocked({ isLocked, rights }: SessionDraft): boolean {
  return isLocked && rights !== null;
}

/** Another idle timeout would unlock the login without a proof, and a later deadline would prolong it. */
function assertUnlocked(draft: SessionDraft): void {
  if (!isStillLocked(draft)) return;
  const message =
    'The idle timeout has locked the login, so its timeouts cannot change, except for an earlier deadline: call elevate() or login() first.';
  throw new SessionError('SESSION_NOT_LOGGED_IN', message);
}
