import { FORGET, KEEP, unwritten, type CommitOutcome, type Delivery } from '../../core/commit-outcome';
import {
  finishWrite,
  hasLapsed,
  issueToken,
  largestPart,
  toPendingWrite,
  type PendingWrite,
} from '../../core/pending-write';
import { ownerOf } from '../../core/rights';
import type { Revocation } from '../../core/principal-revocations';
import { CURRENT, DELIVERY, newHistory, type Standing } from '../../core/secret-history';
import { UnreadableBody, decodeFacts, encodeBody } from '../../core/session-body';
import type { SessionDraft } from '../../core/session-draft';
import { extensionOf, type Lifespan } from '../../core/session-expiry';
import type { SessionRecord } from '../../core/session-record';
import { giveWay } from '../../core/session-replay';
import {
  undeliverable,
  type Finding,
  type Revoked,
  type SessionRepository,
} from '../../core/session-repository';
import type { SessionSettings } from '../../core/session-settings';
import type { SessionState } from '../../core/session-state';
import { sameHash, type ParsedToken, type SessionToken } from '../../core/session-token';
import { SessionError, SessionTooLargeError, tooManyConflicts } from '../../core/session.errors';
import { ENDED, type RevocationStatus, type Revocations } from './revocations';
import { SealedLogins } from './sealed-logins';
import { LONGEST_VALUE, type SealedValues } from './sealed-values';
import { isShorter, isUnusual, standsSince } from './value-lifetimes';

/** Each conflict means that another request renewed the session. This many in a row indicate a fault. */
const MAX_ATTEMPTS = 10;

const REVOKED: Revoked = { kind: 'revoked' };
const MALFORMED: Finding = { kind: 'malformed' };

/**
 * Keeps sessions sealed in their tokens: every write makes a new value for the client. Before it makes one it reads the revocations
 * again, so that the value of a slow request does not replace one made after a renewal.
 */
export class SealedRepository implements SessionRepository {
  readonly logins: SealedLogins;
  /** Tokens of renewals whose outcome is unknown. The next attempt reuses them. */
  readonly #uncertain = new WeakMap<SessionDraft, ParsedToken>();

  constructor(
    private readonly values: SealedValues,
    private readonly revocations: Revocations,
    private readonly settings: SessionSettings,
    readonly close: () => void,
  ) {
    this.logins = new SealedLogins(revocations, settings.clock);
  }

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

  reread({ token }: ParsedToken): Promise<Finding> {
    return this.find(token);
  }

  /** Makes at most two concurrent reads of the list, and none for an expired value. */
  async standing({ base, state }: SessionDraft): Promise<Standing | Revoked> {
    const record = base!;
    const now = this.settings.clock();
    if (now >= Math.min(record.expiresAt, state.deadline)) return CURRENT;
    const status = await this.revocations.statusOf(record, standsSince(state));
    if (status.kind === 'good') return CURRENT;
    if (status.kind === 'ended') return REVOKED;
    const isRecent = now - status.at < DELIVERY;
    const isLogout = record.principal !== null && status.principal === null;
    const isOfBefore = sameHash(record.secretHash, status.replaced);
    return isRecent && isOfBefore && !isLogout ? { kind: 'endable' } : { kind: 'dead', isRecent };
  }

