import type { EndReason } from './core/ended-session';
import { principalKey, toPrincipal, type PrincipalInput } from './core/principal';
import type { Session } from './core/session';
import type { SessionDirectory } from './core/session-directory';
import type { SessionInfo } from './core/session-info';
import { isSessionId, type SessionId } from './core/session-token';
import { SessionError } from './core/session.errors';
import type { SessionHandle } from './requests/session-handle';
import type { SessionInstances } from './requests/session-instance';
import { currentHandle } from './requests/session-scope';

/** A principal by its id and realm. */
export type PrincipalRef = Pick<PrincipalInput, 'id' | 'realm'>;

/**
 * Lists the sessions of all clients, and ends or changes them: for "where you are logged in", for support, and for jobs. Inject it, or use
 * `sessions.registry`. It works in requests and outside them.
 *
 * When the store fails, every method rejects with `SessionStoreError`, and in a request with `SessionUnavailableException` (503). When the
 * store cannot do what a method needs, it rejects with `SessionError` `SESSION_OPTIONS_INVALID`: `list`, `count(principal)`, `endAll`,
 * `endOthers` and `setRoles` need a store that finds sessions by principal, `all` and `count()` one that enumerates them. Sealed sessions are
 * in no list: of these methods they have `endAll` and `endOthers`.
 */
export class SessionRegistry {
  readonly #name: string;
  readonly #instances: SessionInstances;

  /** @internal The module creates it: inject it. */
  constructor(name: string, instances: SessionInstances) {
    this.#name = name;
    this.#instances = instances;
  }

  /**
   * Returns the sessions to which a principal is logged in, the last used first. Reads the sessions of this principal only. Leaves out pending
   * logins.
   * @throws SessionError `PRINCIPAL_INVALID`
   */
  async list(principal: PrincipalRef): Promise<SessionInfo[]> {
    const key = keyOf(principal);
    return this.#run(async (directory) => directory.list(key, await this.#currentId()));
  }

  /** Returns the session with a public id, or `null`. Check its `principal` before you show it to a user. */
  async get(id: string): Promise<SessionInfo | null> {
    if (!isSessionId(id)) return null;
    return this.#run(async (directory) => directory.get(id, await this.#currentId()));
  }

  /**
   * Ends a session at once, for good. Returns `false` when no session has this id, or when it belongs to another principal than `principal`.
   * When a user asks, pass that user as `principal`: otherwise one user can end the session of another. After the end of the current session,
   * the changes of this request are dropped and its cookie stays, so that the next request is told the reason. To clear the cookie in this
   * answer use `session.destroy()`.
   * @param options the principal to whom it must belong, and the reason
   * @throws SessionError `PRINCIPAL_INVALID`, also for a `principal` that is `undefined`; `SESSION_CONFLICT`; `SESSION_OPTIONS_INVALID` for a
   * reason of more than 100 characters
   */
  async end(id: string, options: EndOne = {}): Promise<boolean> {
    const { principal, reason = 'revoked' } = options;
    // A principal that was looked up somewhere and is missing there must not pass for any.
    const key = 'principal' in options ? keyOf(principal!) : undefined;
    if (!isSessionId(id)) return false;
    return this.#run((directory) => directory.end(id, key, reason));
  }

