import { draftOf, type Session } from '../core/session';
import type { SessionManager } from '../core/session-manager';
import type { SessionRecord } from '../core/session-record';
import { SessionError } from '../core/session.errors';
import type { LoginEnd } from '../core/watched-login';

/** Aborts a signal when the login of a session ends, other than by a login of the request itself. */
export class EndedSignal {
  readonly #controller = new AbortController();
  /** The record that is watched; `undefined` before the first. */
  #watched: SessionRecord | null | undefined;
  #stop = (): void => {};

  /** @param isCommitting whether the request is about to change the session */
  constructor(
    private readonly manager: SessionManager,
    private readonly session: Session,
    private readonly isCommitting: () => boolean,
  ) {}

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Watches the session as it is now. Called at first, and after each commit of the request. */
  follow(): void {
    const { base } = draftOf(this.session);
    const before = this.#watched;
    if (before === base || this.signal.aborted) return;
    this.#stop();
    this.#watched = base;
    if (base === null && before) this.#abort('ended');
    else this.#stop = this.manager.watchEnd(this.session, (end) => this.#end(end));
  }

  /** Stops watching. The signal does not abort any more. */
  stop(): void {
    this.#stop();
  }

  /** While the request commits, the end may be its own change. Then {@link follow} looks again. */
  #end(end: LoginEnd): void {
    if (!this.isCommitting()) return this.#abort(end);
    this.#stop = () => {};
    this.#watched = undefined;
  }

  #abort(end: LoginEnd): void {
    this.#controller.abort(sessionEnded(end));
  }
}

/** The reason with which `ended()` aborts. */
function sessionEnded(end: LoginEnd): SessionError {
  const how = {
    ended: 'it was logged out, destroyed or revoked',
    expired: 'it has expired, or its idle timeout has locked it',
    'other-login': 'it goes on with another login, or with none',
  }[end];
  return new SessionError(
    'SESSION_ENDED',
    `The session of this request has ended: ${how}. Stop what it began.`,
  );
}
