import type { SessionDraft } from './session-draft';
import type { SessionKeeperOptions } from './session-keeper';
import type { SessionRecord } from './session-record';
import type { SessionShelf } from './session-shelf';
import { type SessionState } from './session-state';
import { UnreadableBody, decodeBody } from './session-body';

/** Brings other sessions' data into a draft, and ends those sessions once it is written. In between nothing is lost, whatever fails. */
export class SessionMerger {
  constructor(
    private readonly shelf: SessionShelf,
    private readonly options: SessionKeeperOptions,
  ) {}

  /** The other sessions' values become operations of this one. */
  async bringIn(draft: SessionDraft): Promise<void> {
    const { lineage } = draft;
    for (let token = draft.merging[0]; token !== undefined; token = draft.merging[0]) {
      const other = await this.#open(token);
      if (draft.lineage !== lineage) return;
      draft.merging.shift();
      if (other !== null && other.id !== draft.id) draft.absorb(token, other);
    }
  }

  /**
   * Ends the sessions whose data is written here by now. Says whether that was all: one that has been written to since has to be
   * brought in again.
   */
  async endAbsorbed(draft: SessionDraft): Promise<boolean> {
    for (let other = draft.absorbed[0]; other !== undefined; other = draft.absorbed[0]) {
      const { record, token } = other;
      const ended = await this.shelf.take(record);
      // Given up meanwhile, or superseded.
      if (draft.absorbed[0] !== other) continue;
      draft.absorbed.shift();
      if (ended) draft.announceEnd(record, 'merge');
      else draft.merging.push(token);
    }
    return draft.merging.length === 0 || draft.superseded;
  }

  async #open(token: string): Promise<SessionRecord | null> {
    const record = await this.shelf.open(token);
    const state = record && this.#read(record);
    if (state === null) return null;
    return Math.min(record!.expiresAt, state.deadline) > this.options.clock() ? record : null;
  }

  #read({ id, body }: SessionRecord): SessionState | null {
    try {
      return decodeBody(body, this.options.codec);
    } catch (error) {
      if (!(error instanceof UnreadableBody)) throw error;
      this.options.emit({ type: 'rejected', id, reason: error.newer ? 'newer-format' : 'corrupt' });
      return null;
    }
  }
}
