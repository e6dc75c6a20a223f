import { isBoundTo, type BoundLogin } from './bound-login';
import { isLastSecret, reasonOfEnd } from './ended-session';
import { CURRENT, type Standing } from './secret-history';
import { UnreadableBody } from './session-body';
import type { SessionDraft } from './session-draft';
import type { SessionEventReason } from './session-event';
import { isIdle, isNearlyIdle, lastSeenOf } from './session-expiry';
import type { SessionRecord } from './session-record';
import type { Finding, Revoked, SessionRepository } from './session-repository';
import type { SessionSettings } from './session-settings';
import { join } from './session-replay';
import { sameHash, type SessionId } from './session-token';

/** How often an expired session is read again that could not be ended: a store may return a record that it lets no request change. */
const MAX_ATTEMPTS = 5;

/** Decides what a token opens: a session, or none, and why. */
export class SessionLoader {
  constructor(
    private readonly repository: SessionRepository,
    private readonly settings: SessionSettings,
  ) {}

  /** Fills the draft with what the token opens. Returns `null` when that is done: a store is asked only to end or to extend a session. */
  load(draft: SessionDraft, finding: Finding, value: string, attempt = 1): Promise<void> | null {
    if (finding.kind === 'unknown') {
      draft.endedBecause = 'unknown';
      this.#reject(finding.reason, finding.id === null ? {} : { id: finding.id });
    }
    if (finding.kind !== 'found') return null;
    const { record, token } = finding;
    try {
      draft.load(record, token);
    } catch (error) {
      const reason = reasonOfEnd(record);
      const isOwner = sameHash(token.secretHash, record.secretHash);
      if (reason === null) return this.dropUnreadable(draft, record, error, isOwner);
      // Without its secret an ended session is told like one that never was.
      draft.endedBecause = isLastSecret(record, token.secretHash) ? reason : 'unknown';
      this.#reject('revoked', { id: record.id });
      return null;
    }
    const standing = this.repository.standing(draft);
    const { state } = draft;
    const now = this.settings.clock();
    const isOver = draft.now(now) >= Math.min(record.expiresAt, state.deadline);
    const isEnding = draft.touches && isNearlyIdle(state, record.expiresAt, now);
    state.lastSeenAt = lastSeenOf(state, record.expiresAt, state.lastSeenAt);
    if (isIdle(state, draft.now(now))) Object.assign(draft, { isLocked: true, touches: false });
    if (standing === CURRENT && !isOver && !isEnding) return null;
    return (async () => {
      if (!(await this.#admit(draft, record, await standing))) return;
      if (isOver) await this.#expire(draft, record, value, attempt);
      else if (isEnding) await this.repository.outlast(draft);
    })();
  }

  /** Fills the draft with the session of a login that was bound earlier. It stays empty when that login has ended. */
  async reload(draft: SessionDraft, bound: BoundLogin): Promise<void> {
    const finding = await this.repository.reread(bound.token);
    if (finding.kind !== 'found' || !isBoundTo(bound, finding.record, draft.now())) return;
    await this.load(draft, finding, bound.token.token);
    draft.isShown = false;
  }

  /** Goes on from what the session is now. Returns `false` when it has ended, or the request has no right to it any more. */
  async refresh(draft: SessionDraft): Promise<boolean> {
    const { token, base, lineage } = draft;
    if (token === null || base === null) return false;
    const finding = await this.repository.reread(token);
    if (finding.kind !== 'found' || finding.record.id !== base.id) return false;
    // The request has ended it, or written to it, while the store was at work.
    if (draft.lineage !== lineage) return false;
    const { record } = finding;
    if (draft.base !== null && record.version < draft.base.version) return true;
    const isOver = record.expiresAt <= draft.now() || reasonOfEnd(record) !== null;
    if (isOver || !join(draft, record)) return false;
    draft.resume(draft.base);
    return true;
  }

  /** Whether a request may go on whose secret is not the present one. */
  async #admit(draft: SessionDraft, record: SessionRecord, standing: Standing | Revoked): Promise<boolean> {
    const { id, principal } = record;
    if (standing.kind === 'current') return true;
    if (standing.kind === 'usable') {
      draft.lent = standing.rights;
      draft.isUnanswered = standing.isUnanswered;
      return true;
    }
    draft.abandon();
    if (standing.kind === 'stolen' && !draft.isDoubtful) {
      if (!(await this.repository.endAs(record, 'stolen'))) await this.repository.end(record);
      this.settings.emit({ type: 'stolen', id, principal });
      draft.endedBecause = 'stolen';
      return false;
    }
    if (standing.kind === 'endable') draft.endable = record;
    draft.superseded = standing.kind === 'endable' || (standing.kind === 'dead' && standing.isRecent);
    const reason = standing.kind === 'revoked' ? 'revoked' : 'stale-token';
    // Also for a wrong secret: whether the session is there must not show. A request that came too late for its token is not told that.
    if (!draft.superseded) draft.endedBecause = reason === 'revoked' ? reason : 'unknown';
    this.#reject(reason, standing.kind === 'unknown' ? { id } : { id, principal });
    return false;
  }

  /** Ends a session that cannot be read, if the request has its secret. Leaves a record of a newer release alone. */
  async dropUnreadable(
    draft: SessionDraft,
    record: SessionRecord,
    error: unknown,
    isOwner: boolean,
  ): Promise<void> {
    if (!(error instanceof UnreadableBody)) throw error;
    draft.abandon();
    if (!isOwner) draft.endedBecause = 'unknown';
    this.#reject(error.newer ? 'newer-format' : 'corrupt', { id: record.id });
    if (isOwner && !error.newer) await this.repository.end(record);
  }

  /** Ends an expired session at once, so that a clock that steps back cannot revive it, unless an earlier request still writes to it. */
  async #expire(draft: SessionDraft, record: SessionRecord, value: string, attempt: number): Promise<void> {
    const reason = draft.now() >= draft.state.deadline ? 'lifetime' : 'idle-timeout';
    draft.abandon();
    const ended = await this.repository.endExpired(record);
    if (!ended && attempt < MAX_ATTEMPTS)
      return (await this.load(draft, await this.repository.find(value), value, attempt + 1)) ?? undefined;
    const { id, principal } = record;
    draft.endedBecause = reason;
    this.settings.emit({ type: 'expired', id, principal, reason });
  }

  #reject(reason: SessionEventReason, subject: { id?: SessionId; principal?: string | null }): void {
    this.settings.emit({ type: 'rejected', reason, ...subject });
  }
}
