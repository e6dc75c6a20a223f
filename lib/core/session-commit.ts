import { FORGET, KEEP, UNREACHED, unwritten, type CommitOutcome, type Delivery } from './commit-outcome';
import { noteEnd, refuseLogin, withhold } from './draft-undo';
import { dropVainRotation, hasLapsed } from './pending-write';
import { isUseDue } from './session-expiry';
import { isRotationDue, isSuccessorUnseen, withSuccessorSeen } from './secret-history';
import { LONGEST_LOGIN, loginOutdated, precedes, type CheckedLogin } from './principal-revocations';
import { SessionLimitKeeper, limitReached } from './session-limit';
import type { Session } from './session';
import type { SessionDraft } from './session-draft';
import { SessionMerger } from './session-merger';
import { unconfirmedOf, type Operation, type Unconfirmed } from './session-operation';
import { undeliverable, type SessionRepository } from './session-repository';
import type { SessionSettings } from './session-settings';
import { sameHash } from './session-token';
import { tooManyConflicts, type SessionError } from './session.errors';

/** Each failed attempt to end a merged session means that another request wrote to it. This many in a row indicate a fault. */
const MAX_ATTEMPTS = 10;

/** Shared, so that a commit with none of something creates no array for that. */
const NONE: readonly never[] = [];

/** The order of a commit, the same for stored and sealed sessions. */
export class SessionCommit {
  readonly #merger: SessionMerger;
  readonly #limit: SessionLimitKeeper;

  constructor(
    private readonly repository: SessionRepository,
    private readonly settings: SessionSettings,
    open: (token: string) => Promise<Session>,
  ) {
    this.#merger = new SessionMerger(repository, settings, open);
    this.#limit = new SessionLimitKeeper(repository, settings);
  }

  /** @throws SessionError `SESSION_TOKEN_UNDELIVERABLE`, having written nothing */
  write(draft: SessionDraft, given: Delivery): Promise<CommitOutcome> {
    const delivery = draft.isAdministered ? UNREACHED : given;
    const isLimited =
      this.settings.logins.limit !== null && draft.operations.some(({ isSignIn }) => isSignIn);
    return isLimited
      ? this.#limit.inTurn(draft, () => this.#write(draft, delivery))
      : this.#write(draft, delivery);
  }

