import type { SessionCarrier } from './session-carrier';
import type { DraftContext } from './session-draft';
import { SessionDraft, type SessionWatcher } from './session-draft';
import type { CommitOutcome } from './commit-outcome';
import type { EmitSessionEvent } from './session-event';
import { isKeeping, type SessionKeeper, type SessionKeeping } from './session-keeper';
import type { SessionStore } from './session-store';
import { Session, draftOf } from './session';
import { StoredSessions } from './stored-sessions';

export interface SessionManagerOptions extends Omit<DraftContext, 'isToken'> {
  readonly store: SessionStore | SessionKeeping;
  /** What brings the tokens; a store does not care. */
  readonly carrier?: SessionCarrier;
  /** Largest body, in UTF-8 bytes. */
  readonly maxBytes: number;
  /** How long a store call may take, in milliseconds. */
  readonly storeTimeout: number;
  readonly emit: EmitSessionEvent;
}

/** Opens sessions and commits them. Between the two nobody talks to the store. */
export class SessionManager {
  readonly #context: DraftContext;
  readonly #keeper: SessionKeeper;

  constructor(options: SessionManagerOptions) {
    const { store } = options;
    const keeper = isKeeping(store) ? store.keeper(options) : new StoredSessions(store, options);
    this.#keeper = keeper;
    this.#context = { ...options, isToken: (value) => keeper.isToken(value) };
  }

  /**
   * The session that a token opens. What opens none gives an empty session, which costs nothing until it is written to;
   * what has not even the form of a token costs no store call either.
   * @throws SessionStoreError
   */
  async open(value: string | null): Promise<Session> {
    const draft = new SessionDraft(this.#context);
    if (value !== null) await this.#keeper.load(draft, value);
    return new Session(draft);
  }

  /** What the client has to be told when there is nothing to write, else `null`: then {@link write}. */
  settled(session: Session): CommitOutcome | null {
    const draft = draftOf(session);
    draft.noticeMutations();
    return this.#keeper.settled(draft);
  }

  /**
   * Writes what a session that is not {@link settled} remembered, and says what the client has to be told: with at most one write
   * for an existing session. It is unchanged afterwards.
   * @throws SessionStoreError, SessionTooLargeError, SessionValueError; `SESSION_CONFLICT` when others keep writing first
   */
  write(session: Session): Promise<CommitOutcome> {
    return this.#keeper.write(draftOf(session));
  }

  /** Both: nothing is written when nothing changed, and a second commit does nothing. */
  async commit(session: Session): Promise<CommitOutcome> {
    return this.settled(session) ?? this.write(session);
  }

  /** Forbids further changes, because the response has begun; or allows them again, because it was refused before it began. */
  seal(session: Session, sealed = true): void {
    draftOf(session).sealed = sealed;
  }

  /** Tells somebody of every change from now on, but for those in place. */
  watch(session: Session, watcher: SessionWatcher): void {
    draftOf(session).watcher = watcher;
  }

  /** Whether there is something of this session in the store, or something there that is to end with the next commit. */
  isStored(session: Session): boolean {
    const { base, ended } = draftOf(session);
    return base !== null || ended.length > 0;
  }

  /** No requests will come any more. The store stays open. */
  close(): void {
    this.#keeper.close();
  }

  /** A text that changes when somebody logs in or out, when the token is to be renewed, and when the session ends. */
  rightsOf(session: Session): string {
    const { lineage, renewals } = draftOf(session);
    return `${lineage}.${renewals}`;
  }
}
