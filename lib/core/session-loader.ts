import { CURRENT, type Standing } from './secret-history';
import { UnreadableBody } from './session-body';
import type { SessionDraft } from './session-draft';
import type { SessionEventReason } from './session-event';
import { lastSeenOf } from './session-expiry';
import type { SessionRecord } from './session-record';
import type { Revoked, SessionRepository } from './session-repository';
import type { SessionSettings } from './session-settings';
import type { SessionId } from './session-token';

/** How often an expired session is read again because it could not be ended: a store may show what it lets no request write to. */
const MAX_ATTEMPTS = 5;

/**
 * Finds out what a token opens: a session, or nothing because it is unknown, replaced, expired or unreadable. One read; it writes to end
 * what is over, and to keep alive what is about to end.
 */
export class SessionLoader {
  constructor(
    private readonly repository: SessionRepository,
    private readonly settings: SessionSettings,
  ) {}

  /** Fills the draft if the token opens a session, and leaves it empty if not. The content stays encoded: see {@link decode}. */
  async load(draft: SessionDraft, value: string, attempt = 1): Promise<void> {
    const finding = await this.repository.find(value);
    if (finding.kind === 'malformed') return;
    if (finding.kind === 'unknown') return this.#reject(finding.id, finding.reason);
    const { record, token } = finding;
    try {
      draft.load(record, token);
    } catch (error) {
      return this.#dropUnreadable(draft, record, error, token.secretHash === record.secretHash);
    }
    const standing = await this.repository.standing(draft);
    if (standing !== CURRENT && !(await this.#admit(draft, record, standing))) return;
    const { state } = draft;
    if (draft.now() >= Math.min(record.expiresAt, state.deadline))
      return this.#expire(draft, record, value, attempt);
    state.lastSeenAt = lastSeenOf(state, record.expiresAt, state.lastSeenAt);
    const outlasting = this.repository.outlast(draft);
    if (outlasting !== null) await outlasting;
  }

  /** Decodes the content of a loaded session; `null` when that is done. One that cannot be read is dropped, and the draft is empty then. */
  decode(draft: SessionDraft): Promise<void> | null {
    try {
      draft.decode();
      return null;
    } catch (error) {
      return this.#dropUnreadable(draft, draft.base!, error, true);
    }
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
    if (standing.kind === 'stolen') {
      await this.repository.end(id);
      this.settings.emit({ type: 'stolen', id, principal });
      return false;
    }
    if (standing.kind === 'endable') draft.endable = { id, principal };
    draft.superseded = standing.kind === 'endable' || (standing.kind === 'dead' && standing.isRecent);
    this.#reject(
      id,
      standing.kind === 'revoked' ? 'revoked' : 'stale-token',
      standing.kind === 'unknown' ? undefined : principal,
    );
    return false;
  }

  /** Ends a session that cannot be read, if the request has its secret. A record of a newer release is left alone. */
  async #dropUnreadable(
    draft: SessionDraft,
    { id }: SessionRecord,
    error: unknown,
    hasSecret: boolean,
  ): Promise<void> {
    if (!(error instanceof UnreadableBody)) throw error;
    draft.abandon();
    this.#reject(id, error.newer ? 'newer-format' : 'corrupt');
    if (hasSecret && !error.newer) await this.repository.end(id);
  }

  /** Ends an expired session at once, so that a clock stepping back cannot revive it, unless a request that began in time writes to it. */
  async #expire(draft: SessionDraft, record: SessionRecord, value: string, attempt: number): Promise<void> {
    const reason = draft.now() >= draft.state.deadline ? 'lifetime' : 'idle-timeout';
    draft.abandon();
    const ended = await this.repository.endExpired(record);
    if (!ended && attempt < MAX_ATTEMPTS) return this.load(draft, value, attempt + 1);
    const { id, principal } = record;
    this.settings.emit({ type: 'expired', id, principal, reason });
  }

  #reject(id: SessionId | null, reason: SessionEventReason, principal?: string | null): void {
    this.settings.emit({
      type: 'rejected',
      ...(id !== null && { id }),
      ...(principal !== undefined && { principal }),
      reason,
    });
  }
}
