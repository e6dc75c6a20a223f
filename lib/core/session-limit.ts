import { setTimeout as pause } from 'node:timers/promises';
import { refuseLogin } from './draft-undo';
import { KeyedQueue } from './keyed-queue';
import type { LimitPolicy } from './login-settings';
import { principalKey, type Principal } from './principal';
import { PrincipalLogins } from './principal-logins';
import type { Rights } from './rights';
import { decodeFacts } from './session-body';
import type { SessionDraft } from './session-draft';
import type { LiveSession } from './session-info';
import type { SessionRecord } from './session-record';
import type { SessionRepository } from './session-repository';
import type { SessionSettings } from './session-settings';
import { sameHash, type SessionId } from './session-token';
import { SessionError, tooManyConflicts } from './session.errors';

/** Each round finds what changed during the previous one. This many indicate a fault. */
const MAX_ROUNDS = 10;

/** Maximum pauses of a login that waits for others, in milliseconds: the first one, and the limit of those that follow. */
const FIRST_PAUSE = 2;
const LONGEST_PAUSE = 20;

/** How long the others get: so many times what it took to read the sessions, since they need two calls, and at least this, in milliseconds. */
const READS_WAITED = 10;
const LEAST_WAIT = 200;

/** Maximum number of principals whose unfinished logins are remembered, and of each one's: while a store fails, each login adds one. */
const MAX_UNFINISHED = 1000;
const MAX_UNFINISHED_OF_EACH = 20;

/** How many sessions a principal may have. */
interface Allowance {
  readonly owner: string;
  readonly max: number;
}

/**
 * Keeps the limit of sessions of a principal without a lock. Each login first stores its session, then reads all sessions of the principal
 * and makes room, and only then is the client told its token. Of the tokens that clients have, the one whose login read last had all
 * others before it: so they are never more than the limit. The order decides only which of several concurrent logins stay. Meanwhile
 * a login changes its own place only, to a higher one, and it is ended in the place in which it was found: so they agree.
 */
export class SessionLimitKeeper {
  readonly #logins: PrincipalLogins;
  readonly #queue: KeyedQueue;
  readonly #allowances = new WeakMap<SessionDraft, Allowance>();
  /** Sessions of logins that failed, by principal. They may be stored although no client has their tokens, and would count. */
  readonly #unfinished = new Map<string, readonly SessionRecord[]>();

  constructor(
    private readonly repository: SessionRepository,
    private readonly settings: SessionSettings,
  ) {
    this.#logins = new PrincipalLogins(repository, settings);
    this.#queue = new KeyedQueue(settings.storeTimeout);
  }

