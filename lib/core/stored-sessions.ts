import { setTimeout as pause } from 'node:timers/promises';
import { FORGET, KEEP, unwritten, type CommitOutcome, type Delivery } from './commit-outcome';
import { endLatest, endOthers } from './end-others';
import { endedRecord, reasonOfEnd, type EndReason } from './ended-session';
import { KeyedQueue } from './keyed-queue';
import { finishWrite, hasLapsed, toPendingWrite, type PendingWrite } from './pending-write';
import { PrincipalRevocations, type Revocation } from './principal-revocations';
import { CURRENT, newHistory, standingOf, type Standing } from './secret-history';
import { decodeFacts, encodeBody } from './session-body';
import type { SessionDraft } from './session-draft';
import { extensionOf } from './session-expiry';
import type { SessionRecord } from './session-record';
import { giveWay, join } from './session-replay';
import type { Finding, SessionRepository } from './session-repository';
import type { SessionSettings } from './session-settings';
import { newToken, parseToken, sameHash, type ParsedToken, type SessionId } from './session-token';
import { expiredMeanwhile, tooManyConflicts, unrepeatable } from './session.errors';
import type { StoreClient } from './store-client';
import { contains, isCritical, isWritten } from './uncertain-write';
import { StoredLogins } from './stored-logins';

/**
 * In each conflict another request succeeded. After this many, and the time that a store call may take, the commit fails. So many, because two
 * processes that write one session do not win alternately: on a slow store ten losses in a row happen.
 */
const MIN_ATTEMPTS = 30;

/** Maximum pause before the second retry, in milliseconds. It doubles with each further one, up to the limit. */
const BACKOFF = 2;
const BACKOFF_LIMIT = 32;

/** Share of the deadline for a write whose outcome must be known. The rest is for looking it up. */
const SHARE_OF_WRITE = 0.6;

const MALFORMED = Promise.resolve<Finding>({ kind: 'malformed' });

/** Sessions in a store: conditional writes, replayed on top of what other requests wrote first. */
export class StoredSessions implements SessionRepository {
  readonly logins: StoredLogins;
  readonly #queue: KeyedQueue;
  readonly #revocations: PrincipalRevocations;
  /** Writes whose outcome is unknown. The next attempt looks it up. */
  readonly #uncertain = new WeakMap<SessionDraft, PendingWrite>();

  constructor(
    private readonly store: StoreClient,
    private readonly settings: SessionSettings,
  ) {
    this.logins = new StoredLogins(store, settings.clock);
    this.#queue = new KeyedQueue(settings.storeTimeout);
    this.#revocations = new PrincipalRevocations(store, settings);
  }

  isToken(value: string): boolean {
    return parseToken(value, this.settings.name) !== null;
  }

  find(value: string): Promise<Finding> {
    const token = parseToken(value, this.settings.name);
    if (token === null) return MALFORMED;
    const { id } = token;
    return this.store
      .find(id)
      .then((record) =>
        record === null ? { kind: 'unknown', id, reason: 'unknown' } : { kind: 'found', record, token },
      );
  }

  async reread(token: ParsedToken): Promise<Finding> {
    const { id } = token;
    const record = await this.store.find(id);
    if (record === null) return { kind: 'unknown', id, reason: 'unknown' };
    return { kind: 'found', record, token: { ...token, secretHash: record.secretHash } };
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
      if (!(await this.#isInserted(write))) {
        // It may still be stored later, under a token that no client will have.
        draft.ended.push(write.record);
        draft.rename();
        throw error;
      }
    }
    return this.#finish(draft, write, delivery);
  }

  update(draft: SessionDraft, delivery: Delivery): Promise<CommitOutcome> {
    return this.#queue.run(draft.id, () => this.#update(draft, delivery));
  }

  lostLogin(draft: SessionDraft): SessionRecord | null {
    const write = this.#uncertain.get(draft);
    return write?.operations.some(({ isSignIn }) => isSignIn) ? write.record : null;
  }

