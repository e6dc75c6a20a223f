import { assertReason, type EndReason } from './ended-session';
import { toRoles, type Principal } from './principal';
import { ownerOf } from './rights';
import { openContent } from './checked-content';
import { Session } from './session';
import type { SessionCommit } from './session-commit';
import { SessionDraft } from './session-draft';
import { infoOf, liveSession, type LiveSession, type SessionInfo } from './session-info';
import type { SessionRecord } from './session-record';
import type { SessionRepository } from './session-repository';
import type { SessionSettings } from './session-settings';
import type { SessionState } from './session-state';
import type { SessionId } from './session-token';
import { tooManyConflicts } from './session.errors';

/** Each attempt finds a session that another request wrote to since. This many in a row indicate a fault. */
const MAX_ATTEMPTS = 10;

/** Maximum number of expired records that one call removes. */
const SWEEP_BATCH = 200;

/** No answer of this request reaches the client of the session, so that it cannot get a new token. */
const UNREACHED = {
  reach: 'never',
  capacity: 0,
  obstacle: 'it is the session of another client; let that client log in',
} as const;

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

  /** Ends a session. Returns `false` when there is none with this id, or it is not of the principal. */
  async end(id: SessionId, principal: string | null, reason: EndReason): Promise<boolean> {
    assertReason(reason);
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const record = await this.#repository.get(id);
      if (record === null || this.#liveOf(record) === null) return false;
      if (principal !== null && record.principal !== principal) return false;
      if (!(await this.#repository.endAs(record, reason))) continue;
      this.#settings.emit({ type: 'destroyed', id, principal: record.principal, reason });
      return true;
    }
    throw tooManyConflicts(MAX_ATTEMPTS);
  }

  /**
   * Changes the roles of every session of a principal, from its next request on. A login under way that checked its credentials before is
   * refused, since it may bring the former roles.
   */
  async setRoles(principal: string, roles: readonly string[]): Promise<number> {
    const given = toRoles(roles);
    await this.#repository.outdateLogins(principal);
    const records = await this.#repository.ofPrincipal(principal);
    let changed = 0;
    for (const record of records) {
      const live = this.#liveOf(record);
      if (live === null) continue;
      const draft = this.#draftOf(live);
      draft.record('data', (state) => {
        if (ownerOf(state) === principal) giveRoles(state, given);
      });
      await this.#commit.write(draft, UNREACHED);
      changed++;
    }
    return changed;
  }

  /** Yields every session. What the caller changes in one is committed when it asks for the next one, or stops. */
  async *all(): AsyncGenerator<Session, void, undefined> {
    for await (const record of this.#repository.records()) {
      const live = this.#liveOf(record);
      if (live === null) continue;
      const draft = this.#draftOf(live);
      const session = new Session(draft);
      try {
        yield session;
      } finally {
        draft.noticeMutations();
        if (draft.status !== 'unchanged' || draft.ended.length > 0)
          await this.#commit.write(draft, UNREACHED);
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

  async #loginsOf(principal: string): Promise<LiveSession[]> {
    const records = await this.#repository.ofPrincipal(principal);
    return records
      .map((record) => this.#liveOf(record))
      .filter((live) => live !== null && !live.state.isPending) as LiveSession[];
  }

  #liveOf(record: SessionRecord): LiveSession | null {
    return liveSession(record, this.#settings.clock());
  }

  #infoOf(live: LiveSession, current: SessionId | null): SessionInfo {
    return infoOf(live, current, this.#settings);
  }

  #draftOf({ record, state }: LiveSession): SessionDraft {
    const draft = new SessionDraft(this.#settings, () => false);
    Object.assign(draft, { state, base: record, isAdministered: true, touches: false });
    openContent(state, this.#settings, draft);
    return draft;
  }
}

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
