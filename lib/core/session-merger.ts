import { ownerOf } from './rights';
import { openBody } from './checked-content';
import { decodeFacts } from './session-body';
import { draftOf, type Session } from './session';
import type { SessionDraft } from './session-draft';
import type { SessionRecord } from './session-record';
import type { SessionRepository } from './session-repository';
import type { SessionSettings } from './session-settings';
import { setOwn, type SessionState } from './session-state';
import { sameHash } from './session-token';
import { SessionError } from './session.errors';

/** Number of merges that a session remembers, for concurrent requests that merge the same session. */
const MERGES_KNOWN = 8;

/** Merges other sessions into a draft: takes over their data, and ends them after that is written. A failure in between loses nothing. */
export class SessionMerger {
  constructor(
    private readonly repository: SessionRepository,
    private readonly settings: SessionSettings,
    private readonly open: (token: string) => Promise<Session>,
  ) {}

  /** Records the values of the other sessions as operations of this one. */
  async bringIn(draft: SessionDraft): Promise<void> {
    const { lineage } = draft;
    for (let token = draft.merging[0]; token !== undefined; token = draft.merging[0]) {
      const { base: other, token: parsed } = draftOf(await this.open(token));
      if (draft.lineage !== lineage) return;
      draft.merging.shift();
      const isCurrent = other !== null && parsed !== null && sameHash(parsed.secretHash, other.secretHash);
      const isOther = isCurrent && other.id !== draft.id && !draft.ended.some(({ id }) => id === other.id);
      if (!isOther) continue;
      if (isForeign(other, draft.state)) throw mergeRefused();
      this.#absorb(draft, token, other);
    }
  }

  /** Ends the sessions whose data is written. Returns whether all have ended: one that was written to since must be merged again. */
  async endAbsorbed(draft: SessionDraft): Promise<boolean> {
    for (let other = draft.absorbed[0]; other !== undefined; other = draft.absorbed[0]) {
      const { record, token } = other;
      const hasEnded = await this.repository.endUnchanged(record);
      // The draft was abandoned or superseded meanwhile.
      if (draft.absorbed[0] !== other) continue;
      draft.absorbed.shift();
      if (hasEnded) draft.announceEnd(record, 'merge');
      else draft.merging.push(token);
    }
    return draft.merging.length === 0 || draft.superseded;
  }

  #absorb(draft: SessionDraft, token: string, record: SessionRecord): void {
    const { id, version, body } = record;
    draft.record('lifespan', (state) => {
      // The login that allowed it was taken back.
      if (isForeign(record, state)) return;
      // Another request has merged this version or a later one.
      if ((state.merged[id] ?? 0) >= version) return;
      const merges: [string, number][] = [...Object.entries(state.merged), [id, version]];
      state.merged = Object.fromEntries(merges.slice(-MERGES_KNOWN));
      // Decoded each time, because a later operation may change the values in place.
      const { data, deadline } = openBody(body, this.settings, null);
      for (const [key, value] of Object.entries(data)) setOwn(state.data, key, value);
      // A login ends when it would have ended without the merge.
      if (state.principal === null) state.deadline = Math.max(state.deadline, deadline);
    });
    draft.absorbed.push({ token, record, operation: draft.operations.at(-1)! });
  }
}

/** Whether another principal is logged in to the other session than to this one, or one of the two acts as another. */
function isForeign({ principal, body }: SessionRecord, state: SessionState): boolean {
  if (principal === null) return state.actor !== null;
  return state.actor !== null || principal !== ownerOf(state) || decodeFacts(body).actor !== null;
}

function mergeRefused(): SessionError {
  return new SessionError(
    'SESSION_MERGE_REFUSED',
    'merge() was given a session to which another principal is logged in. Nothing was merged. Merge sessions of visitors, or of the same principal.',
  );
}
