import { Module, type MiddlewareConsumer, type NestModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import {
  AuthGuard,
  CsrfGuard,
  LoginRedirectFilter,
  SessionModule,
  type SessionModuleOptions,
} from 'nestjs-tessera';
import { PassportSessions } from 'nestjs-tessera/passport';
import { AccountController } from './account.controller';
import { ExampleStrategy } from './example.strategy';
import { LocalStrategy } from './local.strategy';
import { LoginController } from './login.controller';
import { pageHeaders } from './page';
import { ProviderModule } from './provider/provider.module';
import { Users, type User } from './users';

export const sessionOptions: SessionModuleOptions = {
  lifetime: '30d',
  idleTimeout: '7d',
  // The fourth login ends the oldest one, whichever way it was made.
  maxSessionsPerPrincipal: 3,
  // What the account page calls this browser.
  devices: true,
};

@Module({
  imports: [
    SessionModule.forRoot(sessionOptions),
    // Lets Passport log in and out through the sessions. Its passport.initialize() and passport.session() are not needed.
    PassportSessions.forRoot({
      principal: ({ id }: User) => ({ id }),
      login: (_user: User, { path }: { readonly path: string }) => ({
        amr: [path === '/login' ? 'pwd' : 'fed'],
      }),
    }),
    ProviderModule,
  ],
  controllers: [LoginController, AccountController],
  providers: [
    Users,
    LocalStrategy,
    ExampleStrategy,
    { provide: APP_GUARD, useClass: CsrfGuard },
    // Everything needs a login, unless it is @Public(). A visitor without one is sent to the form, and back afterwards.
    { provide: APP_GUARD, useClass: AuthGuard },
    { provide: APP_FILTER, useValue: new LoginRedirectFilter('/login') },
  ],
})
export class AppModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(pageHeaders).forRoutes('{*path}');
  }
}
