import { principalKey } from '../../core/principal';
import type { SessionDraft } from '../../core/session-draft';
import { lastSeenOf } from '../../core/session-expiry';
import type { SessionKeeperOptions } from '../../core/session-keeper';
import { OVERLAP } from '../../core/session-loader';
import type { SessionRecord } from '../../core/session-record';
import { UnreadableBody } from '../../core/session-body';
import type { SessionToken } from '../../core/session-token';
import type { Revocations, Standing } from './revocations';
import type { SealedValues } from './sealed-values';

/** Finds out whether a value opens a session. Two reads of the list at most, at the same time. */
export class SealedLoader {
  constructor(
    private readonly values: SealedValues,
    private readonly revocations: Revocations,
    private readonly options: SessionKeeperOptions,
  ) {}

  /** Fills the draft if the value opens a session, and leaves it empty if not. */
  async load(draft: SessionDraft, value: string): Promise<void> {
    const opening = this.values.open(value);
    switch (opening.kind) {
      case 'genuine':
        return this.#admit(draft, opening.record, value as SessionToken);
      case 'foreign':
        return;
      case 'forged':
      case 'corrupt':
        draft.discard = true;
        this.options.emit({ type: 'rejected', reason: opening.kind === 'forged' ? 'unknown' : 'corrupt' });
    }
  }

  async #admit(draft: SessionDraft, record: SessionRecord, token: SessionToken): Promise<void> {
    if (!this.#read(draft, record)) return;
    const { state } = draft;
    const { id, secretHash, expiresAt } = record;
    const base = { ...record, principal: state.principal && principalKey(state.principal) };
    if (this.options.clock() >= Math.min(expiresAt, state.deadline)) return this.#bury(draft, base);
    draft.base = base;
    draft.token = { token, id, secretHash };
    state.lastSeenAt = lastSeenOf(state, expiresAt, state.lastSeenAt);
    const standing = await this.revocations.standing(base, state.startedAt);
    if (standing.kind !== 'good') this.#refuse(draft, base, standing);
  }

  #read(draft: SessionDraft, record: SessionRecord): boolean {
    try {
      draft.adopt(record);
      return true;
    } catch (error) {
      if (!(error instanceof UnreadableBody)) throw error;
      const reason = error.newer ? 'newer-format' : 'corrupt';
      this.options.emit({ type: 'rejected', id: record.id, reason });
      draft.discard = !error.newer;
      return false;
    }
  }

  #bury(draft: SessionDraft, { id, principal }: SessionRecord): void {
    const { deadline } = draft.state;
    const reason = this.options.clock() >= deadline ? 'lifetime' : 'idle-timeout';
    draft.abandon();
    draft.discard = true;
    this.options.emit({ type: 'expired', id, principal, reason });
  }

  /** The client is not told to forget a stale token: the answer to the request that renewed it may be on its way. */
  #refuse(
    draft: SessionDraft,
    { id, principal }: SessionRecord,
    standing: Exclude<Standing, { kind: 'good' }>,
  ): void {
    draft.abandon();
    const isStale = standing.kind === 'renewed';
    draft.discard = !isStale;
    draft.superseded = isStale && this.options.clock() - standing.at < OVERLAP;
    this.options.emit({ type: 'rejected', id, principal, reason: isStale ? 'stale-token' : 'revoked' });
  }
}
