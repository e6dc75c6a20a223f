import { Module, ValidationPipe, type MiddlewareConsumer, type NestModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';
import { CsrfGuard, LoginRedirectFilter, SessionModule } from 'nestjs-tessera';
import { HistoryController } from './history.controller';
import { LoginController } from './login.controller';
import { pageHeaders } from './page';
import { PagesController } from './pages.controller';
import { Users } from './users';

@Module({
  // `devices` notes "Firefox on Linux" at each login, by the package bowser, and the client's address.
  imports: [SessionModule.forRoot({ lifetime: '30d', idleTimeout: '7d', devices: true })],
  // PagesController comes last: it takes every other path.
  controllers: [LoginController, HistoryController, PagesController],
  providers: [
    Users,
    { provide: APP_GUARD, useClass: CsrfGuard },
    { provide: APP_FILTER, useValue: new LoginRedirectFilter('/login') },
    { provide: APP_PIPE, useValue: new ValidationPipe({ whitelist: true }) },
  ],
})
export class AppModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(pageHeaders).forRoutes('{*path}');
  }
}
