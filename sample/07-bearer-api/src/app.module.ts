import { Module, ValidationPipe } from '@nestjs/common';
import { APP_GUARD, APP_PIPE } from '@nestjs/core';
import { AuthGuard, SessionModule, bearer, type SessionModuleOptions } from 'nestjs-tessera';
import { AccountController } from './account.controller';
import { DevicesController } from './devices.controller';
import { LoginController } from './login.controller';
import { Users } from './users';

export const sessionOptions: SessionModuleOptions = {
  // Tokens come in `Authorization: Bearer`, and new ones go out in `X-Session-Token`. There is no cookie, and so no CSRF.
  transport: bearer(),
  // An app is opened once a week: its login lasts longer than that of a browser.
  lifetime: '90d',
  idleTimeout: '30d',
  // A token that was copied is good for a quarter of an hour; then its second use ends the session.
  rotateEvery: '15m',
  // What "where you are logged in" calls this client. The text is the client's own and proves nothing.
  devices: ({ headers }) => String(headers['x-device-name'] ?? 'Unknown device'),
};

@Module({
  imports: [SessionModule.forRoot(sessionOptions)],
  controllers: [LoginController, AccountController, DevicesController],
  providers: [
    Users,
    // Everything needs a login, unless it is @Public().
    { provide: APP_GUARD, useClass: AuthGuard },
    { provide: APP_PIPE, useValue: new ValidationPipe({ whitelist: true }) },
  ],
})
export class AppModule {}
