import { DIRECT, KEEP, unwritten, type CommitOutcome, type Delivery } from './commit-outcome';
import type { BoundLogin } from './bound-login';
import { issueToken } from './pending-write';
import { principalKey, toPrincipal, type PrincipalInput } from './principal';
import { assertReason, type EndReason } from './ended-session';
import { ownerOf } from './rights';
import { openContent } from './checked-content';
import { SessionCommit, dueOperations } from './session-commit';
import type { KeyOf, SessionData, SessionKey } from './session-data';
import { SessionDraft } from './session-draft';
import { rollBack } from './draft-undo';
import { SessionDirectory } from './session-directory';
import { SessionEnds } from './session-ends';
import { SessionLoader } from './session-loader';
import { timed } from './session-meter';
import type { SessionRecord } from './session-record';
import { isRepositoryProvider, isUndeliverable } from './session-repository';
import type { SessionRepository, SessionRepositoryProvider } from './session-repository';
import type { SessionSettings } from './session-settings';
import { getOwn } from './session-state';
import type { SessionStore } from './session-store';
import { sameHash } from './session-token';
import { Session, draftOf } from './session';
import { StoreClient } from './store-client';
import { contentOf, type StoredSession } from './stored-session';
import { StoredSessions } from './stored-sessions';
import { takeOut } from './taking';
import { watchedLoginOf, type LoginEnd } from './watched-login';

/**
 * Opens sessions and commits them. Between the two nothing talks to the store. Requests use it through `@Session()`; inject it in jobs,
 * scripts, and protocols of your own:
 *
 * ```ts
 * const session = await manager.open(token); // or null, for a client that has none
 * session.set('theme', 'dark');
 * const outcome = await manager.commit(session); // { kind: 'keep' | 'issue' | 'forget', … }: what the client must do
 * ```
 */
export class SessionManager {
  readonly #repository: SessionRepository;
  readonly #loader: SessionLoader;
  readonly #commit: SessionCommit;
  /** @internal The sessions of all clients, for `SessionRegistry`. */
  readonly directory: SessionDirectory;
  readonly #ends: SessionEnds;
  readonly #isToken = (value: string): boolean => this.#repository.isToken(value);

