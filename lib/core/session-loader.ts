import type { SessionDraft } from './session-draft';
import type { SessionEventReason } from './session-event';
import { lastSeenOf } from './session-expiry';
import type { SessionKeeperOptions } from './session-keeper';
import type { SessionRecord } from './session-record';
import { UnreadableBody, decodeBody } from './session-body';
import { sameHash, type ParsedToken } from './session-token';
import type { StoreClient } from './store-client';

/**
 * How long after a token was replaced a request with the old one may just have been slow, in milliseconds. Its browser has
 * the new token by then, or soon will, and must not be given another.
 */
export const OVERLAP = 60_000;

/** How often a dead session is looked at again because it could not be locked: a store may show what it does not let be written any more. */
const MAX_ATTEMPTS = 5;

/** Finds out whether a token opens a session. One read; one delete besides when it finds a dead or unreadable one. */
export class SessionLoader {
  constructor(
    private readonly store: StoreClient,
    private readonly options: SessionKeeperOptions,
  ) {}

  /** Fills the draft if the token opens a session, and leaves it empty if not. */
  async load(draft: SessionDraft, token: ParsedToken, attempt = 1): Promise<void> {
    const record = await this.store.find(token.id);
    if (record === null) {
      draft.discard = true;
      return this.#reject(token, 'unknown');
    }
    // The client is not told to forget a stale token: the answer to the request that renewed it may be on its way.
    if (!sameHash(record.secretHash, token.secretHash)) {
      draft.superseded = this.#isRecent(record);
      return this.#reject(token, 'stale-token');
    }
    const error = this.#read(draft, record);
    if (error !== null) return this.#discard(draft, record, error);
    draft.token = token;

    const now = this.options.clock();
    const { state } = draft;
    if (now >= Math.min(record.expiresAt, state.deadline))
      return this.#bury(draft, token, record, now >= state.deadline ? 'lifetime' : 'idle-timeout', attempt);
    state.lastSeenAt = lastSeenOf(state, record.expiresAt, state.lastSeenAt);
  }

  #read(draft: SessionDraft, record: SessionRecord): UnreadableBody | null {
    try {
      draft.adopt(record);
      return null;
    } catch (error) {
      if (error instanceof UnreadableBody) return error;
      throw error;
    }
  }

  /** What a newer release wrote is left alone. */
  async #discard(draft: SessionDraft, record: SessionRecord, { newer }: UnreadableBody): Promise<void> {
    this.#reject(record, newer ? 'newer-format' : 'corrupt');
    if (newer) return;
    await this.store.delete(record.id);
    draft.discard = true;
  }

  /**
   * Removes a dead session at once, so that a clock stepping back cannot revive it; first it locks it as it was found, for a
   * request that began in time may be writing to it.
   */
  async #bury(
    draft: SessionDraft,
    token: ParsedToken,
    record: SessionRecord,
    reason: SessionEventReason,
    attempt: number,
  ): Promise<void> {
    draft.abandon();
    const { id, version, principal } = record;
    const locked = await this.store.update({ ...record, version: version + 1 }, version);
    if (!locked && attempt < MAX_ATTEMPTS) return this.load(draft, token, attempt + 1);
    if (locked) await this.store.delete(id);
    draft.discard = true;
    this.options.emit({ type: 'expired', id, principal, reason });
  }

  /** Whether the record was written so lately that its token may have been replaced while this request was under way. */
  #isRecent({ body }: SessionRecord): boolean {
    try {
      return this.options.clock() - decodeBody(body, this.options.codec).lastSeenAt < OVERLAP;
    } catch (error) {
      if (error instanceof UnreadableBody) return false;
      throw error;
    }
  }

  #reject({ id }: Pick<ParsedToken, 'id'>, reason: SessionEventReason): void {
    this.options.emit({ type: 'rejected', id, reason });
  }
}