  /**
   * Runs the commit of a login. Those of one principal in this process take turns: otherwise each of many concurrent ones would read the
   * sessions of all others. Asks the application for the limit first, so that nothing is written when that fails.
   * @throws SessionError `SESSION_OPTIONS_INVALID`; what the function of the application throws
   */
  async inTurn<T>(draft: SessionDraft, commit: () => Promise<T>): Promise<T> {
    if (draft.state.principal === null) return commit();
    draft.commits++;
    // A login before may have had other roles.
    this.#allowances.delete(draft);
    try {
      const { owner, max } = await this.#allowanceOf(draft, draft.state).catch((error: unknown) => {
        refuseLogin(draft);
        throw error;
      });
      return await (max === Infinity
        ? commit()
        : this.#queue.run(owner, () => this.#finishing(draft, owner, commit)));
    } finally {
      draft.commits--;
    }
  }

  /** Whether a login that is not written yet must be refused. Only the policy `refuse` does that. */
  async isFull(draft: SessionDraft): Promise<boolean> {
    const { state } = draft;
    if (this.#policy !== 'refuse' || state.principal === null || state.isPending) return false;
    const { owner, max } = await this.#allowanceOf(draft, state);
    if (max === Infinity) return false;
    const logins = await this.#logins.of(owner);
    return logins.filter(({ record }) => record.id !== draft.id).length >= max;
  }

  /** Makes room for the session of a login, which is written. Returns whether it may stay. */
  async admits(draft: SessionDraft): Promise<boolean> {
    if (draft.base === null) return true;
    const { id, body } = draft.base;
    const written = decodeFacts(body);
    if (written.principal === null || written.isPending) return true;
    const { owner, max } = await this.#allowanceOf(draft, written);
    if (max === Infinity) return true;
    return this.#policy === 'refuse' ? this.#outlasts(id, owner, max) : this.#trim(draft, owner, max);
  }

  get #policy(): LimitPolicy {
    return this.settings.logins.limit!.policy;
  }

  /** Ends the sessions that come after the first `max`, but for its own. Returns whether its own is one of the first. */
  async #trim(draft: SessionDraft, owner: string, max: number): Promise<boolean> {
    const own = draft.id;
    for (let round = 1; round <= MAX_ROUNDS; round++) {
      const logins = await this.#logins.of(owner);
      const position = this.#positionIn(logins, own);
      if (position < 0) {
        const absence = await this.#logins.absenceOf(own);
        if (absence === null) continue;
        return absence !== 'evicted';
      }
      if (position >= max && this.#isAhead(logins.slice(0, position))) {
        await this.#moveUp(draft, logins[position]!, logins[0]!);
        continue;
      }
      const beyond = logins.slice(max).filter(({ record }) => record.id !== own);
      const ends = await Promise.all(beyond.map((login) => this.#logins.evict(login)));
      if (position >= max) return false;
      if (ends.every(Boolean)) return true;
    }
    throw tooManyConflicts(MAX_ROUNDS);
  }

  /** Whether one of these logins began or was used at a time that is still to come: by another clock, or before ours was set back. */
  #isAhead(logins: readonly LiveSession[]): boolean {
    const now = this.settings.clock();
    return logins.some(({ state }) => Math.max(Math.floor(state.startedAt), state.lastSeenAt) > now);
  }

  /**
   * Gives a login the time after that of the first one. Those that read the list before do not end it for its former place, so that all
   * agree on who stays.
   */
  async #moveUp(draft: SessionDraft, own: LiveSession, first: LiveSession): Promise<void> {
    const key = Math.floor(this.#keyOf(first)) + 1;
    const startedAt = this.#policy === 'evict-oldest' ? key : key - this.settings.storeTimeout;
    const { base, state } = draft;
    const record = await this.#logins.move(own, startedAt);
    // When others have written in between, its next write joins what they wrote.
    if (draft.base !== base || record.version !== base!.version + 1) return;
    draft.base = record;
    state.startedAt = startedAt;
  }

  /**
   * Ends no session, since clients may have their tokens: its own is refused if it is not one of the first. If it is, waits for those after it
   * to be refused by their own logins. When one of them stays, because its client was told before, the last of the first is refused: each
   * waits for longer than those after it.
   */
  async #outlasts(own: SessionId, owner: string, max: number): Promise<boolean> {
    const began = performance.now();
    let patience = 0;
    for (let round = 0; ; round++) {
      const logins = await this.#logins.of(owner);
      const waited = performance.now() - began;
      patience ||= Math.max(LEAST_WAIT, READS_WAITED * waited);
      const position = this.#positionIn(logins, own);
      const absence = position < 0 ? await this.#logins.absenceOf(own) : null;
      if (absence !== null) return absence !== 'evicted';
      if (position >= 0 && logins.length <= max) return true;
      const isLast = waited > Math.min(patience * (max - position), this.settings.storeTimeout);
      if (position >= max || isLast) return false;
      await pause(Math.random() * Math.min(FIRST_PAUSE * 2 ** round, LONGEST_PAUSE));
    }
  }

  /** Sorts the logins by which stays first, and returns the position of one, or `-1`. */
  #positionIn(logins: LiveSession[], own: SessionId): number {
    logins.sort((a, b) => this.#keyOf(b) - this.#keyOf(a) || (a.record.id < b.record.id ? -1 : 1));
    return logins.findIndex(({ record }) => record.id === own);
  }

  /** A login counts as a use until its commit must be over, so that no use meanwhile changes the order of concurrent logins. */
  #keyOf({ state: { startedAt, lastSeenAt } }: LiveSession): number {
    if (this.#policy === 'refuse') return -startedAt;
    return this.#policy === 'evict-oldest'
      ? startedAt
      : Math.max(startedAt + this.settings.storeTimeout, lastSeenAt);
  }

  /** Commits a login. When that fails, the next login of the principal in this process ends what it may have stored. */
  async #finishing<T>(draft: SessionDraft, owner: string, commit: () => Promise<T>): Promise<T> {
    const unfinished = this.#unfinished.get(owner) ?? [];
    this.#unfinished.delete(owner);
    // This login replaces the token of its own session.
    const own = unfinished.filter(({ id }) => id === draft.id);
    const others = unfinished.filter(({ id }) => id !== draft.id);
    const ends = await Promise.allSettled(others.map((record) => this.#endLost(record)));
    this.#remember(
      owner,
      others.filter((_, index) => !(ends[index] as { value?: boolean }).value),
    );
    try {
      return await commit();
    } catch (error) {
      const lost = this.repository.lostLogin(draft) ?? [];
      this.#remember(
        owner,
        own.concat(lost, draft.ended).filter(({ principal }) => principal === owner),
      );
      throw error;
    }
  }

  /** Ends a session whose token no client has, unless it has another one by now. Returns `false` when it was written to meanwhile. */
  async #endLost({ id, secretHash }: SessionRecord): Promise<boolean> {
    const found = await this.repository.get(id);
    const isLost = found !== null && sameHash(found.secretHash, secretHash);
    return !isLost || this.repository.endAs(found, 'revoked');
  }

  #remember(owner: string, records: readonly SessionRecord[]): void {
    if (records.length === 0) return;
    const [oldest] = this.#unfinished.keys();
    if (this.#unfinished.size >= MAX_UNFINISHED && oldest !== undefined) this.#unfinished.delete(oldest);
    const all = [...(this.#unfinished.get(owner) ?? []), ...records];
    this.#unfinished.set(owner, all.slice(-MAX_UNFINISHED_OF_EACH));
  }

  /** Asks once for each commit of a login, and again only if it became one of another principal. */
  async #allowanceOf(draft: SessionDraft, { principal, actor }: Rights): Promise<Allowance> {
    const owner = actor?.principal ?? principal!;
    const known = this.#allowances.get(draft);
    if (known?.owner === principalKey(owner)) return known;
    const allowance = { owner: principalKey(owner), max: await this.#maxOf(owner) };
    this.#allowances.set(draft, allowance);
    return allowance;
  }

  async #maxOf(principal: Principal): Promise<number> {
    const max = await this.settings.logins.limit!.max(principal);
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
