import { FORGET, unwritten, type CommitOutcome, type Delivery } from '../../core/commit-outcome';
import {
  finishWrite,
  issueToken,
  largestPart,
  toPendingWrite,
  type PendingWrite,
} from '../../core/pending-write';
import { principalKey } from '../../core/principal';
import { CURRENT, DELIVERY, type Standing as SecretStanding } from '../../core/secret-history';
import { UnreadableBody, decodeFacts } from '../../core/session-body';
import type { SessionDraft } from '../../core/session-draft';
import { extensionOf } from '../../core/session-expiry';
import type { SessionRecord } from '../../core/session-record';
import { giveWay } from '../../core/session-replay';
import {
  tooManyConflicts,
  undeliverable,
  type Finding,
  type Revoked,
  type SessionRepository,
} from '../../core/session-repository';
import type { SessionSettings } from '../../core/session-settings';
import type { ParsedToken, SessionId, SessionToken } from '../../core/session-token';
import { SessionTooLargeError } from '../../core/session.errors';
import type { Revocations, Standing } from './revocations';
import { LONGEST_VALUE, type SealedValues } from './sealed-values';

/** Each conflict means that another request renewed the session; so many in a row mean that something is wrong. */
const MAX_ATTEMPTS = 10;

const ENDED: Standing = { kind: 'ended' };
const REVOKED: Revoked = { kind: 'revoked' };
const MALFORMED: Finding = { kind: 'malformed' };

/**
 * Sessions sealed in their tokens: every write is a new value for the client. Before one is made the list is asked again, so that a slow
 * request's value does not take the place of one that came after a renewal.
 */
export class SealedRepository implements SessionRepository {
  /** Tokens of renewals whose outcome is unknown. The next attempt uses them again. */
  readonly #uncertain = new WeakMap<SessionDraft, ParsedToken>();

  constructor(
    private readonly values: SealedValues,
    private readonly revocations: Revocations,
    private readonly settings: SessionSettings,
    readonly close: () => void,
  ) {}

  isToken(value: string): boolean {
    return this.values.hasForm(value);
  }

  async find(value: string): Promise<Finding> {
    const opening = this.values.open(value);
    switch (opening.kind) {
      case 'genuine':
        return this.#found(opening.record, value as SessionToken);
      case 'foreign':
        return MALFORMED;
      case 'forged':
        return { kind: 'unknown', id: null, reason: 'unknown' };
      case 'corrupt':
        return { kind: 'unknown', id: null, reason: 'corrupt' };
    }
  }

  /** Two reads of the list at most, at the same time; none for a value that has expired. */
  async standing({ base, state }: SessionDraft): Promise<SecretStanding | Revoked> {
    const record = base!;
    const now = this.settings.clock();
    if (now >= Math.min(record.expiresAt, state.deadline)) return CURRENT;
    const standing = await this.revocations.standing(record, state.startedAt);
    if (standing.kind === 'good') return CURRENT;
    if (standing.kind === 'ended') return REVOKED;
    const isRecent = now - standing.at < DELIVERY;
    const isLogout = record.principal !== null && standing.principal === null;
    return isRecent && !isLogout ? { kind: 'endable' } : { kind: 'dead', isRecent };
  }

  async insert(draft: SessionDraft, delivery: Delivery): Promise<CommitOutcome> {
    const { lineage } = draft;
    await this.#enter(draft);
    if (draft.lineage !== lineage) return unwritten(draft);
    const write = this.#toPendingWrite(draft, delivery);
    if (!write.isOver) return finishWrite(draft, write, delivery);
    draft.abandon();
    return unwritten(draft);
  }

