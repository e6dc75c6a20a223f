import { Module, ValidationPipe, type MiddlewareConsumer, type NestModule } from '@nestjs/common';
import { APP_GUARD, APP_PIPE } from '@nestjs/core';
import { CsrfGuard, MemorySessionStore, SessionModule, type SessionModuleOptions } from 'nestjs-tessera';
import { pageHeaders } from './page';
import { ShopController } from './shop.controller';
import { StaffController } from './staff.controller';
import { StaffLoginController } from './staff-login.controller';
import { Users } from './users';

/** Both kinds of sessions are here. What tells customer 1 from employee 1 is the realm: see `Users`. */
const store = new MemorySessionStore();

/** Customers come back, and their cart should be there. The cookie is `__Host-session`. */
export const customerSessions: SessionModuleOptions = { store, lifetime: '30d', idleTimeout: '7d' };

/** A login of the staff ends early, and no link of another site brings it along. The cookie is `__Host-session-staff`. */
export const staffSessions: SessionModuleOptions = {
  store,
  lifetime: '8h',
  idleTimeout: '15m',
  cookie: { sameSite: 'strict' },
};

@Module({
  imports: [
    SessionModule.forRoot(customerSessions),
    SessionModule.forRoot({ name: 'staff', ...staffSessions }),
  ],
  controllers: [ShopController, StaffController, StaffLoginController],
  providers: [
    Users,
    { provide: APP_GUARD, useClass: CsrfGuard },
    { provide: APP_PIPE, useValue: new ValidationPipe({ whitelist: true }) },
  ],
})
export class AppModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(pageHeaders).forRoutes('{*path}');
  }
}
