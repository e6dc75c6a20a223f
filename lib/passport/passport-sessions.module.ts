import { Inject, Module, Optional, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import passport from 'passport';
import { SessionInstances } from '../requests/session-instance';
import { DEFAULT_SESSION } from '../requests/session.tokens';
import { adaptPassport } from './passport-framework';
import { PassportLogins } from './passport-logins';
import { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, assertOptions } from './passport-sessions.options';
import type { PassportSessionAsyncOptions, PassportSessionOptions } from './passport-sessions.options';

/**
 * Lets Passport log in and out through the sessions of this application, without `req.session`: `req.logIn(user)` is a `login()` with a new
 * token, and `req.logOut()` a `logout()`. Import it into the root module, beside `SessionModule.forRoot()`.
 *
 * ```ts
 * PassportSessions.forRoot({ principal: (user: User) => ({ id: user.id, roles: user.roles }) })
 * ```
 */
@Module({})
export class PassportSessions extends ConfigurableModuleClass implements OnModuleInit {
  /** @internal Nest calls it. */
  constructor(
    private readonly host: HttpAdapterHost,
    @Optional() @Inject(MODULE_OPTIONS_TOKEN) private readonly options: PassportSessionOptions,
  ) {
    super();
    assertOptions(options);
    const instances = SessionInstances.of(host);
    adaptPassport(options.passport ?? passport, instances, new PassportLogins(instances, options));
  }

  /**
   * Returns the module with these options.
   * @throws SessionError at the start: `SESSION_OPTIONS_INVALID`; `SESSION_NAME_TAKEN` when the module was imported before for the same instance of
   * Passport
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- see PassportSessionOptions
  static override forRoot<User = any, Stored = any, Request = any>(
    options: PassportSessionOptions<User, Stored, Request>,
  ): DynamicModule {
    return super.forRoot(options);
  }

  /**
   * Same as `forRoot`, with options that a factory or a class returns, which may inject providers.
   * @throws SessionError at the start, as with `forRoot`
   */
  static override forRootAsync(options: PassportSessionAsyncOptions): DynamicModule {
    return super.forRootAsync(options);
  }

  /** Checks that the instance exists, once all modules have added theirs. */
  onModuleInit(): void {
    SessionInstances.of(this.host).get(this.options.name ?? DEFAULT_SESSION);
  }
}
