import { DIRECT, type CommitOutcome, type Delivery } from './commit-outcome';
import { randomText } from './random-text';
import { SessionCommit } from './session-commit';
import type { SessionData, SessionKey } from './session-data';
import { SessionDraft, type SessionWatcher } from './session-draft';
import { SessionLoader } from './session-loader';
import {
  isRepositoryProvider,
  type SessionRepository,
  type SessionRepositoryProvider,
} from './session-repository';
import type { SessionSettings } from './session-settings';
import type { SessionStore } from './session-store';
import { getOwn } from './session-state';
import { Session, draftOf } from './session';
import { StoreClient } from './store-client';
import { StoredSessions } from './stored-sessions';

/** A value on its way out of a session. */
export interface Taking<T> {
  /** After the commit: the value, or `undefined` when another request got it. */
  value(): T | undefined;
  /** After a commit that failed. */
  cancel(): void;
}

/**
 * Opens sessions and commits them; between the two nothing talks to the store. Requests do so by themselves. Inject it where there is no
 * request, in jobs, scripts, and protocols of your own:
 *
 * ```ts
 * const session = await manager.open(token); // or null, for a client that has none
 * session.set('theme', 'dark');
 * const outcome = await manager.commit(session); // { kind: 'keep' | 'issue' | 'forget', … }: what to tell the client
 * ```
 */
export class SessionManager {
  readonly #repository: SessionRepository;
  readonly #loader: SessionLoader;
  readonly #commit: SessionCommit;
  readonly #isToken: (value: string) => boolean;

  constructor(
    store: SessionStore | SessionRepositoryProvider,
    readonly settings: SessionSettings,
  ) {
    this.#repository = isRepositoryProvider(store)
      ? store.repository(settings)
      : new StoredSessions(new StoreClient(store, settings.storeTimeout, settings.emit), settings);
    this.#loader = new SessionLoader(this.#repository, settings);
    this.#commit = new SessionCommit(this.#repository, settings);
    this.#isToken = (value) => this.#repository.isToken(value);
  }

  /**
   * The session that a token opens. A token that opens none gives an empty session, which costs nothing until it is written to;
   * a text that has not the form of a token costs no store call either.
   * @param token as the client sent it; `null` for a client that sent none
   * @throws SessionStoreError when the store fails or does not answer in time
   */
  async open(token: string | null): Promise<Session> {
    const session = await this.find(token);
    await this.complete(session);
    return session;
  }

  /**
   * Writes what a session remembered, and says what its client has to be told: with at most one write for an existing session, none when
   * nothing changed. A second commit does nothing. The session can be used and committed again.
   * @throws SessionStoreError; SessionTooLargeError; SessionValueError; SessionError `SESSION_CONFLICT` when others keep writing first,
   * `SESSION_EXPIRED` when it expired meanwhile, `SESSION_TOKEN_UNDELIVERABLE` where `delivery` says that no token can be told
   */
  async commit(session: Session, delivery: Delivery = DIRECT): Promise<CommitOutcome> {
    return this.settled(session, delivery) ?? this.write(session, delivery);
  }

  /**
   * Takes a value out of a session with its next commit: of any number of requests that do so at once, exactly one gets it. Call
   * `value()` after the commit, or `cancel()` when that has failed; the value may be lost then. `null` when the key is not set.
   */
  take<K extends SessionKey>(session: Session, key: K): Taking<SessionData[K]> | null {
    const draft = draftOf(session);
    if (!session.has(key)) return null;
    draft.noticeMutation(key);
    let taken: unknown;
    const { lineage } = draft;
    draft.record('take', (state) => {
      taken = getOwn(state.data, key);
      delete state.data[key];
      state.receipt = randomText(9);
    });
    return {
      // A login that lost to another one has gone on as another session, with a copy of the data.
      value: () =>
        draft.superseded || draft.lineage !== lineage ? undefined : (taken as SessionData[K] | undefined),
      cancel: () => {
        draft.drop('take');
        if (draft.base !== null) draft.adopt(draft.base);
      },
    };
  }

  /** The same as {@link open}, but for the content: {@link complete}. Enough to ask who is logged in. */
  async find(token: string | null, arrivedAt?: number): Promise<Session> {
    const draft = new SessionDraft(this.settings, this.#isToken, arrivedAt);
    if (token !== null) await this.#loader.load(draft, token);
    return new Session(draft);
  }

  /** Decodes the content of a session; `null` when that is done. */
  complete(session: Session): Promise<void> | null {
    return this.#loader.decode(draftOf(session));
  }

  /** What the client has to be told when there is nothing to write, else `null`: then {@link write}. */
  settled(session: Session, delivery: Delivery = DIRECT): CommitOutcome | null {
    const draft = draftOf(session);
    draft.noticeMutations();
    return this.#commit.settled(draft, delivery);
  }

  /** {@link commit} for a session that is not {@link settled}. */
  write(session: Session, delivery: Delivery = DIRECT): Promise<CommitOutcome> {
    return this.#commit.write(draftOf(session), delivery);
  }

  /** Forbids further changes, because the response has begun; or allows them again, because it was refused before it began. */
  seal(session: Session, sealed = true): void {
    draftOf(session).sealed = sealed;
  }

  /** Tells a watcher of every change from now on, but for those in place. */
  watch(session: Session, watcher: SessionWatcher): void {
    draftOf(session).watcher = watcher;
  }

  /** Whether something of this session is stored, or is to end with the next commit. */
  isStored(session: Session): boolean {
    const { base, ended } = draftOf(session);
    return base !== null || ended.length > 0;
  }

  /** No requests will come any more. The store stays open. */
  close(): void {
    this.#repository.close();
  }

  /** A text that changes when a principal logs in or out, when the token is to be renewed, and when the session ends. */
  rightsOf(session: Session): string {
    const { lineage, operations } = draftOf(session);
    return `${lineage}.${operations.filter(({ kind }) => !['data', 'lifespan', 'take'].includes(kind)).length}`;
  }
}
