import { setTimeout as pause } from 'node:timers/promises';
import { FORGET, unwritten, type CommitOutcome, type Delivery } from './commit-outcome';
import { KeyedQueue } from './keyed-queue';
import { finishWrite, toPendingWrite, type PendingWrite } from './pending-write';
import { CURRENT, isFormer, newHistory, standingOf, type Standing } from './secret-history';
import { decodeBody, decodeFacts, encodeBody } from './session-body';
import type { SessionDraft } from './session-draft';
import { extensionOf, isNearlyIdle } from './session-expiry';
import type { SessionRecord } from './session-record';
import { giveWay, join } from './session-replay';
import { tooManyConflicts, type Finding, type SessionRepository } from './session-repository';
import type { SessionSettings } from './session-settings';
import { newToken, parseToken, sameHash, type ParsedToken, type SessionId } from './session-token';
import { SessionError } from './session.errors';
import type { StoreClient } from './store-client';

/** Each conflict means that another request succeeded. So many in a row, over the time that a store call may take, are enough. */
const MIN_ATTEMPTS = 10;

/** Longest pause before the second retry, in milliseconds; doubled with each further one, up to the limit. */
const BACKOFF = 2;
const BACKOFF_LIMIT = 32;

/** A write whose outcome has to be known gets this share of the time a call may take; the rest is for looking it up. */
const SHARE_OF_WRITE = 0.6;

const MALFORMED: Finding = { kind: 'malformed' };
const NOTHING_FOUND = Promise.resolve(MALFORMED);

/** Sessions in a store: conditional writes, repeated on top of what others wrote first. */
export class StoredSessions implements SessionRepository {
  readonly #queue: KeyedQueue;
  /** Writes whose outcome is unknown. The next attempt looks it up. */
  readonly #uncertain = new WeakMap<SessionDraft, PendingWrite>();

  constructor(
    private readonly store: StoreClient,
    private readonly settings: SessionSettings,
  ) {
    this.#queue = new KeyedQueue(settings.storeTimeout);
  }

  isToken(value: string): boolean {
    return parseToken(value, this.settings.name) !== null;
  }

  find(value: string): Promise<Finding> {
    const token = parseToken(value, this.settings.name);
    if (token === null) return NOTHING_FOUND;
    return this.store
      .find(token.id)
      .then((record) =>
        record === null
          ? { kind: 'unknown', id: token.id, reason: 'unknown' }
          : { kind: 'found', record, token },
      );
  }

  standing(draft: SessionDraft): Standing {
    const { base, token, state } = draft;
    if (sameHash(base!.secretHash, token!.secretHash)) return CURRENT;
    return standingOf(state.secrets, token!, draft.now());
  }

  async insert(draft: SessionDraft, delivery: Delivery): Promise<CommitOutcome> {
    const write = toPendingWrite(draft);
    if (write.isOver) {
      draft.abandon();
      return unwritten(draft);
    }
    try {
      await this.store.insert(write.record, SHARE_OF_WRITE);
    } catch (error) {
      if (await this.#isInserted(write)) return this.#finish(draft, write, delivery);
      // It may be stored later all the same, under a token that no client will ever be told.
      draft.ended.push(write.record.id);
      draft.rename();
      throw error;
    }
    return this.#finish(draft, write, delivery);
  }

  update(draft: SessionDraft, delivery: Delivery): Promise<CommitOutcome> {
    return this.#queue.run(draft.id, () => this.#update(draft, delivery));
  }

  extension(draft: SessionDraft): number | null {
    const { base, state } = draft;
    return base && extensionOf(state, base.expiresAt, this.settings.clock(), draft.now());
  }

  async extend(draft: SessionDraft): Promise<CommitOutcome> {
    const expiresAt = this.extension(draft);
    const { base } = draft;
    if (expiresAt === null || base === null) return unwritten(draft);
    // Whether it was done or the record has moved on (which extended it too): once per request is enough.
    await this.store.extend(base.id, base.version, expiresAt);
    if (draft.base === base) draft.base = { ...base, expiresAt };
    return unwritten(draft);
  }

  outlast(draft: SessionDraft): Promise<unknown> | null {
    const { state, base } = draft;
    return isNearlyIdle(state, base!.expiresAt, this.settings.clock()) ? this.extend(draft) : null;
  }

  end(id: SessionId): Promise<void> {
    return this.store.delete(id);
  }

  /** First it locks the session as it was then, so that no write of another request is lost. */
  async endUnchanged(record: SessionRecord): Promise<boolean> {
    const { secretHash } = newToken(record.id, this.settings.name);
    const state = decodeFacts(record.body);
    // A request under way has no right to it any more, whatever has replaced its secret before.
    const body = encodeBody({ ...state, secrets: newHistory(state.createdAt) }, this.settings.codec);
    const lock = { ...record, version: record.version + 1, secretHash, body };
    const locked = await this.store.update(lock, record.version);
    if (locked) await this.store.delete(record.id);
    return locked;
  }

  endExpired(record: SessionRecord): Promise<boolean> {
    return this.endUnchanged(record);
  }

  /** The store stays open. */
  close(): void {}

  /** One conditional write. When another request wrote first: take what it left, do this request's operations on top, try again. */
  async #update(draft: SessionDraft, delivery: Delivery): Promise<CommitOutcome> {
    const patience = performance.now() + this.settings.storeTimeout;
    for (let attempt = 0; ; attempt++) {
      if (attempt >= MIN_ATTEMPTS && performance.now() > patience) throw tooManyConflicts(attempt);
      if (attempt > 1) await pause(Math.random() * Math.min(BACKOFF * 2 ** (attempt - 1), BACKOFF_LIMIT));
      // Ended while it waited for its turn: what has been recorded since is the next commit's.
      if (draft.base === null) return unwritten(draft);
      const write = toPendingWrite(draft, { renewed: this.#uncertainToken(draft) });
      // What looks expired may have been extended by others; what has expired is not brought back.
      const done = !this.#isPast(draft, draft.base) && (await this.#tryUpdate(draft, write));
      if (done) return write.isOver ? this.#end(draft, write) : this.#finish(draft, write, delivery);
      if (draft.lineage !== write.lineage) return unwritten(draft);
      const outcome = await this.#rebase(draft, delivery);
      if (outcome !== null) return outcome;
    }
  }

  /** Each attempt at a write brings the same token, so that the client is told the one that works. */
  #uncertainToken(draft: SessionDraft): ParsedToken | undefined {
    const uncertain = this.#uncertain.get(draft);
    const isSame = uncertain?.lineage === draft.lineage && uncertain.replacement === draft.replacement;
    return isSame ? uncertain.token : undefined;
  }

  /** Looks up the outcome of a critical write whose answer was lost: the client needs the token that works, or the value it took. */
  async #tryUpdate(draft: SessionDraft, write: PendingWrite): Promise<boolean> {
    const { record } = write;
    try {
      return await this.store.update(record, record.version - 1, isCritical(write) ? SHARE_OF_WRITE : 1);
    } catch (error) {
      this.#uncertain.set(draft, write);
      const isDone = isCritical(write) ? await this.#isUpdated(write) : null;
      if (isDone === null) throw error;
      return isDone;
    }
  }

