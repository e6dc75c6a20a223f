import { setTimeout as pause } from 'node:timers/promises';
import { CommitQueue } from './commit-queue';
import { principalKey } from './principal';
import { FORGET, KEEP, type CommitDecision } from './session-decision';
import type { SessionDraft } from './session-draft';
import { expiryOf, extensionOf } from './session-expiry';
import type { SessionManagerOptions } from './session-manager';
import type { SessionRecord } from './session-record';
import { UnreadableBody, decodeBody, type SessionState } from './session-state';
import { newToken, sameHash, type ParsedToken, type SessionId } from './session-token';
import { SessionError } from './session.errors';
import type { StoreClient } from './store-client';

/** A record ready to be written, and how much of the draft is in it: more may be recorded while the store works. */
interface Page {
  readonly record: SessionRecord;
  readonly token: ParsedToken | null;
  readonly written: { readonly operations: number; readonly renewals: number };
}

/** Each conflict means that somebody else succeeded; so many in a row mean that something is wrong. */
const MAX_ATTEMPTS = 10;

/** Longest pause before the first retry, in milliseconds; doubled with each further one. */
const BACKOFF = 2;

/** Brings a draft to the store. */
export class SessionWriter {
  readonly #queue: CommitQueue;

  constructor(
    private readonly store: StoreClient,
    private readonly options: Omit<SessionManagerOptions, 'store'>,
  ) {
    this.#queue = new CommitQueue(options.storeTimeout);
  }

  /** The decision for a draft with nothing to write, else `null`. */
  settled(draft: SessionDraft): CommitDecision | null {
    if (draft.superseded) return KEEP;
    const { ended, absorbed } = draft;
    if (ended.length + absorbed.length > 0 || draft.status === 'changed' || this.#extension(draft) !== null)
      return null;
    return draft.discard ? FORGET : KEEP;
  }

  async write(draft: SessionDraft): Promise<CommitDecision> {
    await this.#remove(draft.ended);
    const decision = await this.#decide(draft);
    await this.#remove(draft.absorbed);
    this.#publish(draft);
    return decision;
  }

  async #decide(draft: SessionDraft): Promise<CommitDecision> {
    switch (draft.status) {
      case 'unchanged':
        await this.#extend(draft);
        return draft.discard ? FORGET : KEEP;
      case 'changed':
        await this.#bringIn(draft);
        // What was to be brought in may have been nothing.
        if (draft.status !== 'changed') return draft.discard ? FORGET : KEEP;
        return draft.base === null
          ? this.#insert(draft)
          : this.#queue.run(draft.id, () => this.#update(draft));
      case 'destroyed':
        return FORGET;
    }
  }

  async #insert(draft: SessionDraft): Promise<CommitDecision> {
    const page = this.#page(draft);
    if (this.#isPast(page)) return this.#giveUp(draft);
    await this.store.insert(page.record);
    return this.#finish(draft, page);
  }

  /** One conditional write. When somebody else wrote first: take what they left, do this request's changes on top, try again. */
  async #update(draft: SessionDraft): Promise<CommitDecision> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      if (attempt > 1) await pause(Math.random() * BACKOFF * 2 ** attempt);
      const page = this.#page(draft);
      if (this.#isPast(page)) return this.#giveUp(draft);
      if (await this.store.update(page.record, page.record.version - 1)) return this.#finish(draft, page);
      if (!(await this.#rebase(draft))) return draft.superseded ? KEEP : this.#insert(draft);
    }
    throw new SessionError(
      'SESSION_CONFLICT',
      `Other writers were faster ${MAX_ATTEMPTS} times in a row; the session was not written.`,
    );
  }

  /** Brings the draft up to date, and says whether its request still has a right to the session. */
  async #rebase(draft: SessionDraft): Promise<boolean> {
    const current = await this.store.find(draft.id);
    const alive = current !== null && current.expiresAt > this.options.clock();
    if (alive && draft.opens(current) && this.#adopt(draft, current)) return true;
    // Who proved an identity in this very request gets a session of its own; nobody else has a right to this one any more.
    if (draft.loggingIn) draft.fork(alive);
    else draft.supersede();
    return false;
  }

  #adopt(draft: SessionDraft, current: SessionRecord): boolean {
    try {
      draft.adopt(current);
      return true;
    } catch (error) {
      if (error instanceof UnreadableBody) return false;
      throw error;
    }
  }

