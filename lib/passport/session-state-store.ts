import { NOT_BEGUN, SessionStates, type SessionStateOptions } from './session-states';
import { settle } from './settle';

/** @inline */
type Stored = (error: unknown, handle?: string) => void;
type Verified = (error: unknown, context?: unknown, state?: unknown) => void;

/** What is kept of a login that has begun. */
interface Begun {
  readonly context: unknown;
  readonly state: unknown;
}

/**
 * Keeps the OAuth state of passport-oauth2 (and of the strategies built on it) and of passport-openidconnect, with the verifier of PKCE and the
 * nonce, in the session: pass it as their option `store`. Of callbacks with one state exactly one succeeds. A session has at most ten states,
 * so that logins may begin in several tabs.
 */
export class SessionStateStore {
  readonly #states: SessionStates;

  /**
   * @param provider names the provider. Each strategy needs another name, so that no provider can send back the state of another one's login
   * @throws SessionError `SESSION_OPTIONS_INVALID`
   */
  constructor(provider: string, options?: SessionStateOptions) {
    this.#states = new SessionStates(provider, options);
  }

  /**
   * Called by a strategy before it sends the user to the provider. Commits the session. Strategies tell by the number of parameters, five, that
   * they may pass a context.
   * @param context the verifier of PKCE of passport-oauth2, the nonce and more of passport-openidconnect
   * @param state of the application, which the callback gets as `info.state`
   */
  store(request: object, context?: unknown, state?: unknown, _meta?: unknown, done?: Stored): void {
    settle(this.#states.keep(request, { context, state }), done!);
  }

  /** Called by a strategy when the user comes back, with what the provider sent as the state. Takes it out of the session. */
  verify(request: object, handle: unknown, done: unknown): void {
    const verified = done as Verified;
    settle(this.#verify(request, handle), (error, found) =>
      found === undefined ? verified(error) : verified(null, ...found),
    );
  }

  async #verify(request: object, handle: unknown): Promise<[context: unknown, state: unknown]> {
    const taken = await this.#states.take(request, handle);
    if (taken === null) return [false, NOT_BEGUN];
    const { context = true, state } = taken.value as Begun;
    return [restored(context), state];
  }
}

/** Some codecs read an instant as its text. With that, passport-openidconnect would take any `auth_time` for one within `maxAge`. */
function restored(context: unknown): unknown {
  const { issued } = Object(context) as { readonly issued?: Date | string };
  return issued === undefined ? context : { ...(context as object), issued: new Date(issued) };
}
