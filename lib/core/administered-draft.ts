import { SessionDraft } from './session-draft';
import { isIdle } from './session-expiry';
import type { LiveSession } from './session-info';
import type { SessionSettings } from './session-settings';

/** Returns the draft of a change to a session without its token. The content stays encoded, and the change is no use of the session. */
export function administeredDraft({ record, state }: LiveSession, settings: SessionSettings): SessionDraft {
  const draft = new SessionDraft(settings, () => false);
  const isLocked = isIdle(state, settings.clock());
  return Object.assign(draft, { state, base: record, isAdministered: true, touches: false, isLocked });
}
