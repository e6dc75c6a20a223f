import { administeredDraft } from './administered-draft';
import { UNREACHED } from './commit-outcome';
import { endLatest } from './end-others';
import { reasonOfEnd } from './ended-session';
import { lapseOf, liveSession, type LiveSession } from './session-info';
import type { SessionRecord } from './session-record';
import type { SessionRepository } from './session-repository';
import type { SessionSettings } from './session-settings';
import type { SessionId } from './session-token';
import { tooManyConflicts } from './session.errors';

/** Each attempt finds an expired session that a request under way has extended since. This many in a row indicate a fault. */
const MAX_ATTEMPTS = 10;

/** The sessions to which a principal is logged in, as the limit counts them. `principal` is `realm:id`. */
export class PrincipalLogins {
  constructor(
    private readonly repository: SessionRepository,
    private readonly settings: SessionSettings,
  ) {}

  /**
   * Returns the logins. A pending one is none yet. Ends those that have expired: a request that arrived before the expiry could still extend
   * one that was not counted.
   * @throws SessionStoreError; SessionError `SESSION_CONFLICT`
   */
  async of(principal: string): Promise<LiveSession[]> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const now = this.settings.clock();
      const logins: LiveSession[] = [];
      const lapses: Promise<boolean>[] = [];
      for (const record of await this.repository.ofPrincipal(principal)) {
        const live = liveSession(record, now);
        if (live === null) lapses.push(this.#endLapsed(record, now));
        else if (!live.state.isPending) logins.push(live);
      }
      if ((await Promise.all(lapses)).every(Boolean)) return logins;
    }
    throw tooManyConflicts(MAX_ATTEMPTS);
  }

  /** Ends a session because of the limit. Returns `false`, and leaves it, when its login has got another time since it was read. */
  async evict({ record, state: { startedAt } }: LiveSession): Promise<boolean> {
    const isStill = (found: SessionRecord): boolean =>
      (liveSession(found, -Infinity)?.state.startedAt ?? startedAt) === startedAt;
    const end = await endLatest(this.repository, record, 'evicted', isStill);
    const { id, principal } = record;
    if (end === 'ended') this.settings.emit({ type: 'evicted', id, principal, reason: 'limit' });
    return end !== 'left';
  }

  /** Gives a login another time. Does nothing when its session has ended. Returns the record as it was last read or written. */
  async move(login: LiveSession, startedAt: number): Promise<SessionRecord> {
    const draft = administeredDraft(login, this.settings);
    draft.record('data', (state) => (state.startedAt = startedAt));
    await this.repository.update(draft, UNREACHED);
    return draft.base!;
  }

  /** Why a session is missing among the logins; `null` when it should be there. */
  async absenceOf(id: SessionId): Promise<'evicted' | 'over' | null> {
    const record = await this.repository.get(id);
    if (record === null) return 'over';
    const reason = reasonOfEnd(record);
    if (reason !== null) return reason === 'evicted' ? 'evicted' : 'over';
    const live = liveSession(record, this.settings.clock());
    return live === null || live.state.isPending || record.principal === null ? 'over' : null;
  }

  /** Returns whether the record is that of no session any more. A record of a later release is left alone. */
  async #endLapsed(record: SessionRecord, now: number): Promise<boolean> {
    const reason = lapseOf(record, now);
    if (reason === null) return true;
    const hasEnded = await this.repository.endAs(record, reason);
    const { id, principal } = record;
    if (hasEnded) this.settings.emit({ type: 'expired', id, principal, reason });
    return hasEnded;
  }
}