  async #extend(draft: SessionDraft): Promise<void> {
    const expiresAt = this.#extension(draft);
    if (expiresAt === null || draft.base === null) return;
    // Whether it was done or the record has moved on (which extended it too): once per request is enough.
    await this.store.extend(draft.id, draft.base.version, expiresAt);
    draft.base = { ...draft.base, expiresAt };
  }

  #extension({ base, state }: SessionDraft): number | null {
    return base === null ? null : extensionOf(state, base.expiresAt, this.options.clock());
  }

  /** Merging: the other session's values become an operation of this one, and the other ends once this one is written. */
  async #bringIn(draft: SessionDraft): Promise<void> {
    for (let token = draft.merging[0]; token !== undefined; token = draft.merging[0]) {
      const other = token.id === draft.id ? null : await this.#open(token);
      if (other !== null) draft.absorb(token.id, other);
      draft.merging.shift();
    }
  }

  async #open(token: ParsedToken): Promise<SessionState | null> {
    const record = await this.store.find(token.id);
    if (record === null || !sameHash(record.secretHash, token.secretHash)) return null;
    const state = this.#read(record);
    if (state === null) return null;
    return Math.min(record.expiresAt, state.deadline) > this.options.clock() ? state : null;
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

  /** What fails is still there for the next attempt. */
  async #remove(ids: SessionId[]): Promise<void> {
    for (let id = ids[0]; id !== undefined; id = ids[0]) {
      await this.store.delete(id);
      ids.shift();
    }
  }

  /** A deadline set to the past ends the session, or keeps it from beginning. */
  async #giveUp(draft: SessionDraft): Promise<CommitDecision> {
    if (draft.base === null) {
      draft.abandon();
      return draft.discard ? FORGET : KEEP;
    }
    draft.retire('deadline-passed');
    await this.#remove(draft.ended);
    return FORGET;
  }

  #isPast({ record }: Page): boolean {
    return record.expiresAt <= this.options.clock();
  }

  #page(draft: SessionDraft): Page {
    const { clock, name, maxBytes } = this.options;
    const { base, state } = draft;
    const now = clock();
    const token = base === null || draft.renewals > 0 ? newToken(draft.id, name) : draft.token;
    const record: SessionRecord = {
      id: draft.id,
      version: (base?.version ?? 0) + 1,
      secretHash: token!.secretHash,
      principal: state.principal === null ? null : principalKey(state.principal),
      expiresAt: expiryOf(state, now),
      body: draft.toBody(now, maxBytes),
    };
    return { record, token, written: { operations: draft.operations.length, renewals: draft.renewals } };
  }

  #finish(draft: SessionDraft, { record, token, written }: Page): CommitDecision {
    const isNew = draft.base === null;
    const issues = isNew || written.renewals > 0 || draft.reissue;
    if (isNew) this.options.emit({ type: 'created', id: record.id, principal: record.principal });
    else if (written.renewals > 0)
      this.options.emit({ type: 'renewed', id: record.id, principal: record.principal });
    draft.settle(record, token, written);
    if (!issues || token === null) return KEEP;
    return {
      kind: 'issue',
      token: token.token,
      keepUntil: draft.state.remembered ? draft.state.deadline : null,
    };
  }

  #publish(draft: SessionDraft): void {
    for (const { type, id, principal, reason } of draft.announcements.splice(0)) {
      this.options.emit({
        type,
        id: id ?? draft.id,
        principal: principal && principalKey(principal),
        reason,
      });
    }
  }
}