  async insert(draft: SessionDraft, delivery: Delivery): Promise<CommitOutcome> {
    const { lineage } = draft;
    await this.#moveLogin(draft);
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
      if (delivery.reach !== 'open' && draft.operations.every(({ isNote }) => isNote)) {
        draft.operations.length = 0;
        return unwritten(draft);
      }
      const before = decodeFacts(base.body);
      const [status] = await Promise.all([this.#statusOf(draft, base, before), this.#moveLogin(draft)]);
      if (draft.lineage !== lineage) return unwritten(draft);
      if (status.kind !== 'good')
        return giveWay(draft, successor(base, status)) ?? this.insert(draft, delivery);
      const write = this.#toPendingWrite(draft, delivery, before);
      if (write.isOver) {
        draft.retire('deadline-passed');
        return FORGET;
      }
      if (delivery.reach === 'gone') throw undeliverable({ ...delivery, obstacle: CLIENT_GONE });
      if (await this.#note(draft, status.entry, write, before))
        return draft.lineage === lineage ? finishWrite(draft, write, delivery) : unwritten(draft);
    }
    throw tooManyConflicts(MAX_ATTEMPTS);
  }

  /** Only the limit of sessions asks, which needs a list of them. */
  lostLogin(): null {
    return null;
  }

  extension(draft: SessionDraft): number | null {
    const { base, state } = draft;
    if (base === null || state.idleTimeout === null || state.isLocking || !draft.touches) return null;
    const now = this.settings.clock();
    const { idleTimeout } = state;
    const lifespan = { deadline: this.values.cap(state.deadline, now), idleTimeout };
    return extensionOf(lifespan, base.expiresAt, now, draft.now());
  }

  /** Seals the content unchanged, with a new expiry. */
  async extend(draft: SessionDraft, { reach }: Delivery): Promise<CommitOutcome> {
    const expiresAt = this.extension(draft);
    const { base } = draft;
    if (expiresAt === null || base === null || reach !== 'open') return unwritten(draft);
    const status = await this.revocations.statusOf(base, standsSince(draft.state));
    if (status.kind !== 'good' || draft.base !== base) return unwritten(draft);
    return this.#reseal(draft, { ...base, expiresAt });
  }

  /** Does nothing: a value cannot be removed while its request is handled. */
  async outlast(): Promise<void> {}

  end(record: SessionRecord): Promise<void> {
    return this.revocations.end(record);
  }

  /** The value of the session that stays is made anew, as begun after the revocation. The list need not be read again for that. */
  async endAll(principal: string, kept: SessionDraft | null): Promise<CommitOutcome> {
    const { before, deadUntil } = await this.revocations.endAll(principal);
    const { base } = kept ?? { base: null };
    if (kept === null || base === null) return KEEP;
    const state = decodeFacts(base.body);
    // One that an earlier call has ended meanwhile does not come back.
    if (standsSince(state) <= before) return KEEP;
    const secrets = newHistory(deadUntil + 1);
    kept.state.secrets = secrets;
    const record = { ...base, body: encodeBody({ ...state, secrets }, this.settings.codec) };
    const outcome = this.#reseal(kept, record);
    await this.revocations.stay(record).catch(() => undefined); // only its streams end then
    return outcome;
  }

  outdateLogins(): Promise<void> {
    return Promise.reject(unlisted());
  }

  revocationOf(principal: string): Promise<Revocation | null> {
    return this.revocations.revocationOf(principal);
  }

  /** Always ends the session: the server does not know of later writes, which only the client has. */
  async endUnchanged(record: SessionRecord): Promise<boolean> {
    await this.revocations.end(record);
    return true;
  }

  /** The list keeps no reasons. */
  endAs(record: SessionRecord): Promise<boolean> {
    return this.endUnchanged(record);
  }

  ofPrincipal(): Promise<SessionRecord[]> {
    return Promise.reject(unlisted());
  }

  get(): Promise<SessionRecord | null> {
    return Promise.reject(unlisted());
  }

  records(): AsyncIterable<SessionRecord> {
    throw unlisted();
  }

  /** The module sweeps the list. */
  async sweep(): Promise<number> {
    return 0;
  }

  /** Does nothing: an expired value needs no entry in the list. */
  endExpired(): Promise<boolean> {
    return Promise.resolve(true);
  }

  /**
   * Who is logged in stands in the body alone. A value that cannot be read opens nothing, and the list need not say so: other values of
   * the session may be good.
   */
  #found(record: SessionRecord, token: SessionToken): Finding {
    const parsed: ParsedToken = {
      token,
      id: record.id,
      secretHash: record.secretHash,
      realm: this.settings.name,
    };
    try {
      return {
        kind: 'found',
        record: { ...record, principal: ownerOf(decodeFacts(record.body)) },
        token: parsed,
      };
    } catch (error) {
      if (!(error instanceof UnreadableBody)) throw error;
      return error.newer
        ? { kind: 'found', record, token: parsed }
        : { kind: 'unknown', id: record.id, reason: 'corrupt' };
    }
  }

  /** Makes another value of the same session and secret. */
  #reseal(draft: SessionDraft, record: SessionRecord): CommitOutcome {
    const { id, secretHash } = record;
    const token = this.values.seal(record, this.settings.clock());
    draft.base = record;
    draft.token = { token, id, secretHash, realm: this.settings.name };
    const { base, origin } = draft;
    // A rollback returns to this value.
    if (origin?.base?.id === id) draft.origin = { ...origin, base, token: draft.token };
    return issueToken(draft.state, draft.token, this.settings);
  }

