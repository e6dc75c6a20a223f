import type { SessionDraft } from './session-draft';
import type { SessionManagerOptions } from './session-manager';
import type { SessionRecord } from './session-record';
import { UnreadableBody, decodeBody, type SessionState } from './session-state';
import { newToken, sameHash, type ParsedToken } from './session-token';
import type { StoreClient } from './store-client';

/** Brings other sessions' data into a draft, and ends those sessions once it is written. In between nothing is lost, whatever fails. */
export class SessionMerger {
  constructor(
    private readonly store: StoreClient,
    private readonly options: Omit<SessionManagerOptions, 'store'>,
  ) {}

  /** The other sessions' values become operations of this one. */
  async bringIn(draft: SessionDraft): Promise<void> {
    const { lineage } = draft;
    for (let token = draft.merging[0]; token !== undefined; token = draft.merging[0]) {
      const other = token.id === draft.id ? null : await this.#open(token);
      if (draft.lineage !== lineage) return;
      draft.merging.shift();
      if (other !== null) draft.absorb(token, other);
    }
  }

  /**
   * Ends the sessions whose data is written here by now; first it locks each as it was then, so that nobody's write is lost.
   * Says whether that was all: one that has been written to since has to be brought in again.
   */
  async endAbsorbed(draft: SessionDraft): Promise<boolean> {
    for (let other = draft.absorbed[0]; other !== undefined; other = draft.absorbed[0]) {
      const { record, token } = other;
      const { secretHash } = newToken(record.id, this.options.name);
      const version = record.version + 1;
      const locked = await this.store.update({ ...record, version, secretHash }, record.version);
      if (locked) await this.store.delete(record.id);
      // Given up meanwhile, or superseded.
      if (draft.absorbed[0] !== other) continue;
      draft.absorbed.shift();
      if (locked) draft.announceEnd(record, 'merge');
      else draft.merging.push(token);
    }
    return draft.merging.length === 0 || draft.superseded;
  }

  async #open(token: ParsedToken): Promise<SessionRecord | null> {
    const record = await this.store.find(token.id);
    if (record === null || !sameHash(record.secretHash, token.secretHash)) return null;
    const state = this.#read(record);
    if (state === null) return null;
    return Math.min(record.expiresAt, state.deadline) > this.options.clock() ? record : null;
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
