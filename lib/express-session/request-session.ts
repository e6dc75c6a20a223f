import { draftOf, type Session } from '../core/session';
import { SessionError } from '../core/session.errors';
import type { SessionHandle } from '../requests/session-handle';
import { SessionCookie } from './session-cookie';
import { SessionProperties } from './session-properties';

/**
 * Called when a method is done.
 * @inline
 */
export type Done = (error?: unknown) => void;

/** The request of Express or Fastify that has a session as a property. */
export interface SessionRequest {
  session?: unknown;
  sessionID?: unknown;
  sessionStore?: unknown;
}

/** What a session as a property of a request needs. */
export interface RequestUse {
  readonly request: SessionRequest;
  readonly handle: SessionHandle;
  readonly session: Session;
  /** Whether the session is destroyed when the application removes the property. */
  readonly isDestroyedWhenUnset: boolean;
}

type NewRequestSession = new (use: RequestUse) => RequestSession;

/**
 * `req.session`, as middleware made for express-session expects it: the data of the session as own properties, read when it is committed, and
 * methods, which take a callback or return a promise.
 */
export class RequestSession {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the data is the application's
  [key: string]: any;
  readonly #use: RequestUse;
  /** Its class. Application code may set a property `constructor`. */
  readonly #kind: NewRequestSession;
  readonly #properties: SessionProperties;
  readonly #cookie: SessionCookie;
  /** The id that it had, once another object has taken its place. */
  #formerId: string | null = null;