  extension(draft: SessionDraft): number | null {
    const { base, state } = draft;
    const now = this.settings.clock();
    return base && draft.touches ? extensionOf(state, base.expiresAt, now, draft.now(now)) : null;
  }

  async extend(draft: SessionDraft): Promise<CommitOutcome> {
    const expiresAt = this.extension(draft);
    const { base } = draft;
    if (expiresAt === null || base === null) return unwritten(draft);
    // When the record has another version, the write that made it has extended the session too.
    await this.store.extend(base.id, base.version, expiresAt);
    if (draft.base === base) draft.base = { ...base, expiresAt };
    return unwritten(draft);
  }

  outlast(draft: SessionDraft): Promise<unknown> {
    return this.extend(draft);
  }

  end({ id }: SessionRecord): Promise<void> {
    return this.store.delete(id);
  }

  /** Records it first: a login that is written after the end of the others finds the record. */
  async endAll(principal: string, kept: SessionDraft | null, reason: EndReason): Promise<CommitOutcome> {
    const sessions = this.store.ofPrincipal(principal);
    const endOne = (record: SessionRecord): Promise<unknown> => endLatest(this, record, reason);
    const end = async (): Promise<void> => {
      if (kept === null) {
        // That the clients can be told why is worth no failure.
        await endOthers(sessions.find, null, endOne).catch(() => undefined);
        await sessions.delete();
      } else if (!(await endOthers(sessions.find, kept.id, endOne))) throw tooManyConflicts(MIN_ATTEMPTS);
    };
    try {
      await this.#revocations.record(principal);
    } catch {
      // A store that is full has room for the record afterwards.
      await end();
      await this.#revocations.record(principal);
    }
    await end();
    return KEEP;
  }

  outdateLogins(principal: string): Promise<void> {
    return this.#revocations.record(principal);
  }

  revocationOf(principal: string): Promise<Revocation | null> {
    return this.#revocations.of(principal);
  }

  /** First replaces the secret and its history in a conditional write, so that no other request can write to the session any more. */
  async endUnchanged(record: SessionRecord): Promise<boolean> {
    const { secretHash } = newToken(record.id, this.settings.name);
    const state = decodeFacts(record.body);
    const body = encodeBody({ ...state, secrets: newHistory(state.createdAt) }, this.settings.codec);
    const lock = { ...record, version: record.version + 1, secretHash, body };
    const locked = await this.store.update(lock, record.version);
    if (locked) await this.store.delete(record.id);
    return locked;
  }

  endExpired(record: SessionRecord): Promise<boolean> {
    return this.endUnchanged(record);
  }

  endAs(record: SessionRecord, reason: EndReason): Promise<boolean> {
    const ended = endedRecord(record, reason, this.settings.clock());
    return this.store.update(ended, record.version);
  }

  ofPrincipal(principal: string): Promise<SessionRecord[]> {
    return this.store.ofPrincipal(principal).find();
  }

  get(id: SessionId): Promise<SessionRecord | null> {
    return this.store.find(id);
  }

  records(): AsyncIterable<SessionRecord> {
    return this.store.records();
  }

  sweep(limit: number): Promise<number> {
    return this.store.sweep(this.settings.clock(), limit);
  }

  /** The store stays open. */
  close(): void {}

