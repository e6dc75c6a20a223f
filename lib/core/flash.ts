import { randomText } from './random-text';
import type { SessionDraft } from './session-draft';
import type { FlashEntry } from './session-state';

/** See `Session.flash`. */
export function addMessage(draft: SessionDraft, kind: string, message: unknown): void {
  const copy = draft.values.copy(kind, message);
  draft.values.encode(kind, copy);
  const entry: FlashEntry = { id: randomText(6), kind, message: copy };
  draft.record('data', (state) => state.messages.push(entry));
}

/** Removes and returns the messages of one kind, or all. */
export function takeMessages(draft: SessionDraft, kind: string | undefined): FlashEntry[] {
  const read = draft.state.messages.filter((entry) => kind === undefined || entry.kind === kind);
  const ids = new Set(read.map(({ id }) => id));
  const isUnread = ({ id }: FlashEntry): boolean => !ids.has(id);
  if (read.length > 0) draft.record('data', (state) => (state.messages = state.messages.filter(isUnread)));
  return read;
}