  async #write(draft: SessionDraft, delivery: Delivery): Promise<CommitOutcome> {
    draft.commits++;
    try {
      const { base, status, replacement } = draft;
      const needsToken = status === 'changed' && (base === null || replacement !== null);
      if (needsToken && delivery.reach !== 'open') this.#withhold(draft, delivery);
      const login = unconfirmedOf(draft.operations, this.settings.logins.limit !== null);
      const refusal = login && (await this.#refusalOf(draft, login));
      if (refusal !== null) {
        refuseLogin(draft);
        throw refusal;
      }
      for (let attempt = 1; ; attempt++) {
        // First, because it may be refused, and nothing must have ended then.
        if (draft.merging.length > 0) await this.#merger.bringIn(draft);
        if (draft.ended.length > 0) await this.#removeEnded(draft);
        if (!draft.superseded || draft.destroyed) {
          const outcome = await this.#decide(draft, delivery);
          // Kept in case that something after it fails. An outcome of nothing takes no earlier one back.
          if (outcome.kind !== 'keep') draft.untold = outcome;
        }
        const hasOthers = draft.absorbed.length + draft.merging.length > 0;
        if (!hasOthers || (await this.#merger.endAbsorbed(draft))) break;
        if (attempt === MAX_ATTEMPTS) throw tooManyConflicts(MAX_ATTEMPTS);
      }
      // Again, because all sessions of the principal may have been ended before this one was there.
      if (draft.unconfirmed !== null) await this.#confirm(draft, draft.unconfirmed);
      // Those that were ended while the store was at work.
      if (draft.ended.length > 0) await this.#removeEnded(draft);
      const outcome = draft.untold;
      draft.untold = KEEP;
      const announcements = draft.announcements.length > 0 ? draft.announcements.splice(0) : NONE;
      for (const announcement of announcements)
        this.settings.emit({ ...announcement, id: announcement.id ?? draft.id });
      return draft.base === null && outcome.kind === 'issue' ? unwritten(draft) : outcome;
    } finally {
      draft.commits--;
    }
  }

  /**
   * Drops the changes that need a token, except a logout. When the client has left, the data of a stored session is saved all the same;
   * when no token can ever be told, the commit is refused.
   */
  #withhold(draft: SessionDraft, delivery: Delivery): void {
    const isLogout = draft.has('logout') && draft.base !== null;
    if (delivery.reach === 'never' && (!isLogout || draft.isLoggingIn)) throw undeliverable(delivery);
    const { id, principal } = draft.left?.base ?? draft.base ?? { id: null, principal: null };
    const isToldOf = draft.replacement !== null;
    if (isLogout) return draft.retire('logout');
    withhold(draft);
    if (isToldOf) draft.announcements.push({ type: 'rejected', id, principal, reason: 'undeliverable' });
  }

  /** Returns why the login of this request must not be written, or `null`. */
  async #refusalOf(draft: SessionDraft, { checked, isLimited }: Unconfirmed): Promise<SessionError | null> {
    if (checked !== null && (await this.#isOutdated(checked))) return loginOutdated();
    return isLimited && (await this.#limit.isFull(draft)) ? limitReached() : null;
  }

  /** Whether all sessions of the principal were ended since the credentials were checked, or may have been. */
  async #isOutdated(login: CheckedLogin): Promise<boolean> {
    const { principal, checkedAt } = login;
    if (checkedAt < this.settings.clock() - LONGEST_LOGIN) return true;
    const revocation = await this.repository.revocationOf(principal);
    if (revocation === null || !precedes(login, revocation)) return false;
    this.settings.emit({ type: 'rejected', principal, reason: 'revoked' });
    return true;
  }

  /** Ends a session that was written with a login that must not stay, or may have to go. Its token has not left the process. */
  async #confirm(draft: SessionDraft, { checked, isLimited }: Unconfirmed): Promise<void> {
    let refusal: unknown;
    try {
      if (checked !== null && (await this.#isOutdated(checked))) refusal = loginOutdated();
      else if (!isLimited || (await this.#limit.admits(draft))) return void (draft.unconfirmed = null);
      else refusal = limitReached();
    } catch (error) {
      refusal = error;
    }
    draft.retire('revoked');
    await this.#removeEnded(draft);
    throw refusal;
  }

  /** Writes the draft, or extends the session. */
  #decide(draft: SessionDraft, delivery: Delivery): Promise<CommitOutcome> | CommitOutcome {
    dropVainRotation(draft);
    for (const operation of dueOperations(draft, delivery)) {
      operation.apply(draft.state);
      draft.operations.push(operation);
    }
    const { base, status } = draft;
    const { repository } = this;
    if (status === 'changed')
      return base === null ? repository.insert(draft, delivery) : repository.update(draft, delivery);
    if (status === 'destroyed') return FORGET;
    return repository.extension(draft) === null ? unwritten(draft) : repository.extend(draft, delivery);
  }

  /** An end that fails stays for the next attempt. */
  async #removeEnded(draft: SessionDraft): Promise<void> {
    const { ended } = draft;
    for (let record = ended[0]; record !== undefined; record = ended[0]) {
      await this.repository.end(record);
      ended.shift();
      noteEnd(draft, record.id);
    }
  }
}

/** Returns the operations that each write includes, and that are worth a write by themselves: the notes about the session's secrets. */
export function dueOperations(draft: SessionDraft, delivery: Delivery): readonly Operation[] {
  const { base, token, state, settings } = draft;
  const { secrets } = state;
  const { rotateEvery, clock } = settings;
  const isUse = draft.touches && isUseDue(state, draft.notedAt, draft.now());
  if (base === null || token === null) return NONE;
  if (rotateEvery === null && secrets.former.length === 0 && !isUse) return NONE;
  if (hasLapsed(draft, base)) return NONE;
  // A token that was issued in this very request has not reached its client yet.
  const isCurrent = sameHash(token.secretHash, base.secretHash);
  const isProven = isCurrent && draft.isShown && token === draft.openedWith;
  const due: Operation[] = [];
  // The write notes the time.
  if (isUse) due.push({ kind: 'data', apply: () => {}, isNote: true });
  if (isProven && isSuccessorUnseen(secrets)) {
    const now = clock();
    due.push({
      kind: 'data',
      apply: (fresh) => {
        // Another request that has rotated further has noted it.
        if (fresh.secrets.issuedAt === secrets.issuedAt)
          fresh.secrets = withSuccessorSeen(fresh.secrets, now);
      },
    });
  }
  const isDue = isCurrent
    ? isProven && rotateEvery !== null && isRotationDue(secrets, rotateEvery, clock())
    : draft.isUnanswered;
  if (isDue && draft.replacement === null && delivery.reach === 'open')
    due.push({ kind: 'rotate', apply: () => {} });
  return due;
}
