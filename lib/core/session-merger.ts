import { decodeBody, decodeFacts } from './session-body';
import { draftOf, type Session } from './session';
import type { SessionDraft } from './session-draft';
import type { SessionRecord } from './session-record';
import type { SessionRepository } from './session-repository';
import type { SessionSettings } from './session-settings';
import { setOwn } from './session-state';
import { sameHash } from './session-token';

/** How many of the latest merges a session remembers. They matter for as long as two requests merge the same one at once. */
const MERGES_KNOWN = 8;

/** Brings other sessions' data into a draft, and ends those sessions once it is written. In between nothing is lost, whatever fails. */
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
      if (isCurrent && other.id !== draft.id) this.#absorb(draft, token, other);
    }
  }

  /**
   * Ends the sessions whose data is written here by now. Says whether that was all: one that has been written to since has to be
   * brought in again.
   */
  async endAbsorbed(draft: SessionDraft): Promise<boolean> {
    for (let other = draft.absorbed[0]; other !== undefined; other = draft.absorbed[0]) {
      const { record, token } = other;
      const ended = await this.repository.endUnchanged(record);
      // Given up meanwhile, or superseded.
      if (draft.absorbed[0] !== other) continue;
      draft.absorbed.shift();
      if (ended) draft.announceEnd(record, 'merge');
      else draft.merging.push(token);
    }
    return draft.merging.length === 0 || draft.superseded;
  }

  /** Takes over another session's data; that session ends once the data is written. */
  #absorb(draft: SessionDraft, token: string, record: SessionRecord): void {
    const { codec } = this.settings;
    const { deadline } = decodeFacts(record.body);
    draft.record('lifespan', (state) => {
      const { id, version } = record;
      // Another request has been here, with the same or with more.
      if ((state.merged[id] ?? 0) >= version) return;
      const merges: [string, number][] = [...Object.entries(state.merged), [id, version]];
      state.merged = Object.fromEntries(merges.slice(-MERGES_KNOWN));
      // Read anew each time: an operation after this one may change the values in place.
      for (const [key, value] of Object.entries(decodeBody(record.body, codec).data))
        setOwn(state.data, key, value);
      state.deadline = Math.max(state.deadline, deadline);
    });
    draft.absorbed.push({ token, record });
  }
}