  /**
   * @internal Whether it is that of another application, such as one around this one, whose logins must not count here. What was changed in it so far stays recorded.
   * @param handles those of the request in this application
   */
  static isForeign(session: unknown, handles: readonly SessionHandle[]): boolean {
    if (typeof session !== 'object' || session === null || !(#use in session)) return false;
    if (handles.includes(session.#use.handle)) return false;
    session.#properties.pull();
    return true;
  }

  /** @internal Middleware creates it. */
  constructor(use: RequestUse) {
    const { request, session, handle } = use;
    this.#use = use;
    this.#kind = new.target;
    const applyCookie = (): void => this.#cookie.apply();
    this.#properties = new SessionProperties(session, this, () => this.#isInUse(), applyCookie);
    this.#cookie = new SessionCookie(session, handle.instance.clock, () =>
      this.#properties.reportLate(['cookie']),
    );
    request.session = this;
  }

  /** The public id of the session. It is no secret, and no token. */
  get id(): string {
    return this.#formerId ?? this.#use.session.id;
  }

  /** The lifetime of the session in the client. Its name and attributes are options of the module, and are not told here. */
  get cookie(): SessionCookie {
    return this.#cookie;
  }

  /**
   * Commits now instead of before the response begins. A session without data is not stored. After the first byte of the response it saves
   * changes of a session that is stored.
   * @throws SessionError `SESSION_RESPONSE_STARTED` for one that is not
   */
  save(done: Done): this;
  save(): Promise<void>;
  save(done?: Done): this | Promise<void> {
    return settle(
      this,
      async () => {
        const { handle } = this.#current();
        this.#properties.save();
        await handle.attempt();
        // Another request may have changed the rest.
        this.#properties.pull();
      },
      done,
    );
  }

  /**
   * Ends the session, and a login with it, and goes on with an empty one, which has another id and a new token. `req.session` is another object then.
   * A list of names before the callback, or alone, tells which properties the new session has too.
   */
  regenerate(done: Done): this;
  regenerate(kept: readonly string[], done: Done): this;
  regenerate(kept?: readonly string[]): Promise<void>;
  regenerate(keptOrDone?: readonly string[] | Done, done?: Done): this | Promise<void> {
    const [kept, called] = typeof keptOrDone === 'function' ? [[], keptOrDone] : [keptOrDone ?? [], done];
    return settle(
      this,
      async () => {
        const { session, handle } = this.#current();
        this.#begin(kept);
        // No answer comes that would do it.
        if (draftOf(session).sealed) await handle.attempt();
      },
      called,
    );
  }

  /** Ends the session for good, also after the first byte of the response. `req.session` is `undefined` then. */
  destroy(done: Done): this;
  destroy(): Promise<void>;
  destroy(done?: Done): this | Promise<void> {
    return settle(
      this,
      async () => {
        const { session, request, handle } = this.#current();
        endLate(session, () => session.destroy());
        this.#leave();
        delete request.session;
        await handle.attempt();
      },
      done,
    );
  }

  /** Forgets what was changed since the last commit, and reads the session again. `req.session` is another object then. */
  reload(done: Done): this;
  reload(): Promise<void>;
  reload(done?: Done): this | Promise<void> {
    return settle(
      this,
      async () => {
        // Also one that regenerate() has ended, although no commit has done that yet: its callback has told it.
        if (this.#current().session.isNew) throw notStored();
        this.#properties.detach();
        try {
          await this.#refresh();
        } catch (error) {
          if (this.#formerId === null) this.#properties.attach();
          throw error;
        }
        // It may have been replaced, or destroyed, while the store was at work.
        this.#current();
        this.#replace();
      },
      done,
    );
  }

  /** Does nothing: a request that uses a session prolongs it. */
  touch(): this {
    return this;
  }

  /** Lets the time that `cookie.maxAge` was set to begin anew. */
  resetMaxAge(): this {
    const { cookie } = this;
    if (cookie.originalMaxAge !== null) cookie.maxAge = cookie.originalMaxAge;
    return this;
  }

  async #refresh(): Promise<void> {
    const { session, handle } = this.#current();
    if (!(await handle.translating(handle.instance.manager.refresh(session)))) throw notStored();
  }

  /** Goes on with an empty session that has some of the properties. */
  #begin(kept: readonly string[]): void {
    const { session } = this.#current();
    const values = kept.filter((key) => Object.hasOwn(this, key)).map((key) => [key, this[key]] as const);
    const { id } = this;
    endLate(session, () => {
      draftOf(session).assertWritable();
      this.#properties.detach();
      session.logout();
    });
    this.#formerId = id;
    Object.assign(this.#replace(), Object.fromEntries(values));
  }

  #current(): RequestUse {
    if (this.#formerId === null) return this.#use;
    const message = 'This req.session was replaced or destroyed: use the present req.session.';
    throw new SessionError('SESSION_DESTROYED', message);
  }

  /** Whether the request still has this session. When the application has removed it, nothing more is saved. */
  #isInUse(): boolean {
    const { request, session, isDestroyedWhenUnset } = this.#use;
    if (request.session === this) return true;
    const isUnset = request.session === undefined || request.session === null;
    if (isUnset && isDestroyedWhenUnset && !draftOf(session).sealed) session.destroy();
    return false;
  }

  #leave(): void {
    this.#formerId = this.id;
    this.#properties.detach();
  }

  #replace(): RequestSession {
    this.#formerId ??= this.id;
    return new this.#kind(this.#use);
  }
}

function notStored(): SessionError {
  return new SessionError('SESSION_ENDED', 'The session cannot be reloaded: it is not stored any more.');
}

/** Ends a session, also after the first byte of the response: many handlers answer first, and call `destroy()` then. */
function endLate(session: Session, end: () => void): void {
  const draft = draftOf(session);
  const { sealed } = draft;
  draft.sealed = false;
  try {
    end();
  } finally {
    draft.sealed = sealed;
  }
}

/** Calls back when the work is done, or returns its promise. */
function settle<T>(session: T, work: () => Promise<void>, done: Done | undefined): T | Promise<void> {
  const working = work();
  if (done === undefined) {
    // A caller may ignore the promise. The answer tries again, and tells of that.
    working.catch(() => {});
    return working;
  }
  working.then(
    () => process.nextTick(done),
    (error: unknown) => process.nextTick(done, error),
  );
  return session;
}