  /** @internal The module creates it: inject it. */
  constructor(
    store: SessionStore | SessionRepositoryProvider,
    /** @internal */
    readonly settings: SessionSettings,
  ) {
    this.#repository = isRepositoryProvider(store)
      ? store.repository(settings)
      : new StoredSessions(
          new StoreClient(store, settings.storeTimeout, settings.emit, settings.meter),
          settings,
        );
    this.#loader = new SessionLoader(this.#repository, settings);
    this.#ends = new SessionEnds(this.#repository.logins, settings.clock);
    this.#commit = new SessionCommit(this.#repository, settings, (token) => this.open(token));
    this.directory = new SessionDirectory(this.#repository, settings, this.#commit);
  }

  /**
   * Returns the session that a token opens. For a token that opens none, the session is empty and is stored only when it is changed. A text
   * that does not have the form of a token never reaches the store.
   * @param token as the client sent it; `null` for a client that sent none
   * @throws SessionStoreError when the store fails or does not answer in time
   */
  open(token: string | null): Promise<Session> {
    return this.find(token).then((session) => this.complete(session)?.then(() => session) ?? session);
  }

  /**
   * Writes the changes of a session, and returns what its client must do. Makes at most one write for an existing session, and none when
   * nothing changed. The session can be used and committed again.
   * @throws SessionStoreError; SessionTooLargeError; SessionValueError; SessionError `SESSION_CONFLICT` when other requests keep writing
   * first, `SESSION_EXPIRED` when it expired meanwhile, `SESSION_TOKEN_UNDELIVERABLE` when `delivery` cannot carry a new token
   */
  async commit(session: Session, delivery: Delivery = DIRECT): Promise<CommitOutcome> {
    return this.settled(session, delivery) ?? this.write(session, delivery);
  }

  /**
   * Takes a value out of a session: of any number of concurrent requests, exactly one gets it. Returns `undefined` when the key is not set
   * or another request got it. The value may be lost when the commit fails.
   * @param commit commits the session, and delivers the outcome
   * @throws what `commit` throws
   */
  async take<K extends SessionKey>(
    session: Session,
    key: KeyOf<K>,
    commit: () => Promise<unknown>,
  ): Promise<SessionData[K] | undefined> {
    if (!session.has(key)) return undefined;
    const taken = await takeOut(draftOf(session), (draft) => takeValue(draft, key), commit);
    return taken?.value as SessionData[K] | undefined;
  }

  /**
   * Ends every session of a principal, for example after a change of password, and makes the commit refuse logins under way whose
   * credentials were checked before: see `checkedAt` of `login`. Other logins under way may come after it.
   * @param options the reason, and a session that stays
   * @param commit commits `except`, and delivers the outcome. By default the next commit of that session returns it.
   * @throws SessionStoreError; SessionError `PRINCIPAL_INVALID`, `SESSION_OPTIONS_INVALID` when the store cannot find sessions by principal;
   * what `commit` throws, and then nothing has ended
   */
  async endAll(
    principal: Pick<PrincipalInput, 'id' | 'realm'>,
    { except, delivery, reason = 'revoked' }: EndAllOptions = {},
    commit: (session: Session) => Promise<unknown> = (session) => this.#commitUntold(session, delivery),
  ): Promise<void> {
    const key = principalKey(toPrincipal(principal));
    assertReason(reason);
    const kept = except === undefined ? null : await this.#isolated(except, key, commit);
    const outcome = await this.#repository.endAll(key, kept, reason);
    this.settings.emit({ type: 'destroyed', principal: key, reason });
    if (kept !== null && outcome.kind !== 'keep') kept.untold = outcome;
  }

  /** @internal Same as {@link open}, but leaves the content encoded until `complete`. Sufficient to ask who is logged in. */
  async find(token: string | null, arrivedAt?: number, touches = true, isDoubtful = false): Promise<Session> {
    const draft = new SessionDraft(this.settings, this.#isToken, arrivedAt);
    draft.touches = touches;
    draft.isDoubtful = isDoubtful;
    const loading =
      token === null ? null : this.#loader.load(draft, await this.#repository.find(token), token);
    if (loading !== null) await loading;
    if (draft.base === null) draft.begin();
    return new Session(draft);
  }

  /** @internal Same as `find`, for a session that was bound. It is empty when its login has ended. */
  async reopen(bound: BoundLogin, arrivedAt?: number, touches = true): Promise<Session> {
    const draft = new SessionDraft(this.settings, this.#isToken, arrivedAt);
    draft.touches = touches;
    await this.#loader.reload(draft, bound);
    if (draft.base === null) draft.begin();
    return new Session(draft);
  }

  /**
   * Forgets what was recorded since the last commit, and reads the session again. Returns `false` when it has ended, or this request has no right to
   * it any more.
   * @throws SessionStoreError; what `Session.rollback` throws
   */
  refresh(session: Session): Promise<boolean> {
    rollBack(draftOf(session));
    return this.#loader.refresh(draftOf(session));
  }

  /** @internal Decodes the content of a session. Returns `null` when it is done. */
  complete(session: Session): Promise<void> | null {
    const draft = draftOf(session);
    try {
      openContent(draft.state, this.settings, draft);
      return null;
    } catch (error) {
      return this.#loader.dropUnreadable(draft, draft.base!, error, true);
    }
  }

  /** @internal Returns the outcome when there is nothing to write, else `null`: then call `write`. */
  settled(session: Session, delivery: Delivery = DIRECT): CommitOutcome | null {
    const draft = draftOf(session);
    draft.noticeMutations();
    if (draft.settled !== null) return draft.settled;
    if (draft.ended.length > 0 || draft.untold.kind !== 'keep') return null;
    if (draft.superseded) return KEEP;
    if (draft.absorbed.length > 0 || draft.status === 'changed') return null;
    if (this.#repository.extension(draft) !== null) return null;
    const { secrets, isLocking } = draft.state;
    const mayBeDue = this.settings.rotateEvery !== null || secrets.former.length > 0 || isLocking;
    if (mayBeDue && dueOperations(draft, delivery).length > 0) return null;
    return (draft.settled = unwritten(draft));
  }

  /** @internal {@link commit} for a session that is not `settled`. */
  write(session: Session, delivery: Delivery = DIRECT): Promise<CommitOutcome> {
    const { meter } = this.settings;
    const run = (): Promise<CommitOutcome> => this.#commit.write(draftOf(session), delivery);
    if (meter === undefined) return run();
    const report = (duration: number, error?: unknown): void => meter.commit(duration, error);
    return timed(run, (duration) => report(duration), report);
  }

  /**
   * Returns the content of a stored session, as `findByPrincipal` and `records` of a store yield them: for lists and support tools. Changes
   * nothing, and is no use of the session. Its `principal` is logged in unless `isPending` or `isLocked`.
   * @throws SessionError `SESSION_RECORD_UNREADABLE`
   */
  read(record: SessionRecord): StoredSession {
    return contentOf(record, this.settings);
  }

  /**
   * Calls `onEnd` once, when the login of a session ends, within a second: in any process, by a logout or another login, by a revocation,
   * or by expiry. A rotation is no end. Watches the session as this request last read or wrote it; one that is not stored has no end.
   * `onEnd` must not throw. While anything is watched, a store on Redis or PostgreSQL has a connection open for it.
   * @returns a function that stops watching. Call it when the end is of no interest any more.
   */
  watchEnd(session: Session, onEnd: (end: LoginEnd) => void): () => void {
    const { base } = draftOf(session);
    return base === null ? () => {} : this.#ends.watch(watchedLoginOf(base, this.settings.clock()), onEnd);
  }

  /** @internal The same for a session that was bound. */
  watchBound({ login }: BoundLogin, onEnd: (end: LoginEnd) => void): () => void {
    return this.#ends.watch(login, onEnd);
  }

  /** @internal Returns the outcome that tells the client the token with which it opened a session once more, unless a newer one has replaced it. */
  tell(session: Session): CommitOutcome {
    const { state, token } = draftOf(session);
    return token !== null && this.isCurrent(session) ? issueToken(state, token, this.settings) : KEEP;
  }

  /** Whether this request has the present token of a session, as far as it knows. */
  isCurrent(session: Session): boolean {
    const { base, token, superseded } = draftOf(session);
    if (base === null || token === null || superseded) return false;
    return sameHash(base.secretHash, token.secretHash);
  }

  /** @internal Called when no more requests come. The store stays open. */
  close(): void {
    this.#ends.close();
    this.#repository.close();
  }

  /** Commits a session of a principal under a token that no other request has. Returns `null` when it is not of the principal, or has none. */
  async #isolated(
    session: Session,
    principal: string,
    commit: (session: Session) => Promise<unknown>,
  ): Promise<SessionDraft | null> {
    const draft = draftOf(session);
    const isOfPrincipal = (): boolean => ownerOf(draft.rights ?? draft.state) === principal;
    if (!isOfPrincipal()) return null;
    draft.assertWritable();
    if (draft.rights === null) draft.record('isolate', () => {});
    try {
      await commit(session);
    } catch (error) {
      draft.drop('isolate');
      if (!isUndeliverable(error)) throw error;
    }
    return this.isCurrent(session) && isIssuedNow(draft) && isOfPrincipal() ? draft : null;
  }

  /** Commits, and leaves it to the next commit to return the outcome. */
  async #commitUntold(session: Session, delivery?: Delivery): Promise<void> {
    const outcome = await this.commit(session, delivery);
    if (outcome.kind !== 'keep') draftOf(session).untold = outcome;
  }
}

/** Options of `SessionManager.endAll`. */
export interface EndAllOptions {
  /**
   * A session that stays, if it is one of that principal. It is committed first, with a new token. It ends with the others if another request has
   * replaced its token meanwhile, or the new one cannot be delivered. @default none
   */
  readonly except?: Session;
  /** How a new token of that session reaches its client, as in `commit`. @default the caller passes it on */
  readonly delivery?: Delivery;
  /** What the clients of the ended sessions are told (`session.endedBecause`) and the event: at most 100 characters. @default 'revoked' */
  readonly reason?: EndReason;
}

/** Whether the present token was issued in this request, and so no other client has it. */
function isIssuedNow({ token, openedWith }: SessionDraft): boolean {
  return token !== null && (openedWith === null || !sameHash(token.secretHash, openedWith.secretHash));
}

/** Records that a value is taken out. */
function takeValue(draft: SessionDraft, key: string): () => { readonly value: unknown } {
  draft.noticeMutation(key);
  let value: unknown;
  draft.record('take', (state) => {
    value = getOwn(state.data, key);
    delete state.data[key];
  });
  return () => ({ value });
}