  /** Writes on one condition. When another request wrote first, replays the draft on top of that write, and tries again. */
  async #update(draft: SessionDraft, delivery: Delivery): Promise<CommitOutcome> {
    const patience = performance.now() + this.settings.storeTimeout;
    for (let attempt = 0; ; attempt++) {
      if (attempt >= MIN_ATTEMPTS && performance.now() > patience) throw tooManyConflicts(attempt);
      if (attempt > 1) await pause(Math.random() * Math.min(BACKOFF * 2 ** (attempt - 1), BACKOFF_LIMIT));
      // It was ended while it waited in the queue. The next commit writes what was recorded since.
      if (draft.base === null) return unwritten(draft);
      const write = toPendingWrite(draft, { renewed: this.#uncertainToken(draft) });
      const { record } = write;
      const share = isCritical(write) ? SHARE_OF_WRITE : 1;
      let isDone = false;
      try {
        if (!hasLapsed(draft, draft.base))
          isDone = await this.store.update(record, record.version - 1, share);
      } catch (error) {
        this.#uncertain.set(draft, write);
        const outcome = isCritical(write) ? await this.#isUpdated(write) : null;
        if (outcome === null) throw error;
        isDone = outcome;
      }
      if (isDone) return this.#finish(draft, write, delivery);
      if (draft.lineage !== write.lineage) return unwritten(draft);
      const outcome = await this.#rebase(draft, delivery);
      if (outcome !== null) return outcome;
    }
  }

  /** Each attempt at one write uses the same token, so that the client is told the one that works. */
  #uncertainToken(draft: SessionDraft): ParsedToken | undefined {
    const uncertain = this.#uncertain.get(draft);
    const isSame = uncertain?.lineage === draft.lineage && uncertain.replacement === draft.replacement;
    return isSame ? uncertain.token : undefined;
  }

  /**
   * Whether a write whose answer was lost was done; `null` when the store does not answer. Sends the write again, on the same condition: at
   * most one of the two is done, and when neither is, neither can be any more.
   */
  async #isUpdated(write: PendingWrite): Promise<boolean | null> {
    const { record } = write;
    const share = (1 - SHARE_OF_WRITE) / 2;
    try {
      if (await this.store.update(record, record.version - 1, share)) return true;
      const current = await this.store.find(record.id, share);
      return current !== null && contains(current, write, this.settings.codec);
    } catch {
      return null;
    }
  }

  async #isInserted({ record }: PendingWrite): Promise<boolean> {
    try {
      return (await this.store.find(record.id, 1 - SHARE_OF_WRITE)) !== null;
    } catch {
      return false;
    }
  }

  /** Replays the draft on the present record. Returns an outcome when there is nothing more to try. */
  async #rebase(draft: SessionDraft, delivery: Delivery): Promise<CommitOutcome | null> {
    const { lineage, base } = draft;
    const found = await this.store.find(draft.id);
    if (draft.lineage !== lineage) return unwritten(draft);
    const isSession = found !== null && found.expiresAt > draft.now() && reasonOfEnd(found) === null;
    const current = isSession ? found : null;
    const uncertain = this.#uncertain.get(draft);
    if (current !== null && uncertain?.record.id === current.id) {
      const wasWritten = isWritten(uncertain, current, this.settings.codec);
      const isWanted = uncertain.lineage === lineage;
      if (isWanted && wasWritten === null) throw unrepeatable();
      if (isWanted && wasWritten) return this.#finish(draft, uncertain, delivery);
      // A login, or an impersonation, that was taken back since. No client has its token.
      if (wasWritten && isLogin(uncertain)) draft.ended.push(current);
    }
    if (current !== null && join(draft, current)) {
      // What it wanted has been done by another request, perhaps longer ago than this use of the session.
      if (draft.status !== 'changed') return this.extend(draft);
      if (hasLapsed(draft, current)) throw expiredMeanwhile();
      return null;
    }
    if (current === null && base!.expiresAt <= draft.now() && !draft.isLoggingIn) throw expiredMeanwhile();
    return giveWay(draft, current) ?? this.insert(draft, delivery);
  }

  #finish(draft: SessionDraft, write: PendingWrite, delivery: Delivery): CommitOutcome {
    this.#uncertain.delete(draft);
    const isSame = draft.lineage === write.lineage;
    if (write.isOver) {
      if (isSame) draft.retire('deadline-passed');
      return FORGET;
    }
    if (isSame) return finishWrite(draft, write, delivery);
    // It was ended while it was inserted, and could not be removed then.
    if (write.record.version === 1) draft.ended.push(write.record);
    return unwritten(draft);
  }
}

function isLogin({ replacement }: PendingWrite): boolean {
  return replacement === 'login' || replacement === 'act';
}
