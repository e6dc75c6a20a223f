import { administeredDraft } from './administered-draft';
import { UNREACHED } from './commit-outcome';
import { assertReason, type EndReason } from './ended-session';
import { endLatest } from './end-others';
import { toRoles, type Principal } from './principal';
import { openContent } from './checked-content';
import { UnreadableBody, isOfNewerRelease } from './session-body';
import { Session } from './session';
import type { SessionCommit } from './session-commit';
import type { SessionDraft } from './session-draft';
import { infoOf, liveSession, type LiveSession, type SessionInfo } from './session-info';
import type { SessionWatcher } from './session-operation';
import type { SessionRecord } from './session-record';
import type { SessionRepository } from './session-repository';
import type { SessionSettings } from './session-settings';
import type { SessionState } from './session-state';
import type { SessionId } from './session-token';
import { SessionError, tooManyConflicts } from './session.errors';
import { isSameLogin } from './watched-login';

/** Each attempt finds a session that another request wrote to since. */
const MAX_ATTEMPTS = 10;

/** Maximum number of expired records that one call removes. */
const SWEEP_BATCH = 200;

/** Lists and changes the sessions of all clients. `principal` is `realm:id` in all methods. */
export class SessionDirectory {
  readonly #repository: SessionRepository;
  readonly #settings: SessionSettings;
  readonly #commit: SessionCommit;

  constructor(repository: SessionRepository, settings: SessionSettings, commit: SessionCommit) {
    this.#repository = repository;
    this.#settings = settings;
    this.#commit = commit;
  }

