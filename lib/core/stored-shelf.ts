import { setTimeout as pause } from 'node:timers/promises';
import { KeyedQueue } from './keyed-queue';
import { FORGET, type CommitOutcome } from './commit-outcome';
import type { SessionDraft } from './session-draft';
import { extensionOf } from './session-expiry';
import type { SessionKeeperOptions } from './session-keeper';
import { toPendingWrite, type PendingWrite } from './pending-write';
import type { SessionRecord } from './session-record';
import { finish, giveWay, nothing, tooManyConflicts, type SessionShelf } from './session-shelf';
import { UnreadableBody } from './session-body';
import { newToken, parseToken, sameHash, type SessionId } from './session-token';
import { SessionError } from './session.errors';
import type { StoreClient } from './store-client';

/** Each conflict means that somebody else succeeded. So many in a row, over the time that a store call may take, are enough. */
const MIN_ATTEMPTS = 10;

/** Longest pause before the second retry, in milliseconds; doubled with each further one, up to the limit: who waits long loses again. */
const BACKOFF = 2;
const BACKOFF_LIMIT = 32;

/** A store as a commit needs it: conditional writes, repeated on top of what others wrote first. */
export class StoredShelf implements SessionShelf {
  readonly #queue: KeyedQueue;
  /** Pages whose write failed, or did it? The next attempt finds out. */
  readonly #uncertain = new WeakMap<SessionDraft, PendingWrite>();

  constructor(
    private readonly store: StoreClient,
    private readonly options: SessionKeeperOptions,
  ) {
    this.#queue = new KeyedQueue(options.storeTimeout);
  }

  async insert(draft: SessionDraft): Promise<CommitOutcome> {
    const page = toPendingWrite(draft, this.options.maxBytes);
    if (page.isOver) {
      draft.abandon();
      return nothing(draft);
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

  update(draft: SessionDraft): Promise<CommitOutcome> {
    return this.#queue.run(draft.id, () => this.#update(draft));
  }

  isDue(draft: SessionDraft): boolean {
    return this.#extension(draft) !== null;
  }

  async extend(draft: SessionDraft): Promise<CommitOutcome> {
    const expiresAt = this.#extension(draft);
    const { base } = draft;
    if (expiresAt === null || base === null) return nothing(draft);
    // Whether it was done or the record has moved on (which extended it too): once per request is enough.
    await this.store.extend(base.id, base.version, expiresAt);
    if (draft.base === base) draft.base = { ...base, expiresAt };
    return nothing(draft);
  }

  end(id: SessionId): Promise<void> {
    return this.store.delete(id);
  }

  async open(value: string): Promise<SessionRecord | null> {
    const token = parseToken(value, this.options.name);
    if (token === null) return null;
    const record = await this.store.find(token.id);
    return record !== null && sameHash(record.secretHash, token.secretHash) ? record : null;
  }

  /** First it locks the session as it was then, so that nobody's write is lost. */
  async take(record: SessionRecord): Promise<boolean> {
    const { secretHash } = newToken(record.id, this.options.name);
    const version = record.version + 1;
    const locked = await this.store.update({ ...record, version, secretHash }, record.version);
    if (locked) await this.store.delete(record.id);
    return locked;
  }

  /** One conditional write. When somebody else wrote first: take what they left, do this request's changes on top, try again. */
  async #update(draft: SessionDraft): Promise<CommitOutcome> {
    const patience = performance.now() + this.options.storeTimeout;
    for (let attempt = 0; ; attempt++) {
      if (attempt >= MIN_ATTEMPTS && performance.now() > patience) throw tooManyConflicts(attempt);
      if (attempt > 1) await pause(Math.random() * Math.min(BACKOFF * 2 ** (attempt - 1), BACKOFF_LIMIT));
      // Ended while it waited for its turn: what has been recorded since is the next commit's.
      if (draft.base === null) return nothing(draft);
      const page = toPendingWrite(draft, this.options.maxBytes);
      // What looks expired may have been extended by others; what has expired is not brought back.
      const mayWrite = !this.#isPast(draft.base);
      let done = false;
      try {
        if (mayWrite) done = await this.store.update(page.record, page.record.version - 1);
      } catch (error) {
        this.#uncertain.set(draft, page);
        throw error;
      }
      if (done) return page.isOver ? this.#end(draft, page) : this.#finish(draft, page);
      if (draft.lineage !== page.lineage) return nothing(draft);
      const decision = await this.#rebase(draft);
      if (decision !== null) return decision;
    }
  }

  /** Brings the draft up to date; a decision when there is nothing more to try. */
  async #rebase(draft: SessionDraft): Promise<CommitOutcome | null> {
    const { lineage } = draft;
    const current = await this.store.find(draft.id);
    if (draft.lineage !== lineage) return nothing(draft);
    const alive = current !== null && !this.#isPast(current);
    const uncertain = this.#uncertain.get(draft);
    if (alive && uncertain?.lineage === lineage) {
      const fate = fateOf(uncertain.record, current, draft);
      if (fate === 'written') return this.#finish(draft, uncertain);
      if (fate === 'unknown')
        throw new SessionError(
          'SESSION_CONFLICT',
          'A write whose answer was lost cannot be repeated safely.',
        );
    }
    if (alive && draft.opens(current) && this.#adopt(draft, current)) return null;
    return giveWay(draft, alive ? current : null) ?? this.insert(draft);
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

  #extension({ base, state }: SessionDraft): number | null {
    if (base === null || state.idleTimeout === null) return null;
    return extensionOf(state, base.expiresAt, this.options.clock());
  }

  /** A deadline set to the past ends the session, unless somebody else moved on with it: the write was conditional. */
  #end(draft: SessionDraft, page: PendingWrite): CommitOutcome {
    this.#uncertain.delete(draft);
    if (draft.lineage === page.lineage) draft.retire('deadline-passed');
    return FORGET;
  }

  #isPast({ expiresAt }: SessionRecord): boolean {
    return expiresAt <= this.options.clock();
  }

  #finish(draft: SessionDraft, page: PendingWrite): CommitOutcome {
    this.#uncertain.delete(draft);
    if (draft.lineage === page.lineage) return finish(draft, page, this.options.emit);
    // Ended while it was being written, which a session that was not there yet could not know.
    if (page.isNew) draft.ended.push(page.record.id);
    return nothing(draft);
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
