import { decodeContent, decodeFacts } from './session-body';
import type { SessionSettings } from './session-settings';
import type { SessionState } from './session-state';
import type { DropReport } from './value-schemas';

/**
 * Decodes the content of a state, unless it is decoded already, and checks it by the option `schema`. What is dropped is written with the
 * next change: the check writes nothing.
 * @throws UnreadableBody; what `onMismatch` throws, and then the content stays encoded
 */
export function openContent(state: SessionState, settings: SessionSettings, report: DropReport | null): void {
  const { encodedContent } = state;
  if (encodedContent === null) return;
  decodeContent(state, settings.codec);
  if (settings.schemas === undefined) return;
  try {
    settings.schemas.admit(state.data, report);
  } catch (error) {
    state.encodedContent = encodedContent;
    throw error;
  }
}

/** Decodes a body and checks its content: see {@link openContent}. */
export function openBody(body: string, settings: SessionSettings, report: DropReport | null): SessionState {
  const state = decodeFacts(body);
  openContent(state, settings, report);
  return state;
}
