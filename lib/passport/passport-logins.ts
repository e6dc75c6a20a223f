import { refuseLogin } from '../core/draft-undo';
import { draftOf } from '../core/session';
import type { SessionHandle } from '../requests/session-handle';
import type { SessionInstances } from '../requests/session-instance';
import { scopeOf } from '../requests/session-scope';
import { DEFAULT_SESSION } from '../requests/session.tokens';
import type { KeepOptions, PassportManager, PassportRequest, PassportStrategy } from './passport-instance';
import type { PassportSessionOptions } from './passport-sessions.options';
import { userKeeper, userOf } from './serialized-user';
import { settle } from './settle';

/** Logs users in and out through the sessions of one application, in the place of Passport's session manager and its strategy `session`. */
export class PassportLogins {
  /** The last login or logout of a session in its request. */
  readonly #turns = new WeakMap<SessionHandle, Promise<void>>();

  constructor(
    private readonly instances: SessionInstances,
    private readonly options: PassportSessionOptions,
  ) {}

  /** The present, by the clock of the sessions: epoch milliseconds. */
  now(): number {
    return this.instances.get(this.#name).clock();
  }

  /** @param checkedAt when a strategy began to check the credentials; `undefined` without one */
  manager(checkedAt?: number): PassportManager {
    return {
      logIn: (request, user, options, done) =>
        settle(this.#logIn(request, user, { ...options, checkedAt }), done),
      logOut: (request, options, done) => settle(this.#logOut(request, options), done),
    };
  }

  /** @param isRequired whether it fails without a login, instead of letting the request pass */
  strategy(isRequired: boolean): PassportStrategy {
    const find = (request: PassportRequest): Promise<unknown> => this.#user(request);
    return {
      authenticate(request) {
        const act = (user: unknown): void => {
          if (isRequired && user === null) return this.fail({ message: 'Log in first' }, 401);
          if (isRequired) return this.success(user);
          if (user !== null) request[request._userProperty ?? 'user'] = user;
          this.pass();
        };
        find(request)
          .then(act)
          .catch((error: unknown) => this.error(error));
      },
    };
  }

  get #name(): string {
    return this.options.name ?? DEFAULT_SESSION;
  }

  #handleOf(request: PassportRequest): SessionHandle {
    return scopeOf(request, this.instances).handle(this.#name);
  }

  /** Commits, because Passport calls back when the login is saved. */
  async #logIn(
    request: PassportRequest,
    user: unknown,
    { keepSessionInfo = false, checkedAt }: KeepOptions & { readonly checkedAt: number | undefined },
  ): Promise<void> {
    const { principal, login, serialize } = this.options;
    const input = await principal(user, request);
    const stored: unknown = await serialize?.(user, request);
    const options = await login?.(user, request);
    const given = { keepData: keepSessionInfo, ...(checkedAt !== undefined && { checkedAt }), ...options };
    const handle = this.#handleOf(request);
    await this.#inTurn(handle, async () => {
      const session = await handle.open();
      const keep = userKeeper(session, stored);
      session.login(input, given);
      if (serialize !== undefined) keep();
      try {
        await handle.commit();
      } catch (error) {
        // Passport tells that the login has failed. A later commit of this request must not do it all the same.
        const draft = draftOf(session);
        if (draft.isLoggingIn) refuseLogin(draft);
        throw error;
      }
    });
  }

  async #logOut(request: PassportRequest, { keepSessionInfo = false }: KeepOptions): Promise<void> {
    const handle = this.#handleOf(request);
    await this.#inTurn(handle, async () => {
      (await handle.open()).logout({ keepData: keepSessionInfo });
      await handle.commit();
    });
  }

  /** Of several logins and logouts of one request, each is saved, or taken back, before the next begins. */
  #inTurn(handle: SessionHandle, work: () => Promise<void>): Promise<void> {
    const before = this.#turns.get(handle) ?? Promise.resolve();
    const turn = before.then(work, work);
    this.#turns.set(handle, turn);
    return turn;
  }

  /** Returns the user of the session's login, or `null`. Ends the login of a user who exists no more. */
  async #user(request: PassportRequest): Promise<unknown> {
    const session = await this.#handleOf(request).open();
    const { principal } = session;
    if (principal === null) return null;
    const { deserialize } = this.options;
    if (deserialize === undefined) return principal;
    const user: unknown = await deserialize(principal, userOf(session), request);
    if (user) return user;
    session.logout();
    return null;
  }
}
