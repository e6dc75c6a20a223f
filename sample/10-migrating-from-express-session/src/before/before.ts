import type { NestApplicationOptions } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import flash from 'connect-flash';
import session from 'express-session';
import passport from 'passport';
import { pageHeaders } from './page';
import { ShopModule } from './shop.module';

/** The main.ts of before. */
export async function before(options?: NestApplicationOptions): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(ShopModule, options);
  app.use(
    session({
      secret: process.env['SESSION_SECRET'] ?? 'known to everyone who reads this',
      resave: false,
      saveUninitialized: false,
      cookie: { maxAge: 7 * 24 * 60 * 60 * 1000, sameSite: 'lax' },
    }),
  );
  app.use(flash(), passport.initialize(), passport.session(), pageHeaders);
  return app;
}
