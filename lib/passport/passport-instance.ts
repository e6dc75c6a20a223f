// What is used of Passport, whose types may not be installed.

/** An instance of Passport: the default export of the package `passport`, or `new Passport()` of it. */
export interface PassportInstance {
  /** Replaces what makes its middleware. `PassportSessions` does so when the application starts. */
  framework(...args: never[]): unknown;
  /** Returns the middleware of a strategy. */
  authenticate(...args: never[]): unknown;
}

/** An instance of Passport 0.6 or 0.7, with the two private members that are used here. */
export interface AdaptablePassport {
  readonly _framework: PassportFramework;
  readonly _sm: PassportManager;
  framework(framework: PassportFramework): this;
}

/** Makes the middleware of an instance of Passport. Passport's own is for Connect and Express. */
export interface PassportFramework {
  initialize(passport: AdaptablePassport, options?: object): PassportMiddleware;
  authenticate(
    passport: AdaptablePassport,
    strategy: NamedStrategy | NamedStrategy[],
    options?: AuthenticateOptions | Method,
    callback?: Method,
  ): PassportMiddleware;
}

export type PassportMiddleware = (
  request: PassportRequest,
  response: object,
  next: (error?: unknown) => void,
) => void;

export type NamedStrategy = string | PassportStrategy;

/** Those that need more of a request than Passport adds to it. */
export interface AuthenticateOptions {
  readonly failureMessage?: unknown;
  readonly successMessage?: unknown;
  readonly failureFlash?: unknown;
  readonly successFlash?: unknown;
}

/** What `req.logIn` and `req.logOut` call: a session manager of Passport. */
export interface PassportManager {
  logIn(request: PassportRequest, user: unknown, options: KeepOptions, done: Done): void;
  logOut(request: PassportRequest, options: KeepOptions, done: Done): void;
}

/** Options of `req.logIn` and `req.logOut`. */
export interface KeepOptions {
  /** @default false */
  readonly keepSessionInfo?: boolean;
}

export type Done = (error?: unknown) => void;

/** A strategy, which Passport gives its actions before it calls it. */
export interface PassportStrategy {
  authenticate(this: StrategyActions, request: PassportRequest): void;
}

export interface StrategyActions {
  success(user: unknown): void;
  fail(challenge: object, status: number): void;
  pass(): void;
  error(error: unknown): void;
}

export type Method = (...args: unknown[]) => unknown;

/** A request of Express, Fastify or Node, with what Passport adds to it. */
export interface PassportRequest {
  logIn?: Method;
  login?: Method;
  logOut?: Method;
  logout?: Method;
  readonly _userProperty?: string;
  [property: string]: unknown;
}
