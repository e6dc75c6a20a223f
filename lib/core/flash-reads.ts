import type { FlashEntry, FormInput } from './session-state';
import type { SessionDraft } from './session-draft';

/** What a request has read, and so removed from its session. */
export interface FlashReads {
  /** See `SessionDraft.lineage`. */
  readonly lineage: number;
  messages: FlashEntry[];
  input: FormInput | null;
}

const reads = new WeakMap<SessionDraft, FlashReads>();

/** Returns what the request has read of the session with which it goes on now. */
export function readsOf(draft: SessionDraft): FlashReads {
  const { lineage } = draft;
  const known = reads.get(draft);
  if (known?.lineage === lineage) return known;
  const none: FlashReads = { lineage, messages: [], input: null };
  reads.set(draft, none);
  return none;
}

/** Called when what was read must not come back. */
export function forgetReads(draft: SessionDraft): void {
  reads.delete(draft);
}