  /** Returns the logins of a principal, the last used first. Pending ones are left out. */
  async list(principal: string, current: SessionId | null): Promise<SessionInfo[]> {
    const logins = await this.#loginsOf(principal);
    logins.sort((a, b) => b.state.lastSeenAt - a.state.lastSeenAt);
    return logins.map((login) => this.#infoOf(login, current));
  }

  /** Returns the number of logins of a principal. */
  async countOf(principal: string): Promise<number> {
    return (await this.#loginsOf(principal)).length;
  }

  /** Returns the number of sessions: reads all of them. */
  async count(): Promise<number> {
    let count = 0;
    for await (const record of this.#repository.records()) if (this.#liveOf(record) !== null) count++;
    return count;
  }

  /** Returns a session, or `null`. */
  async get(id: SessionId, current: SessionId | null): Promise<SessionInfo | null> {
    const record = await this.#repository.get(id);
    const live = record && this.#liveOf(record);
    return live && this.#infoOf(live, current);
  }

  /**
   * Ends a session. Returns `false` when there is none with this id, or it is not of the principal.
   * @param principal `undefined` for any
   */
  async end(id: SessionId, principal: string | undefined, reason: EndReason): Promise<boolean> {
    assertReason(reason);
    const isMeant = (found: SessionRecord): boolean =>
      principal === undefined || found.principal === principal;
    const ended = await this.#endAs(id, isMeant, reason);
    if (ended !== null) this.#settings.emit({ type: 'destroyed', id, principal: ended.principal, reason });
    return ended !== null;
  }

  /**
   * Changes the roles of every session of a principal, from its next request on. A login under way that checked its credentials before is
   * refused, since it may bring the former roles.
   */
  async setRoles(principal: string, roles: readonly string[]): Promise<number> {
    const given = toRoles(roles);
    await this.#repository.outdateLogins(principal);
    const changed = new Set<SessionId>();
    // Twice: for those that logged in meanwhile, and because a store that writes later has written when it lists.
    for (let round = 1; round <= 2; round++)
      for (const record of await this.#repository.ofPrincipal(principal))
        if (!changed.has(record.id) && (await this.#giveRoles(record, given))) changed.add(record.id);
    this.#settings.emit({ type: 'rolesChanged', principal });
    return changed.size;
  }

  /**
   * Yields every session. What the caller changes in one is committed when it asks for the next one, or stops. If the session
   * has logged in or out meanwhile, or begun or stopped to act as another principal, the changes are dropped, since they were meant for
   * what it was, and the session is yielded again.
   */
  async *all(): AsyncGenerator<Session, void, undefined> {
    for await (const record of this.#repository.records()) {
      let found: SessionRecord | null = record;
      for (let attempt = 1; found !== null; attempt++) {
        if (attempt > MAX_ATTEMPTS) throw tooManyConflicts(MAX_ATTEMPTS);
        const draft = this.#readableOf(found);
        if (draft === null) break;
        let isCommitted = false;
        try {
          yield new Session(draft);
        } finally {
          isCommitted = await this.#commitVisit(draft);
        }
        found = isCommitted ? null : await this.#repository.get(record.id);
      }
    }
  }

  /** Removes expired sessions that the store does not remove by itself, and returns their number. */
  async sweep(): Promise<number> {
    let total = 0;
    for (;;) {
      const removed = await this.#repository.sweep(SWEEP_BATCH);
      total += removed;
      if (removed < SWEEP_BATCH) return total;
    }
  }

  /** Changes the roles of a session. Ends one of a newer release, whose roles it cannot change. */
  async #giveRoles(record: SessionRecord, roles: readonly string[]): Promise<boolean> {
    const live = this.#liveOf(record);
    if (live === null) {
      if (this.#isSession(record)) await endLatest(this.#repository, record, 'revoked');
      return false;
    }
    // Its content stays encoded: also a session whose content cannot be read must not keep the former roles.
    const draft = administeredDraft(live, this.#settings);
    draft.record('data', (state) => giveRoles(state, roles));
    await this.#commit.write(draft, UNREACHED);
    return !draft.superseded;
  }

  async #loginsOf(principal: string): Promise<LiveSession[]> {
    const records = await this.#repository.ofPrincipal(principal);
    return records
      .map((record) => this.#liveOf(record))
      .filter((live) => live !== null && !live.state.isPending) as LiveSession[];
  }

  #liveOf(record: SessionRecord): LiveSession | null {
    return liveSession(record, this.#settings.clock());
  }

  /** Whether a record is that of a session that has not ended, also of one of a newer release, which ends like the others. */
  #isSession(record: SessionRecord): boolean {
    const isUnread = isOfNewerRelease(record.body) && record.expiresAt > this.#settings.clock();
    return isUnread || this.#liveOf(record) !== null;
  }

  #infoOf(live: LiveSession, current: SessionId | null): SessionInfo {
    return infoOf(live, current, this.#settings);
  }

  /** Returns `null` for a record that is no session, or cannot be read: its next request reports and ends it. */
  #readableOf(record: SessionRecord): SessionDraft | null {
    const live = this.#liveOf(record);
    if (live === null) return null;
    try {
      const draft = administeredDraft(live, this.#settings);
      openContent(live.state, this.#settings, draft);
      draft.isForLogin = true;
      return draft;
    } catch (error) {
      if (error instanceof UnreadableBody) return null;
      throw error;
    }
  }

  /** Commits what a loop has done to a session. Returns `false` when that was dropped. */
  async #commitVisit(draft: SessionDraft): Promise<boolean> {
    draft.watcher = LOOP_HAS_MOVED_ON;
    draft.noticeMutations();
    // Its data could be kept under a new token only.
    if (draft.has('logout') && !draft.isLoggingIn) draft.retire('logout');
    const { ended, status } = draft;
    if (status === 'unchanged' && ended.length === 0) return true;
    // Unlike in a request, only as it was found: the caller has not seen a login since. What comes after an end is refused below.
    if (status !== 'changed')
      for (const seen of ended.splice(0))
        if ((await this.#endAs(seen.id, (found) => isSameLogin(seen, found), 'revoked')) === null)
          return false;
    await this.#commit.write(draft, UNREACHED);
    return !draft.superseded;
  }

  /** Ends a session, and returns it; `null` when there is none with this id, or it is not the one that is meant. */
  async #endAs(
    id: SessionId,
    isMeant: (found: SessionRecord) => boolean,
    reason: EndReason,
  ): Promise<SessionRecord | null> {
    for (let attempt = 1; ; attempt++) {
      const record = await this.#repository.get(id);
      if (record === null || !this.#isSession(record) || !isMeant(record)) return null;
      // Without the reason then: who has a copy of its token must not keep it alive by writing to it.
      if (attempt > MAX_ATTEMPTS) await this.#repository.end(record);
      else if (!(await this.#repository.endAs(record, reason))) continue;
      return record;
    }
  }
}

/** Refuses changes that would not be committed any more. */
const LOOP_HAS_MOVED_ON: SessionWatcher = {
  changing: () => {
    throw new SessionError(
      'SESSION_RESPONSE_STARTED',
      'The loop over all sessions has gone on, so this session cannot change any more. Change it before the next one is asked for.',
    );
  },
};

/** Changes the roles of a session, and those that its former secrets keep for a while. */
function giveRoles(state: SessionState, roles: readonly string[]): void {
  const withRoles = (principal: Principal): Principal => Object.freeze({ ...principal, roles });
  const { actor, principal, secrets } = state;
  if (actor !== null) state.actor = { ...actor, principal: withRoles(actor.principal) };
  else if (principal !== null) state.principal = withRoles(principal);
  const former = secrets.former.map((each) => {
    const { rights } = each;
    if (rights === null || rights.principal === null) return each;
    return { ...each, rights: { ...rights, principal: withRoles(rights.principal) } };
  });
  state.secrets = { ...secrets, former };
}
