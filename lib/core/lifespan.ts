import type { SessionDraft } from './session-draft';
import { SessionValueError } from './session.errors';

/** Maximum instant of a `Date`, in epoch milliseconds. Every store can store it. */
const LAST_INSTANT = 8.64e15;

/** See `Session.deadline`. */
export function setDeadline(draft: SessionDraft, at: number): void {
  if (!Number.isFinite(at) || Math.abs(at) > LAST_INSTANT)
    throw new SessionValueError('the deadline', 'it must be an instant in epoch milliseconds');
  draft.record('lifespan', (state) => {
    Object.assign(state, { deadline: Math.floor(at), hasOwnDeadline: true });
  });
}

/** See `Session.idleTimeout`. */
export function setIdleTimeout(draft: SessionDraft, duration: number | null): void {
  if (duration !== null && !(Number.isFinite(duration) && duration >= 1 && duration <= LAST_INSTANT))
    throw new SessionValueError('the idle timeout', 'it must be a positive number of milliseconds or null');
  const idleTimeout = duration && Math.floor(duration);
  draft.record('data', (state) => (state.idleTimeout = idleTimeout));
}

/** See `Session.rememberMe`. */
export function setRemembered(draft: SessionDraft, remember: boolean): void {
  const { timeouts, rememberedTimeouts } = draft.settings;
  const { lifetime, idleTimeout } = remember ? rememberedTimeouts : timeouts;
  draft.record('lifespan', (state) => {
    const end = state.startedAt + lifetime;
    const deadline = state.hasOwnDeadline ? Math.min(end, state.deadline) : end;
    Object.assign(state, { remembered: remember, deadline, idleTimeout });
  });
}