  /**
   * Whether a write whose answer was lost is done; `null` when the store does not tell. It is sent once more, on the same condition: of the
   * two at most one is done, and when neither is, neither can be any more.
   */
  async #isUpdated(write: PendingWrite): Promise<boolean | null> {
    const { record } = write;
    const share = (1 - SHARE_OF_WRITE) / 2;
    try {
      if (await this.store.update(record, record.version - 1, share)) return true;
      const current = await this.store.find(record.id, share);
      return current !== null && this.#contains(current, write);
    } catch {
      return null;
    }
  }

  /** Whether a first write whose answer was lost was done. */
  async #isInserted({ record }: PendingWrite): Promise<boolean> {
    try {
      return (await this.store.find(record.id, 1 - SHARE_OF_WRITE)) !== null;
    } catch {
      return false;
    }
  }

  /** Brings the draft up to date; an outcome when there is nothing more to try. */
  async #rebase(draft: SessionDraft, delivery: Delivery): Promise<CommitOutcome | null> {
    const { lineage, base } = draft;
    const current = await this.store.find(draft.id);
    if (draft.lineage !== lineage) return unwritten(draft);
    const alive = current !== null && !this.#isPast(draft, current);
    const uncertain = this.#uncertain.get(draft);
    if (alive && uncertain?.lineage === lineage) {
      const fate = this.#fateOf(uncertain, current);
      if (fate === 'written') return this.#finish(draft, uncertain, delivery);
      if (fate === 'unknown')
        throw new SessionError(
          'SESSION_CONFLICT',
          'A write whose answer was lost cannot be repeated safely.',
        );
    }
    if (alive && join(draft, current)) return draft.status === 'changed' ? null : unwritten(draft);
    if (!alive && this.#isPast(draft, base!) && !draft.isLoggingIn) throw expiredMeanwhile();
    return giveWay(draft, alive ? current : null) ?? this.insert(draft, delivery);
  }

  /** A deadline set to the past ends the session, unless another request moved on with it: the write was conditional. */
  #end(draft: SessionDraft, write: PendingWrite): CommitOutcome {
    this.#uncertain.delete(draft);
    if (draft.lineage === write.lineage) draft.retire('deadline-passed');
    return FORGET;
  }

  #isPast(draft: SessionDraft, { expiresAt }: SessionRecord): boolean {
    return expiresAt <= draft.now();
  }

  #finish(draft: SessionDraft, write: PendingWrite, delivery: Delivery): CommitOutcome {
    this.#uncertain.delete(draft);
    if (draft.lineage === write.lineage) return finishWrite(draft, write, delivery);
    // Ended while it was being written, which a session that was not there yet could not know.
    if (write.isNew) draft.ended.push(write.record.id);
    return unwritten(draft);
  }

  /** Whether a write whose answer was lost was done, as far as what is stored now can tell. */
  #fateOf(write: PendingWrite, current: SessionRecord): 'written' | 'not written' | 'unknown' {
    const { record } = write;
    if (isCritical(write)) return this.#contains(current, write) ? 'written' : 'not written';
    const isOvertaken = current.version === record.version && current.body !== record.body;
    return isOvertaken || current.version < record.version ? 'not written' : 'unknown';
  }

  /** Whether a record comes from a critical write, or from others that came after it. */
  #contains(current: SessionRecord, { record, token, replacement, state }: PendingWrite): boolean {
    const { secrets, receipt } = decodeBody(current.body, this.settings.codec);
    return replacement === null
      ? receipt === state.receipt
      : sameHash(current.secretHash, record.secretHash) || isFormer(secrets, token);
  }
}

/** Whether its outcome must be known: its answer brings a token, or a value that no other request gets. */
function isCritical({ replacement, takes }: PendingWrite): boolean {
  return replacement !== null || takes;
}

function expiredMeanwhile(): SessionError {
  return new SessionError(
    'SESSION_EXPIRED',
    'The session expired while this request was under way, for longer than a request may take; its changes were not written.',
  );
}
