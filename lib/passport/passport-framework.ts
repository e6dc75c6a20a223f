import { SessionError } from '../core/session.errors';
import type { SessionInstances } from '../requests/session-instance';
import { peekScope } from '../requests/session-scope';
import type {
  AdaptablePassport,
  AuthenticateOptions,
  PassportFramework,
  PassportInstance,
  PassportManager,
  PassportRequest,
} from './passport-instance';
import type { PassportLogins } from './passport-logins';
import { promising } from './promising';
import { toNodeResponse } from './reply-as-response';

/** What middleware other than Passport adds to a request, for options of `authenticate`. */
const NEEDED = {
  failureMessage: 'session',
  successMessage: 'session',
  failureFlash: 'flash',
  successFlash: 'flash',
} as const;

/** The framework of each instance of Passport that is adapted. */
const adapted = new WeakMap<PassportInstance, SessionFramework>();

/**
 * Makes an instance of Passport log in through the sessions of an application. It may serve several applications of a process: each request
 * chooses its own, and that of another application is left to what was there before.
 * @throws SessionError `SESSION_NAME_TAKEN`, `SESSION_OPTIONS_INVALID`
 */
export function adaptPassport(
  passport: PassportInstance,
  instances: SessionInstances,
  logins: PassportLogins,
): void {
  const framework = adapted.get(passport) ?? adapt(passport as unknown as AdaptablePassport);
  adapted.set(passport, framework);
  framework.add(instances, logins);
}

function adapt(passport: Partial<AdaptablePassport>): SessionFramework {
  const { _framework: before } = passport;
  if (typeof before?.authenticate !== 'function' || typeof passport._sm?.logIn !== 'function')
    throw new SessionError(
      'SESSION_OPTIONS_INVALID',
      'PassportSessions cannot adapt this instance of Passport. Use one of passport 0.6 or 0.7.',
    );
  const framework = new SessionFramework(before);
  passport.framework!(framework);
  return framework;
}

/** Makes middleware of Passport that uses the sessions of the application which a request has reached. */
class SessionFramework implements PassportFramework {
  readonly #applications = new WeakMap<SessionInstances, PassportLogins>();

  /** @param before makes the middleware of Passport itself, also for requests of other applications */
  constructor(private readonly before: PassportFramework) {}

  add(instances: SessionInstances, logins: PassportLogins): void {
    if (this.#applications.has(instances))
      throw new SessionError(
        'SESSION_NAME_TAKEN',
        'PassportSessions.forRoot() was called twice for one instance of Passport. Call it once, in the root module, or give the second the option passport: new Passport().',
      );
    this.#applications.set(instances, logins);
  }

  /** Passport calls these two without `this`. */
  readonly initialize: PassportFramework['initialize'] =
    (passport, options) =>
    (request, ...rest) => {
      const manager = this.#loginsOf(request)?.manager();
      if (manager === undefined) return this.before.initialize(passport, options)(request, ...rest);
      const [response, next] = rest;
      this.before.initialize(withManager(passport, manager), options)(request, response, (error) => {
        promising(request);
        next(error);
      });
    };

  readonly authenticate: PassportFramework['authenticate'] =
    (passport, strategy, options, callback) => (request, response, next) => {
      const logins = this.#loginsOf(request);
      if (logins === undefined)
        return this.before.authenticate(passport, strategy, options, callback)(request, response, next);
      const hasCallback = typeof (callback ?? options) === 'function';
      const problem = hasCallback ? null : problemOf(options as AuthenticateOptions | undefined, request);
      if (problem !== null) return next(problem);
      const asked = [strategy].flat();
      const isCheck = asked.some((each) => each !== 'session');
      const strategies = asked.map((each) => (each === 'session' ? logins.strategy(hasCallback) : each));
      const chosen = withManager(passport, logins.manager(isCheck ? logins.now() : undefined));
      const middleware = this.before.authenticate(
        chosen,
        Array.isArray(strategy) ? strategies : strategies[0]!,
        options,
        callback,
      );
      // Before a strategy is called, which may succeed at once.
      this.before.initialize(chosen, { compat: false })(request, response, () => {
        promising(request);
        middleware(request, toNodeResponse(response), next);
      });
    };

  #loginsOf(request: PassportRequest): PassportLogins | undefined {
    const scope = peekScope(request);
    return scope && this.#applications.get(scope.instances);
  }
}

/** Returns the instance with another session manager, for one request. Passport has no public way to replace it. */
function withManager(passport: AdaptablePassport, manager: PassportManager): AdaptablePassport {
  return Object.create(passport, { _sm: { value: manager } }) as AdaptablePassport;
}

/** Passport would throw a TypeError, maybe outside of the request. */
function problemOf(options: AuthenticateOptions | undefined, request: PassportRequest): SessionError | null {
  for (const [option, needed] of Object.entries(NEEDED)) {
    if (!options?.[option as keyof AuthenticateOptions] || request[needed] !== undefined) continue;
    return new SessionError(
      'SESSION_OPTIONS_INVALID',
      `The option ${option} of Passport needs req.${needed}, which this request has not. Leave it out, and tell the user with session.flash().`,
    );
  }
  return null;
}
