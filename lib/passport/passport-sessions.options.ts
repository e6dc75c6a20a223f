import {
  ConfigurableModuleBuilder,
  type ConfigurableModuleAsyncOptions,
  type ConfigurableModuleCls,
} from '@nestjs/common';
import type { LoginOptions } from '../core/login';
import type { Principal, PrincipalInput } from '../core/principal';
import { SessionError } from '../core/session.errors';
import type { PassportInstance } from './passport-instance';

/** @inline */
type Awaitable<T> = T | Promise<T>;

/**
 * Options of `PassportSessions.forRoot`. `User` is what strategies return and `request.user` is; `Stored` is what a session keeps of it beside
 * the principal; `Request` is that of Express, Fastify or Node.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- so that the parameters need no types, as in Passport
export interface PassportSessionOptions<User = any, Stored = any, Request = any> {
  /** Returns who is logged in: what guards, lists and limits see. Called at a login, with what the strategy returned. */
  readonly principal: (user: User, request: Request) => Awaitable<PrincipalInput>;
  /**
   * Returns options of the login, such as `rememberMe`, `amr`, `level`, or `pending` when a further factor is due. They take precedence over
   * those of Passport.
   * @default `keepData` is Passport's `keepSessionInfo`, so `false`; `checkedAt` is the time at which the strategy began
   */
  readonly login?: (user: User, request: Request) => Awaitable<LoginOptions>;
  /**
   * Returns what the session keeps for `deserialize` beside the principal, until the logout: a value that a session supports.
   * @default nothing
   */
  readonly serialize?: (user: User, request: Request) => Awaitable<Stored>;
  /**
   * Returns the user of a later request: see `request.user`. With `null`, `undefined` or `false` the user exists no more: the login ends, as
   * by `logout()`. `stored` is `undefined` after a login that was not made through Passport.
   * @default returns the principal
   */
  readonly deserialize?: (
    principal: Principal,
    stored: Stored | undefined,
    request: Request,
  ) => Awaitable<User | null | undefined | false>;
  /** The instance whose session keeps the login. @default 'default' */
  readonly name?: string;
  /** The instance of Passport that logs in. `@nestjs/passport` knows the default only. @default that of the package `passport` */
  readonly passport?: PassportInstance;
}

/** A class that creates the options, for `forRootAsync({ useClass })`. */
export interface PassportSessionOptionsFactory {
  /** Returns the options. Called once, before the application starts. */
  createPassportSessionOptions(): PassportSessionOptions | Promise<PassportSessionOptions>;
}

/** The parameter of `forRootAsync`. */
export type PassportSessionAsyncOptions = ConfigurableModuleAsyncOptions<
  PassportSessionOptions,
  'createPassportSessionOptions'
>;

const definition = new ConfigurableModuleBuilder<PassportSessionOptions>()
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createPassportSessionOptions')
  .build();

export const { MODULE_OPTIONS_TOKEN } = definition;

// Typed by name: tsc writes an inferred type as an import with attributes, which TypeScript before 5.3 cannot read.
export const ConfigurableModuleClass: ConfigurableModuleCls<
  PassportSessionOptions,
  'forRoot',
  'createPassportSessionOptions'
> = definition.ConfigurableModuleClass;

const FUNCTIONS = ['principal', 'login', 'serialize', 'deserialize'] as const;

/** @throws SessionError `SESSION_OPTIONS_INVALID` */
export function assertOptions(options: PassportSessionOptions | undefined): void {
  if (typeof options?.principal !== 'function')
    throw invalid('principal must be a function, such as (user) => ({ id: user.id, roles: user.roles })');
  for (const option of FUNCTIONS)
    if (options[option] !== undefined && typeof options[option] !== 'function')
      throw invalid(`${option} must be a function, got ${typeof options[option]}`);
  if (options.serialize !== undefined && options.deserialize === undefined)
    throw invalid('serialize needs deserialize, which alone gets what it returned');
}

function invalid(problem: string): SessionError {
  return new SessionError('SESSION_OPTIONS_INVALID', `PassportSessions.forRoot(): ${problem}.`);
}
