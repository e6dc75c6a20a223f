import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { PassportModule } from '@nestjs/passport';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { create } from 'hbs';
import { LocalStrategy, LoginFilter } from './passport';
import { ShelfController } from './shelf.controller';
import { Users } from './users';

/** A shelf of books with a login form: once express-session, passport-local, connect-flash and hbs. */
@Module({
  imports: [PassportModule.register({ session: false })],
  controllers: [ShelfController],
  providers: [Users, LocalStrategy, { provide: APP_FILTER, useClass: LoginFilter }],
})
export class ShelfModule {}

/** What main.ts does: `app.use(session(…))`, `passport.session()` and `flash()` are gone from it. */
export function configure(app: NestExpressApplication): void {
  app.engine('hbs', create().__express);
  app.setBaseViewsDir(join(__dirname, 'views'));
  app.setViewEngine('hbs');
}
