import { setTimeout as pause } from 'node:timers/promises';
import { CommitQueue } from './commit-queue';
import { principalKey } from './principal';
import { FORGET, KEEP, type CommitDecision } from './session-decision';
import type { SessionDraft } from './session-draft';
import { extensionOf } from './session-expiry';
import type { SessionManagerOptions } from './session-manager';
import { SessionMerger } from './session-merger';
import { keepUntil, toPage, type SessionPage } from './session-page';
import type { SessionRecord } from './session-record';
import { UnreadableBody } from './session-state';
import { sameHash } from './session-token';
import { SessionError } from './session.errors';
import type { StoreClient } from './store-client';

/** Each conflict means that somebody else succeeded; so many in a row mean that something is wrong. */
const MAX_ATTEMPTS = 10;

/** Longest pause before the first retry, in milliseconds; doubled with each further one. */
const BACKOFF = 2;

/** Brings a draft to the store. */
export class SessionWriter {
  readonly #queue: CommitQueue;
  readonly #merger: SessionMerger;
  /** Pages whose write failed, or did it? The next attempt finds out. */
  readonly #uncertain = new WeakMap<SessionDraft, SessionPage>();

  constructor(
    private readonly store: StoreClient,
    private readonly options: Omit<SessionManagerOptions, 'store'>,
  ) {
    this.#queue = new CommitQueue(options.storeTimeout);
    this.#merger = new SessionMerger(store, options);
  }

  /** The decision for a draft with nothing to write, else `null`. */
  settled(draft: SessionDraft): CommitDecision | null {
    const { ended, absorbed } = draft;
    if (ended.length > 0) return null;
    if (draft.superseded) return KEEP;
    if (absorbed.length > 0 || draft.status === 'changed' || this.#extension(draft) !== null) return null;
    return draft.discard ? FORGET : KEEP;
  }

  async write(draft: SessionDraft): Promise<CommitDecision> {
    await this.#removeEnded(draft);
    let decision = await this.#decide(draft);
    for (let attempt = 1; !(await this.#merger.endAbsorbed(draft)); attempt++) {
      if (attempt === MAX_ATTEMPTS) throw this.#conflict();
      const next = await this.#decide(draft);
      if (next.kind !== 'keep') decision = next;
    }
    // Whatever was ended while the store was at work.
    await this.#removeEnded(draft);
    this.#publish(draft);
    return draft.base === null && decision.kind === 'issue' ? this.#nothing(draft) : decision;
  }

  async #decide(draft: SessionDraft): Promise<CommitDecision> {
    switch (draft.status) {
      case 'unchanged':
        await this.#extend(draft);
        return this.#nothing(draft);
      case 'changed':
        await this.#merger.bringIn(draft);
        // What was to be brought in may have been nothing.
        if (draft.status !== 'changed') return this.#nothing(draft);
        return draft.base === null
          ? this.#insert(draft)
          : this.#queue.run(draft.id, () => this.#update(draft));
      case 'destroyed':
        return FORGET;
    }
  }

  /** Nothing was written. */
  #nothing(draft: SessionDraft): CommitDecision {
    return draft.discard ? FORGET : KEEP;
  }

