import { newHandle } from '../core/login-states';
import type { StrategyActions } from './passport-instance';
import { NOT_BEGUN, SessionStates, type SessionStateOptions } from './session-states';

type Parameters = URLSearchParams | Record<string, string> | undefined;

/** What is used of the strategy of openid-client 6, once Passport has given it its actions. */
interface OpenIdStrategy extends StrategyActions {
  redirect(url: string, status?: number): void;
  authenticate(request: object, options: object): void;
  currentUrl(request: object): URL;
  shouldInitiateAuthRequest(request: object, currentUrl: URL, options: object): boolean;
  authorizationRequestParams(request: object, options: object): Parameters;
}

/** The strategy of openid-client, or a class that extends it. */
type StrategyClass = new (...args: never[]) => Pick<OpenIdStrategy, 'currentUrl'>;

/**
 * Returns the strategy of openid-client in a form that keeps state, nonce and verifier in the session, as {@link SessionStateStore} does, where
 * it would need `req.session`:
 *
 * ```ts
 * class LoginStrategy extends PassportStrategy(withSessionStates(Strategy, 'google'), 'google') {}
 * ```
 *
 * The provider must send the user back with the state in the query, as it does by default.
 * @param provider names the provider: see {@link SessionStateStore}
 * @throws SessionError `SESSION_OPTIONS_INVALID`
 */
export function withSessionStates<T extends StrategyClass>(
  Strategy: T,
  provider: string,
  options?: SessionStateOptions,
): T {
  const states = new SessionStates(provider, options);
  const Base = Strategy as unknown as new (...args: unknown[]) => OpenIdStrategy;

  class SessionStateStrategy extends Base {
    override authenticate(request: object, options: object): void {
      const url = this.currentUrl(request);
      const attempt = Object.create(this) as OpenIdStrategy;
      const proceed = (session: object): void =>
        super.authenticate.call(attempt, Object.create(request, { session: { value: session } }), options);
      const refuse = (error: unknown): void => this.error(error);
      if (!this.shouldInitiateAuthRequest(request, url, options)) {
        const [handle, ...others] = url.searchParams.getAll('state');
        states
          .take(request, others.length === 0 ? handle : null)
          .then((found) => (found === null ? this.fail(NOT_BEGUN, 403) : proceed(found.value as object)))
          .catch(refuse);
        return;
      }
      const session: Record<string, { readonly state: string }> = {};
      attempt.authorizationRequestParams = (...all) => {
        const params = new URLSearchParams(this.authorizationRequestParams(...all));
        params.set('state', newHandle());
        return params;
      };
      attempt.redirect = (...all) => {
        // For some providers the strategy sets a state of its own instead.
        const [begun] = Object.values(session);
        const kept = states.keep(request, session, begun!.state);
        kept.then(() => this.redirect(...all)).catch(refuse);
      };
      proceed(session);
    }
  }
  return SessionStateStrategy as unknown as T;
}