  async update(draft: SessionDraft, delivery: Delivery): Promise<CommitOutcome> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const { base, lineage } = draft;
      if (base === null) return unwritten(draft);
      const [standing] = await Promise.all([this.#standing(draft, base), this.#enter(draft)]);
      if (draft.lineage !== lineage) return unwritten(draft);
      if (standing.kind !== 'good')
        return giveWay(draft, successor(base, standing)) ?? this.insert(draft, delivery);
      const write = this.#toPendingWrite(draft, delivery);
      if (write.isOver) {
        draft.retire('deadline-passed');
        return FORGET;
      }
      if (delivery.reach === 'gone') throw undeliverable({ ...delivery, obstacle: CLIENT_GONE });
      if (write.replacement === null || (await this.#renew(draft, standing.entry, write)))
        return draft.lineage === lineage ? finishWrite(draft, write, delivery) : unwritten(draft);
    }
    throw tooManyConflicts(MAX_ATTEMPTS);
  }

  extension(draft: SessionDraft): number | null {
    const { base, state } = draft;
    if (base === null || state.idleTimeout === null) return null;
    const now = this.settings.clock();
    const { idleTimeout } = state;
    const lifespan = { deadline: this.values.cap(state.deadline, now), idleTimeout };
    return extensionOf(lifespan, base.expiresAt, now, draft.now());
  }

  /** Only the end moves; the content is sealed as it was found. */
  async extend(draft: SessionDraft, { reach }: Delivery): Promise<CommitOutcome> {
    const expiresAt = this.extension(draft);
    const { base } = draft;
    if (expiresAt === null || base === null || reach !== 'open') return unwritten(draft);
    const standing = await this.revocations.standing(base, draft.state.startedAt);
    if (standing.kind !== 'good' || draft.base !== base) return unwritten(draft);
    const record = { ...base, expiresAt };
    const token = this.values.seal(record, this.settings.clock());
    draft.base = record;
    draft.token = { token, id: base.id, secretHash: base.secretHash };
    return issueToken(draft.state, draft.token);
  }

  /** Nothing removes a value before the request that sent it has been answered. */
  outlast(): null {
    return null;
  }

  end(id: SessionId): Promise<void> {
    return this.revocations.end(id);
  }

  /** What was written to it since went to its client, and the server does not know of it. */
  async endUnchanged({ id }: SessionRecord): Promise<boolean> {
    await this.revocations.end(id);
    return true;
  }

  /** An expired value opens nothing, and the list need not say so. */
  endExpired(): Promise<boolean> {
    return Promise.resolve(true);
  }

  /**
   * Who is logged in stands in the body alone. A value that cannot be read opens nothing, and the list need not say so: other values of
   * the session may be good.
   */
  #found(record: SessionRecord, token: SessionToken): Finding {
    const parsed: ParsedToken = { token, id: record.id, secretHash: record.secretHash };
    try {
      const { principal } = decodeFacts(record.body);
      return {
        kind: 'found',
        record: { ...record, principal: principal && principalKey(principal) },
        token: parsed,
      };
    } catch (error) {
      if (!(error instanceof UnreadableBody)) throw error;
      return error.newer
        ? { kind: 'found', record, token: parsed }
        : { kind: 'unknown', id: record.id, reason: 'corrupt' };
    }
  }

  /** What a login notes as its instant comes after the principal's last revocation, for that is how the two are told apart. */
  async #enter(draft: SessionDraft): Promise<void> {
    const { principal } = draft.state;
    if (!draft.isLoggingIn || principal === null) return;
    const deadUntil = await this.revocations.deadUntil(principalKey(principal));
    const { state } = draft;
    if (state.startedAt <= deadUntil) state.startedAt = deadUntil + 1;
  }

  async #standing(draft: SessionDraft, base: SessionRecord): Promise<Standing> {
    if (base.expiresAt <= draft.now()) return ENDED;
    const startedAt = base.principal === null ? 0 : decodeFacts(base.body).startedAt;
    const uncertain = this.#uncertain.get(draft);
    if (uncertain?.id === base.id) {
      const renewed = { ...base, secretHash: uncertain.secretHash };
      const standing = await this.revocations.standing(renewed, startedAt);
      if (standing.kind === 'good') return standing;
    }
    return this.revocations.standing(base, startedAt);
  }

  async #renew(draft: SessionDraft, entry: SessionRecord | null, write: PendingWrite): Promise<boolean> {
    try {
      const done = await this.revocations.renew(entry, write.record);
      this.#uncertain.delete(draft);
      return done;
    } catch (error) {
      this.#uncertain.set(draft, write.token);
      if (!(await this.#isRenewed(write))) throw error;
      this.#uncertain.delete(draft);
      return true;
    }
  }

  /** Whether a renewal whose answer was lost was done. */
  async #isRenewed({ record, state }: PendingWrite): Promise<boolean> {
    try {
      const standing = await this.revocations.standing(record, state.startedAt);
      return standing.kind === 'good' && standing.entry !== null;
    } catch {
      return false;
    }
  }

  /** @throws SessionTooLargeError, SessionError `SESSION_TOKEN_UNDELIVERABLE`, before anything is written or sent */
  #toPendingWrite(draft: SessionDraft, delivery: Delivery): PendingWrite {
    if (delivery.reach === 'never') throw undeliverable(delivery);
    const uncertain = this.#uncertain.get(draft);
    // A value is taken by the one request that renews the token.
    const replacement = draft.replacement ?? (draft.has('take') ? 'renewed' : null);
    const renewed = uncertain?.id === draft.id ? uncertain : undefined;
    const write = toPendingWrite(draft, { replacement, renewed, hasHistory: false });
    const record = { ...write.record, expiresAt: this.values.cap(write.record.expiresAt, write.at) };
    const token = this.values.seal(record, write.at);
    const longest = Math.min(delivery.capacity, LONGEST_VALUE);
    if (token.length > longest)
      throw new SessionTooLargeError(largestPart(draft), token.length, longest, WAY_OUT);
    return { ...write, record, token: { ...write.token, token }, tells: true };
  }
}

const CLIENT_GONE =
  'it could not be sent, since the client has left or the response had begun; change the session before the first byte';

const WAY_OUT =
  'Browsers drop larger cookies. Keep large data elsewhere and its id in the session, or keep sessions in a store.';

/** What others made of a session, if it goes on at all. */
function successor(base: SessionRecord, standing: Standing): SessionRecord | null {
  return standing.kind === 'renewed' ? { ...base, principal: standing.principal } : null;
}
