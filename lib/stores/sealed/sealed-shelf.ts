import { principalKey } from '../../core/principal';
import { FORGET, type CommitOutcome } from '../../core/commit-outcome';
import type { SessionDraft } from '../../core/session-draft';
import { extensionOf } from '../../core/session-expiry';
import type { SessionKeeperOptions } from '../../core/session-keeper';
import { largestPart, toPendingWrite, type PendingWrite } from '../../core/pending-write';
import type { SessionRecord } from '../../core/session-record';
import {
  finish,
  giveWay,
  issue,
  nothing,
  tooManyConflicts,
  type SessionShelf,
} from '../../core/session-shelf';
import { UnreadableBody, decodeBody } from '../../core/session-body';
import type { ParsedToken, SessionId } from '../../core/session-token';
import { SessionTooLargeError } from '../../core/session.errors';
import type { Revocations, Standing } from './revocations';
import type { SealedValues } from './sealed-values';

/** Each conflict means that somebody else renewed the session; so many in a row mean that something is wrong. */
const MAX_ATTEMPTS = 10;

const ENDED: Standing = { kind: 'ended' };

/**
 * Lays sessions down with their clients: every write is a new value to be sent. Before one is made the list is asked again, so
 * that a slow request's value does not take the place of one that came after a renewal.
 */
export class SealedShelf implements SessionShelf {
  /** Tokens of renewals that failed, or did they? The next attempt uses them again. */
  readonly #uncertain = new WeakMap<SessionDraft, ParsedToken>();

  constructor(
    private readonly values: SealedValues,
    private readonly revocations: Revocations,
    private readonly options: SessionKeeperOptions,
  ) {}

  async insert(draft: SessionDraft): Promise<CommitOutcome> {
    const { lineage } = draft;
    await this.#enter(draft);
    if (draft.lineage !== lineage) return nothing(draft);
    const page = this.#toPendingWrite(draft);
    if (!page.isOver) return finish(draft, page, this.options.emit);
    draft.abandon();
    return nothing(draft);
  }

  async update(draft: SessionDraft): Promise<CommitOutcome> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const { base, lineage } = draft;
      if (base === null) return nothing(draft);
      const [standing] = await Promise.all([this.#standing(draft, base), this.#enter(draft)]);
      if (draft.lineage !== lineage) return nothing(draft);
      if (standing.kind !== 'good') return giveWay(draft, successor(base, standing)) ?? this.insert(draft);
      const page = this.#toPendingWrite(draft);
      if (page.isOver) {
        draft.retire('deadline-passed');
        return FORGET;
      }
      if (page.written.renewals === 0 || (await this.#renew(draft, standing.entry, page)))
        return draft.lineage === lineage ? finish(draft, page, this.options.emit) : nothing(draft);
    }
    throw tooManyConflicts(MAX_ATTEMPTS);
  }

  isDue(draft: SessionDraft): boolean {
    return this.#extension(draft) !== null;
  }

  /** Only the end moves; the data is sealed as it was found. */
  async extend(draft: SessionDraft): Promise<CommitOutcome> {
    const expiresAt = this.#extension(draft);
    const { base } = draft;
    if (expiresAt === null || base === null) return nothing(draft);
    const standing = await this.revocations.standing(base, draft.state.startedAt);
    if (standing.kind !== 'good' || draft.base !== base) return nothing(draft);
    const record = { ...base, expiresAt };
    const token = this.values.seal(record, this.options.clock());
    draft.base = record;
    draft.token = { token, id: base.id, secretHash: base.secretHash };
    return issue(draft, token);
  }

  end(id: SessionId): Promise<void> {
    return this.revocations.end(id);
  }

  async open(token: string): Promise<SessionRecord | null> {
    const opening = this.values.open(token);
    if (opening.kind !== 'genuine') return null;
    const { record } = opening;
    try {
      const { principal, startedAt } = decodeBody(record.body, this.options.codec);
      const whole = { ...record, principal: principal && principalKey(principal) };
      const { kind } = await this.revocations.standing(whole, startedAt);
      return kind === 'good' ? whole : null;
    } catch (error) {
      if (error instanceof UnreadableBody) return record;
      throw error;
    }
  }

  /** What was written to it since went to its client, and nobody here can know of it. */
  async take({ id }: SessionRecord): Promise<boolean> {
    await this.revocations.end(id);
    return true;
  }

  /** What a login notes as its instant comes after the principal's last revocation, for that is how the two are told apart. */
  async #enter(draft: SessionDraft): Promise<void> {
    const { principal } = draft.state;
    if (!draft.loggingIn || principal === null) return;
    const deadUntil = await this.revocations.deadUntil(principalKey(principal));
    const { state } = draft;
    if (state.startedAt <= deadUntil) state.startedAt = deadUntil + 1;
  }

  async #standing(draft: SessionDraft, base: SessionRecord): Promise<Standing> {
    if (base.expiresAt <= this.options.clock()) return ENDED;
    const startedAt = base.principal === null ? 0 : decodeBody(base.body, this.options.codec).startedAt;
    const uncertain = this.#uncertain.get(draft);
    if (uncertain?.id === base.id) {
      const renewed = { ...base, secretHash: uncertain.secretHash };
      const standing = await this.revocations.standing(renewed, startedAt);
      if (standing.kind === 'good') return standing;
    }
    return this.revocations.standing(base, startedAt);
  }

  async #renew(draft: SessionDraft, entry: SessionRecord | null, page: PendingWrite): Promise<boolean> {
    try {
      const done = await this.revocations.renew(entry, page.record);
      this.#uncertain.delete(draft);
      return done;
    } catch (error) {
      this.#uncertain.set(draft, page.token);
      throw error;
    }
  }

  /** @throws SessionTooLargeError, before anything is written or sent */
  #toPendingWrite(draft: SessionDraft): PendingWrite {
    const uncertain = this.#uncertain.get(draft);
    const page = toPendingWrite(
      draft,
      this.options.maxBytes,
      uncertain?.id === draft.id ? uncertain : undefined,
    );
    const record = { ...page.record, expiresAt: this.values.cap(page.record.expiresAt, page.at) };
    const token = this.values.seal(record, page.at);
    const { capacity } = this.values;
    if (token.length > capacity)
      throw new SessionTooLargeError(largestPart(draft), token.length, capacity, WAY_OUT);
    return { ...page, record, token: { ...page.token, token }, tells: true };
  }

  #extension({ base, state }: SessionDraft): number | null {
    if (base === null || state.idleTimeout === null) return null;
    const now = this.options.clock();
    const { idleTimeout } = state;
    return extensionOf({ deadline: this.values.cap(state.deadline, now), idleTimeout }, base.expiresAt, now);
  }
}

const WAY_OUT =
  'Browsers drop larger cookies. Keep large data elsewhere and its id in the session, or keep sessions in a store.';

/** What others made of a session, if it goes on at all. */
function successor(base: SessionRecord, standing: Standing): SessionRecord | null {
  return standing.kind === 'renewed' ? { ...base, principal: standing.principal } : null;
}
