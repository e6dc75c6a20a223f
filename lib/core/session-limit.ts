import { KeyedQueue } from './keyed-queue';
import type { LimitPolicy } from './login-settings';
import { ownerOf } from './rights';
import type { SessionDraft } from './session-draft';
import { liveSession, type LiveSession } from './session-info';
import type { SessionRecord } from './session-record';
import type { SessionRepository } from './session-repository';
import type { SessionSettings } from './session-settings';
import { SessionError, tooManyConflicts } from './session.errors';

/** Each round ends sessions that other requests wrote to during the previous one. This many indicate a fault. */
const MAX_ROUNDS = 10;

/** Returns the number by which the logins are sorted, in descending order. Those at the end are ended. */
const ORDER: Record<LimitPolicy, (login: LiveSession) => number> = {
  'evict-oldest': ({ state }) => state.startedAt,
  'evict-idle': ({ state }) => state.lastSeenAt,
  refuse: ({ state }) => -state.startedAt,
};

/**
 * Keeps the limit of sessions of a principal without a lock. Each login first stores its session, then ends the sessions beyond the limit, in
 * an order that is the same in every process, and only then is the client told its token. So the tokens that clients have never open more
 * sessions than the limit: the login whose client was told last has seen the sessions of all the others, and has ended those beyond the limit.
 */
export class SessionLimitKeeper {
  readonly #queue: KeyedQueue;

  constructor(
    private readonly repository: SessionRepository,
    private readonly settings: SessionSettings,
  ) {
    this.#queue = new KeyedQueue(settings.storeTimeout);
  }

  /** Whether a login that is not written yet must be refused. Only the policy `refuse` does that. */
  async isFull(draft: SessionDraft): Promise<boolean> {
    const { limit } = this.settings.logins;
    if (limit?.policy !== 'refuse' || draft.state.principal === null) return false;
    const max = await this.#maxOf(draft);
    const logins = await this.#loginsOf(ownerOf(draft.state)!);
    return logins.filter(({ record }) => record.id !== draft.id).length >= max;
  }

  /** Ends the sessions beyond the limit. Returns whether the session of this login, which is written, is not one of them. */
  async admits(draft: SessionDraft): Promise<boolean> {
    const owner = ownerOf(draft.state);
    if (owner === null) return true;
    const max = await this.#maxOf(draft);
    // Those of one process take turns: the first one leaves less to do for the others.
    return this.#queue.run(owner, () => this.#trim(draft.id, owner, max));
  }

  async #trim(own: string, owner: string, max: number): Promise<boolean> {
    const order = ORDER[this.settings.logins.limit!.policy];
    for (let round = 1; round <= MAX_ROUNDS; round++) {
      const logins = await this.#loginsOf(owner);
      logins.sort((a, b) => order(b) - order(a) || (a.record.id < b.record.id ? -1 : 1));
      const isOwn = ({ record }: LiveSession): boolean => record.id === own;
      const beyond = logins.slice(max).filter((login) => !isOwn(login));
      const ended = await Promise.all(beyond.map(({ record }) => this.#evict(record)));
      if (ended.every(Boolean)) return logins.slice(0, max).some(isOwn);
    }
    throw tooManyConflicts(MAX_ROUNDS);
  }

  async #evict(record: SessionRecord): Promise<boolean> {
    const hasEnded = await this.repository.endAs(record, 'evicted');
    const { id, principal } = record;
    if (hasEnded) this.settings.emit({ type: 'evicted', id, principal, reason: 'limit' });
    return hasEnded;
  }

  /** Returns the logins of a principal. A pending one is none yet. */
  async #loginsOf(owner: string): Promise<LiveSession[]> {
    const now = this.settings.clock();
    const logins: LiveSession[] = [];
    for (const record of await this.repository.ofPrincipal(owner)) {
      const live = liveSession(record, now);
      if (live !== null && !live.state.isPending) logins.push(live);
    }
    return logins;
  }

  async #maxOf({ state }: SessionDraft): Promise<number> {
    const max = await this.settings.logins.limit!.max(state.principal!);
    if (max === Infinity || (Number.isSafeInteger(max) && max >= 1)) return max;
    throw new SessionError(
      'SESSION_OPTIONS_INVALID',
      `maxSessionsPerPrincipal must return a whole number from 1, or Infinity for no limit, got ${String(max)}.`,
    );
  }
}

/** The error of a login that is refused because its principal has as many sessions as allowed. */
export function limitReached(): SessionError {
  const message =
    'The login was refused: its principal has as many sessions as maxSessionsPerPrincipal allows. End one of them first.';
  return new SessionError('SESSION_LIMIT_REACHED', message);
}
