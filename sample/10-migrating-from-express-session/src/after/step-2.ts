import { Module, type NestApplicationOptions } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import flash from 'connect-flash';
import { CsrfGuard, SessionModule } from 'nestjs-tessera';
import { requestSession } from 'nestjs-tessera/express-session';
import { PassportSessions, type PassportSessionOptions } from 'nestjs-tessera/passport';
import passport from 'passport';
import { LocalStrategy } from '../before/local.strategy';
import { LoginController } from '../before/login.controller';
import { pageHeaders } from '../before/page';
import { Users, type User } from '../before/users';
import { UsersModule } from '../before/users.module';
import { ShopController } from './shop.controller';
import { sessionOptions } from './step-1';

@Module({
  imports: [
    UsersModule,
    SessionModule.forRoot(sessionOptions),
    // Logins of Passport are logins of the library: guards, SessionRegistry and limits know them. It takes the place of UserSerializer.
    PassportSessions.forRootAsync({
      imports: [UsersModule],
      inject: [Users],
      useFactory: (users: Users): PassportSessionOptions<User> => ({
        principal: ({ id }) => ({ id }),
        deserialize: ({ id }) => users.find(id),
      }),
    }),
  ],
  controllers: [ShopController, LoginController],
  providers: [LocalStrategy, { provide: APP_GUARD, useClass: CsrfGuard }],
})
class StepTwoModule {}

/** The main.ts after the second step, as in the first one: the login still uses `request.flash()`. */
export async function stepTwo(options?: NestApplicationOptions): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(StepTwoModule, options);
  app.use(requestSession());
  app.use(flash(), passport.initialize(), passport.session(), pageHeaders);
  return app;
}