  /**
   * Ends every other session of the principal that is logged in to the current one: "log out everywhere else". The current session is
   * committed first, with a new token: see `SessionService.endAll`.
   * @throws SessionError `SESSION_NOT_LOGGED_IN`, `SESSION_REQUEST_MISSING`; what a commit throws
   */
  async endOthers({ reason }: { readonly reason?: EndReason } = {}): Promise<void> {
    const handle = currentHandle(this.#instances, this.#name);
    const session = await handle.find();
    const principal = session.actor ?? session.principal;
    if (principal === null)
      throw new SessionError('SESSION_NOT_LOGGED_IN', 'endOthers() needs a login: call login() first.');
    await handle.endAll(principal, true, reason);
  }

  /** Ends every session of a principal: see `SessionService.endAll`, which this is. */
  async endAll(principal: PrincipalRef, options: EndAll = {}): Promise<void> {
    return endAll(this.#instances, this.#name, principal, options);
  }

  /**
   * Returns the number of sessions to which a principal is logged in. Without a principal, the number of all sessions, for which it reads every
   * one of them.
   */
  async count(principal?: PrincipalRef): Promise<number> {
    const key = principal === undefined ? null : keyOf(principal);
    return this.#run((directory) => (key === null ? directory.count() : directory.countOf(key)));
  }

  /**
   * Yields every session, those of visitors too, one after the other, without holding them all in memory. Each can be read, changed and
   * destroyed like that of a request. The change is committed when the loop asks for the next session, or ends, also by an error. The loop does
   * not count as a use of the sessions, so it extends none. When a session logs in or out meanwhile, also as the same principal, or begins or
   * stops to act as another one, the change is dropped and the session is yielded again, unless the loop has ended. What needs a new token,
   * such as a login, fails at the commit with `SESSION_TOKEN_UNDELIVERABLE`. Leaves out sessions that cannot be read.
   *
   * ```ts
   * for await (const session of registry.all()) if (session.get('theme') === 'old') session.delete('theme');
   * ```
   */
  all(): AsyncIterable<Session> {
    const handle = this.#handle();
    const sessions = this.#directory.all();
    return handle === null ? sessions : translated(sessions, handle);
  }

  /**
   * Changes the roles of a principal in all its sessions, pending logins included, from their next requests on, and returns the number of these
   * sessions. Change them in your own data first. A login under way whose credentials were checked before (`checkedAt`) is refused. A session in
   * which another principal acts as this one keeps the roles that `actAs` was given. After a failure some sessions may have changed: call it
   * again.
   * @throws SessionError `PRINCIPAL_INVALID`, `SESSION_CONFLICT`
   */
  async setRoles(principal: PrincipalRef, roles: readonly string[]): Promise<number> {
    const key = keyOf(principal);
    return this.#run((directory) => directory.setRoles(key, roles));
  }

  /** Removes expired sessions from the store now, besides the sweeps of `sweepEvery`, and returns their number. */
  async sweep(): Promise<number> {
    return this.#run((directory) => directory.sweep());
  }

  get #directory(): SessionDirectory {
    return this.#instances.get(this.#name).manager.directory;
  }

  /** In a request, a store's failure becomes the exception that its door answers with. */
  async #run<T>(work: (directory: SessionDirectory) => Promise<T>): Promise<T> {
    const handle = this.#handle();
    const result = work(this.#directory);
    return handle === null ? result : handle.translating(result);
  }

  #handle(): SessionHandle | null {
    return currentHandle(this.#instances, this.#name, true);
  }

  /** Loads the session of the current request, if there is a request. */
  async #currentId(): Promise<SessionId | null> {
    const session = await this.#handle()?.find();
    return session === undefined || session.isNew ? null : session.id;
  }
}

/** Options of `end`. */
export interface EndOne {
  /** To whom the session must belong. @default any */
  readonly principal?: PrincipalRef;
  /** What the client is told (`session.endedBecause`) and the event: at most 100 characters. @default 'revoked' */
  readonly reason?: EndReason;
}

/** Options of `endAll`. */
export interface EndAll {
  /** With `'current'`, the session of this request stays if it is one of them. */
  readonly except?: 'current';
  /** What the clients are told (`session.endedBecause`) and the event: at most 100 characters. @default 'revoked' */
  readonly reason?: EndReason;
}

/** See `SessionService.endAll`. */
export async function endAll(
  instances: SessionInstances,
  name: string,
  principal: PrincipalRef,
  { except, reason }: EndAll,
): Promise<void> {
  const handle = currentHandle(instances, name, except === undefined);
  if (handle !== null) return handle.endAll(principal, except === 'current', reason);
  return instances.get(name).manager.endAll(principal, reason === undefined ? {} : { reason });
}

async function* translated<T>(items: AsyncIterable<T>, handle: SessionHandle): AsyncGenerator<T> {
  try {
    yield* items;
  } catch (error) {
    await handle.translating(Promise.reject(error as Error));
  }
}

function keyOf(principal: PrincipalRef): string {
  return principalKey(toPrincipal(principal));
}