  async #insert(draft: SessionDraft): Promise<CommitDecision> {
    const page = toPage(draft, this.options.maxBytes);
    if (page.isOver) {
      draft.abandon();
      return this.#nothing(draft);
    }
    try {
      await this.store.insert(page.record);
    } catch (error) {
      // It may have been stored all the same, under a token that nobody will ever be told.
      draft.ended.push(page.record.id);
      draft.rename();
      throw error;
    }
    return this.#finish(draft, page);
  }

  /** One conditional write. When somebody else wrote first: take what they left, do this request's changes on top, try again. */
  async #update(draft: SessionDraft): Promise<CommitDecision> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      if (attempt > 1) await pause(Math.random() * BACKOFF * 2 ** attempt);
      // Ended while it waited for its turn: what has been recorded since is the next commit's.
      if (draft.base === null) return this.#nothing(draft);
      const page = toPage(draft, this.options.maxBytes);
      // What looks expired may have been extended by others; what has expired is not brought back.
      const mayWrite = !this.#isPast(draft.base);
      if (mayWrite && (await this.#tryUpdate(draft, page)))
        return page.isOver ? this.#end(draft, page) : this.#finish(draft, page);
      if (draft.lineage !== page.lineage) return this.#nothing(draft);
      const decision = await this.#rebase(draft);
      if (decision !== null) return decision;
    }
    throw this.#conflict();
  }

  #conflict(
    reason = `Other writers were faster ${MAX_ATTEMPTS} times in a row; the session was not written.`,
  ): SessionError {
    return new SessionError('SESSION_CONFLICT', reason);
  }

  async #tryUpdate(draft: SessionDraft, page: SessionPage): Promise<boolean> {
    try {
      const done = await this.store.update(page.record, page.record.version - 1);
      if (done) this.#uncertain.delete(draft);
      return done;
    } catch (error) {
      this.#uncertain.set(draft, page);
      throw error;
    }
  }

  /** Brings the draft up to date; a decision when there is nothing more to try. */
  async #rebase(draft: SessionDraft): Promise<CommitDecision | null> {
    const { lineage } = draft;
    const current = await this.store.find(draft.id);
    if (draft.lineage !== lineage) return this.#nothing(draft);
    const alive = current !== null && !this.#isPast(current);
    const uncertain = this.#uncertain.get(draft);
    if (alive && uncertain?.lineage === lineage) {
      const fate = fateOf(uncertain.record, current, draft);
      if (fate === 'written') return this.#finish(draft, uncertain);
      if (fate === 'unknown')
        throw this.#conflict('A write whose answer was lost cannot be repeated safely.');
    }
    if (alive && draft.opens(current) && this.#adopt(draft, current)) return null;
    // Who has logged out does not stay logged in under a token renewed meanwhile: what cannot be kept any more ends.
    if (alive && draft.leaves(current)) {
      if (!draft.loggingIn) {
        draft.retire('logout');
        return this.#nothing(draft);
      }
      draft.ended.push(current.id);
      draft.announceEnd(current, 'logout');
    }
    // Who proved an identity in this very request gets a session of its own; nobody else has a right to this one any more.
    if (!draft.loggingIn) {
      draft.supersede();
      return KEEP;
    }
    draft.fork(alive);
    return this.#insert(draft);
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
    const { base } = draft;
    if (expiresAt === null || base === null) return;
    // Whether it was done or the record has moved on (which extended it too): once per request is enough.
    await this.store.extend(base.id, base.version, expiresAt);
    if (draft.base === base) draft.base = { ...base, expiresAt };
  }

  #extension({ base, state }: SessionDraft): number | null {
    if (base === null || state.idleTimeout === null) return null;
    return extensionOf(state, base.expiresAt, this.options.clock());
  }

  /** What fails is still there for the next attempt. */
  async #removeEnded({ ended }: SessionDraft): Promise<void> {
    for (let id = ended[0]; id !== undefined; id = ended[0]) {
      await this.store.delete(id);
      ended.shift();
    }
  }

  /** A deadline set to the past ends the session, unless somebody else moved on with it: the write was conditional. */
  async #end(draft: SessionDraft, page: SessionPage): Promise<CommitDecision> {
    if (draft.lineage === page.lineage) draft.retire('deadline-passed');
    await this.#removeEnded(draft);
    return FORGET;
  }

  #isPast({ expiresAt }: SessionRecord): boolean {
    return expiresAt <= this.options.clock();
  }

  #finish(draft: SessionDraft, page: SessionPage): CommitDecision {
    const { record, token, isNew, tells, written } = page;
    this.#uncertain.delete(draft);
    if (draft.lineage !== page.lineage) {
      // Ended while it was being written, which a session that was not there yet could not know.
      if (isNew) draft.ended.push(record.id);
      return this.#nothing(draft);
    }
    if (isNew) this.options.emit({ type: 'created', id: record.id, principal: record.principal });
    else if (written.renewals > 0)
      this.options.emit({ type: 'renewed', id: record.id, principal: record.principal });
    draft.settle(record, token, written);
    return tells ? { kind: 'issue', token: token.token, keepUntil: keepUntil(draft.state) } : KEEP;
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

/** Whether a record whose write failed was written all the same, as far as what is stored now can tell. */
function fateOf(
  { version, secretHash, body }: SessionRecord,
  current: SessionRecord,
  draft: SessionDraft,
): 'written' | 'not written' | 'unknown' {
  if (sameHash(secretHash, current.secretHash) && !draft.opens(current)) return 'written';
  const renewed = draft.token !== null && !sameHash(secretHash, draft.token.secretHash);
  const overtaken = current.version === version && current.body !== body;
  return renewed || overtaken || current.version < version ? 'not written' : 'unknown';
}