  /** Moves the instant of a login behind the last revocation of its principal, so that the revocation does not apply to it. */
  async #moveLogin(draft: SessionDraft): Promise<void> {
    const principal = ownerOf(draft.state);
    if (!draft.isLoggingIn || principal === null) return;
    const deadUntil = await this.revocations.deadUntil(principal);
    const { state } = draft;
    if (state.startedAt <= deadUntil) state.startedAt = deadUntil + 1;
  }

  async #statusOf(draft: SessionDraft, base: SessionRecord, before: SessionState): Promise<RevocationStatus> {
    const since = standsSince(before);
    if (hasLapsed(draft, base)) return ENDED;
    const uncertain = this.#uncertain.get(draft);
    if (uncertain?.id === base.id) {
      const renewed = { ...base, secretHash: uncertain.secretHash };
      const status = await this.revocations.statusOf(renewed, since);
      if (status.kind === 'good') return status;
    }
    return this.revocations.statusOf(base, since);
  }

  /** Makes the write known to the list, if it must. Returns `false` when another request was first. */
  #note(
    draft: SessionDraft,
    entry: SessionRecord | null,
    write: PendingWrite,
    before: Lifespan,
  ): Promise<boolean> | boolean {
    const { record, state, replacement } = write;
    if (replacement !== null) return this.#renew(draft, entry, write);
    const isLonger =
      record.principal === null && isShorter(before, state) && isUnusual(state, this.settings, write.at);
    return !isLonger || this.revocations.keep(entry, record, state.deadline);
  }

  async #renew(draft: SessionDraft, entry: SessionRecord | null, write: PendingWrite): Promise<boolean> {
    try {
      const done = await this.revocations.renew(entry, write.record, draft.base!);
      this.#uncertain.delete(draft);
      return done;
    } catch (error) {
      this.#uncertain.set(draft, write.token);
      if (!(await this.#isRenewed(write))) throw error;
      this.#uncertain.delete(draft);
      return true;
    }
  }

  /** Whether a renewal whose answer was lost has succeeded. */
  async #isRenewed({ record, state }: PendingWrite): Promise<boolean> {
    try {
      const status = await this.revocations.statusOf(record, standsSince(state));
      return status.kind === 'good' && status.entry !== null;
    } catch {
      return false;
    }
  }

  /**
   * @param before the limits of the session as it was read
   * @throws SessionTooLargeError, SessionError `SESSION_TOKEN_UNDELIVERABLE`, before anything is written or sent
   */
  #toPendingWrite(draft: SessionDraft, delivery: Delivery, before: Lifespan | null = null): PendingWrite {
    if (delivery.reach === 'never') throw undeliverable(delivery);
    const uncertain = this.#uncertain.get(draft);
    // `take` renews the token: of concurrent requests only one can renew it and get the value. So does an end that comes earlier: older values
    // have the later one.
    const isShortened = before !== null && isShorter(draft.state, before);
    const replacement = draft.replacement ?? (draft.has('take') || isShortened ? 'renew' : null);
    const renewed = uncertain?.id === draft.id ? uncertain : undefined;
    const write = toPendingWrite(draft, { replacement, renewed, hasHistory: false });
    const record = { ...write.record, expiresAt: this.values.cap(write.record.expiresAt, write.at) };
    const token = this.values.seal(record, write.at);
    const longest = Math.min(delivery.capacity, LONGEST_VALUE);
    if (token.length > longest)
      throw new SessionTooLargeError(largestPart(draft), token.length, longest, TOO_LARGE_ADVICE);
    return { ...write, record, token: { ...write.token, token }, tells: true };
  }
}

function unlisted(): SessionError {
  return new SessionError(
    'SESSION_OPTIONS_INVALID',
    'Sealed sessions cannot be listed, since only their clients have them: end them by id with SealedSessions.revoke(), or all of a principal with endAll(). To list sessions use a store: memory, SQL, Redis, files, or tiers of these.',
  );
}

const CLIENT_GONE =
  'it could not be sent, since the client has left or the response had begun; change the session before the first byte';

const TOO_LARGE_ADVICE =
  'Browsers drop larger cookies. Keep large data elsewhere and its id in the session, or keep sessions in a store.';

/** The session after a renewal by another request; `null` when it was ended. */
function successor(base: SessionRecord, status: RevocationStatus): SessionRecord | null {
  return status.kind === 'renewed' ? { ...base, principal: status.principal } : null;
}
