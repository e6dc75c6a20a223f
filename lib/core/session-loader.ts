import type { DraftContext, SessionDraft } from './session-draft';
import type { EmitSessionEvent, SessionEventReason } from './session-event';
import { lastSeenOf } from './session-expiry';
import type { SessionRecord } from './session-record';
import { UnreadableBody } from './session-state';
import { sameHash, type ParsedToken } from './session-token';
import type { StoreClient } from './store-client';

/** Finds out whether a token opens a session. One read; one delete besides when it finds a dead or unreadable one. */
export class SessionLoader {
  constructor(
    private readonly store: StoreClient,
    private readonly context: DraftContext,
    private readonly emit: EmitSessionEvent,
  ) {}

  /** Fills the draft if the token opens a session, and leaves it empty if not. */
  async load(draft: SessionDraft, token: ParsedToken): Promise<void> {
    const record = await this.store.find(token.id);
    if (record === null) {
      draft.discard = true;
      return this.#reject(token, 'unknown');
    }
    // The client is not told to forget a stale token: the answer to the request that renewed it may be on its way.
    if (!sameHash(record.secretHash, token.secretHash)) return this.#reject(token, 'stale-token');
    if (!(await this.#read(draft, record))) return;
    draft.token = token;

    const now = this.context.clock();
    const { state } = draft;
    if (now >= Math.min(record.expiresAt, state.deadline))
      return this.#bury(draft, record, now >= state.deadline ? 'lifetime' : 'idle-timeout');
    state.lastSeenAt = lastSeenOf(state, record.expiresAt, state.lastSeenAt);
  }

  async #read(draft: SessionDraft, record: SessionRecord): Promise<boolean> {
    try {
      draft.adopt(record);
      return true;
    } catch (error) {
      if (!(error instanceof UnreadableBody)) throw error;
      this.#reject(record, error.newer ? 'newer-format' : 'corrupt');
      if (!error.newer) {
        await this.store.delete(record.id);
        draft.discard = true;
      }
      return false;
    }
  }

  /** Removes a dead session at once, so that a clock stepping back cannot revive it. */
  async #bury(draft: SessionDraft, record: SessionRecord, reason: SessionEventReason): Promise<void> {
    await this.store.delete(record.id);
    draft.abandon();
    draft.discard = true;
    this.emit({ type: 'expired', id: record.id, principal: record.principal, reason });
  }

  #reject({ id }: Pick<ParsedToken, 'id'>, reason: SessionEventReason): void {
    this.emit({ type: 'rejected', id, reason });
  }
}
