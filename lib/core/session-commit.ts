import { FORGET, KEEP, unwritten, type CommitOutcome, type Delivery } from './commit-outcome';
import { isRotationDue, isSuccessorUnseen, withSuccessorSeen } from './secret-history';
import type { SessionDraft } from './session-draft';
import { SessionMerger } from './session-merger';
import { tooManyConflicts, undeliverable, type SessionRepository } from './session-repository';
import type { SessionSettings } from './session-settings';
import { sameHash } from './session-token';

/** Each failed attempt to end a merged session means that another request wrote to it; so many in a row mean that something is wrong. */
const MAX_ATTEMPTS = 10;

/** The order of a commit, wherever sessions are kept. */
export class SessionCommit {
  readonly #merger: SessionMerger;
  /** What clients were to be told when something after that failed. */
  readonly #untold = new WeakMap<SessionDraft, CommitOutcome>();

  constructor(
    private readonly repository: SessionRepository,
    private readonly settings: SessionSettings,
  ) {
    this.#merger = new SessionMerger(repository, settings);
  }

  /** The outcome for a draft with nothing to write, else `null`. */
  settled(draft: SessionDraft, delivery: Delivery): CommitOutcome | null {
    if (draft.settled !== null) return draft.settled;
    if (draft.ended.length > 0) return null;
    if (draft.superseded) return KEEP;
    if (draft.absorbed.length > 0 || draft.status === 'changed' || this.#isDue(draft, delivery)) return null;
    return (draft.settled = draft.discard ? FORGET : KEEP);
  }

  /** @throws SessionError `SESSION_TOKEN_UNDELIVERABLE`, having written nothing */
  async write(draft: SessionDraft, delivery: Delivery): Promise<CommitOutcome> {
    if (this.#needsNewToken(draft) && delivery.reach !== 'open') this.#withhold(draft, delivery);
    if (draft.ended.length > 0) await this.#removeEnded(draft);
    const outcome = laterOf(this.#untold.get(draft) ?? KEEP, await this.#decide(draft, delivery));
    if (outcome.kind !== 'keep') this.#untold.set(draft, outcome);
    const { ended, absorbed, merging } = draft;
    const isAlone = ended.length + absorbed.length + merging.length === 0;
    const last = isAlone ? outcome : await this.#endOthers(draft, outcome, delivery);
    if (last.kind !== 'keep') this.#untold.delete(draft);
    for (const { type, id, principal, reason } of draft.announcements.splice(0))
      this.settings.emit({ type, id: id ?? draft.id, principal, reason });
    return draft.base === null && last.kind === 'issue' ? unwritten(draft) : last;
  }

  /** Whether a draft without changes is worth a write. */
  #isDue(draft: SessionDraft, delivery: Delivery): boolean {
    const { base } = draft;
    if (base === null || base.expiresAt <= draft.now()) return false;
    const { former } = draft.state.secrets;
    return (
      this.repository.extension(draft) !== null ||
      (former.length > 0 && draft.token === draft.openedWith && isSuccessorUnseen(draft.state.secrets)) ||
      ((this.settings.rotateEvery !== null || draft.isUnanswered) && this.#isRotationDue(draft, delivery))
    );
  }

  /** A secret is rotated by a request that came with it; one that came with an older secret is given a new one if that is all its client has. */
  #isRotationDue(draft: SessionDraft, delivery: Delivery): boolean {
    const { base, token, state } = draft;
    const { rotateEvery, clock } = this.settings;
    if (base === null || token === null || draft.replacement !== null) return false;
    // A token that was issued in this very request has not reached its client yet.
    const isDue = sameHash(token.secretHash, base.secretHash)
      ? rotateEvery !== null &&
        token === draft.openedWith &&
        isRotationDue(state.secrets, rotateEvery, clock())
      : draft.isUnanswered;
    return isDue && delivery.reach === 'open';
  }

  #needsNewToken({ base, status, replacement }: SessionDraft): boolean {
    return status === 'changed' && (base === null || replacement !== null);
  }

  /**
   * What needs a token that cannot be told does not happen, but a logout does. The data of a session that is stored is saved all the same
   * when the client has left; where no token can ever be told, the request is refused.
   */
  #withhold(draft: SessionDraft, delivery: Delivery): void {
    const isLogout = draft.has('logout') && draft.base !== null;
    if (delivery.reach === 'never' && (!isLogout || draft.isLoggingIn)) throw undeliverable(delivery);
    const { id, principal } = draft.left?.base ?? draft.base ?? { id: null, principal: null };
    const isToldOf = draft.replacement !== null;
    if (isLogout) return draft.retire('logout');
    if (draft.left !== null) draft.returnTo(draft.left);
    else if (draft.base === null) draft.abandon();
    else {
      draft.drop('login', 'logout', 'elevate', 'renew', 'rotate');
      draft.forgetLogins();
      draft.adopt(draft.base);
    }
    if (isToldOf) draft.announcements.push({ type: 'rejected', id, principal, reason: 'undeliverable' });
  }

  async #decide(draft: SessionDraft, delivery: Delivery): Promise<CommitOutcome> {
    if (draft.destroyed) return FORGET;
    if (draft.merging.length > 0) await this.#merger.bringIn(draft);
    if (draft.superseded) return KEEP;
    this.#addDue(draft, delivery);
    if (draft.status === 'changed')
      return draft.base === null
        ? this.repository.insert(draft, delivery)
        : this.repository.update(draft, delivery);
    return this.repository.extension(draft) === null
      ? unwritten(draft)
      : this.repository.extend(draft, delivery);
  }

  /** Adds what goes along with a write, or is worth one. */
  #addDue(draft: SessionDraft, delivery: Delivery): void {
    const { base, token, state } = draft;
    if (base === null || token === null || base.expiresAt <= draft.now()) return;
    const isCurrent = sameHash(token.secretHash, base.secretHash);
    if (isCurrent && token === draft.openedWith && isSuccessorUnseen(state.secrets)) {
      const { issuedAt } = state.secrets;
      const now = this.settings.clock();
      draft.operations.push({
        kind: 'data',
        apply: (fresh) => {
          // Another request has rotated further, and noted it then.
          if (fresh.secrets.issuedAt === issuedAt) fresh.secrets = withSuccessorSeen(fresh.secrets, now);
        },
      });
      state.secrets = withSuccessorSeen(state.secrets, now);
    }
    draft.dropVainRotation();
    if (this.#isRotationDue(draft, delivery)) draft.operations.push({ kind: 'rotate', apply: () => {} });
  }

  /** The sessions that this one has taken the place of, or the data. */
  async #endOthers(draft: SessionDraft, outcome: CommitOutcome, delivery: Delivery): Promise<CommitOutcome> {
    let last = outcome;
    for (let attempt = 1; !(await this.#merger.endAbsorbed(draft)); attempt++) {
      if (attempt === MAX_ATTEMPTS) throw tooManyConflicts(MAX_ATTEMPTS);
      last = laterOf(last, await this.#decide(draft, delivery));
      if (last.kind !== 'keep') this.#untold.set(draft, last);
    }
    // What was ended while the store was at work.
    await this.#removeEnded(draft);
    return last;
  }

  /** What fails is still there for the next attempt. */
  async #removeEnded({ ended }: SessionDraft): Promise<void> {
    for (let id = ended[0]; id !== undefined; id = ended[0]) {
      await this.repository.end(id);
      ended.shift();
    }
  }
}

/** That there is nothing more to tell takes nothing back. */
function laterOf(before: CommitOutcome, after: CommitOutcome): CommitOutcome {
  return after.kind === 'keep' ? before : after;
}
