import { readsOf } from './flash-reads';
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
  if (read.length === 0) return read;
  const ids = new Set(read.map(({ id }) => id));
  const isUnread = ({ id }: FlashEntry): boolean => !ids.has(id);
  draft.record('data', (state) => (state.messages = state.messages.filter(isUnread)));
  readsOf(draft).messages.push(...read);
  return read;
}

/** Puts back what this request has read, before what came since. See `Session.reflash`. */
export function reflash(draft: SessionDraft): void {
  const reads = readsOf(draft);
  const { messages, input } = reads;
  draft.assertWritable();
  if (messages.length === 0 && input === null) return;
  // What the application got may have been changed since.
  const read = messages.map((entry) => ({
    ...entry,
    message: draft.values.copy(entry.kind, entry.message),
  }));
  reads.messages = [];
  draft.record('data', (state) => {
    state.messages = [...read, ...state.messages];
    if (input !== null) state.own = { input, ...state.own };
  });
}
