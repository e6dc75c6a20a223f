import { Module, type NestApplicationOptions } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import flash from 'connect-flash';
import { SessionModule, type SessionModuleOptions } from 'nestjs-tessera';
import { requestSession } from 'nestjs-tessera/express-session';
import passport from 'passport';
import { pageHeaders } from '../before/page';
import { ShopModule } from '../before/shop.module';

/** As long as `maxAge` of before, and like it in a cookie that survives a restart of the browser. */
export const sessionOptions: SessionModuleOptions = {
  lifetime: '30d',
  idleTimeout: '7d',
  cookie: { persistent: true },
};

/** An application adds the first line to its root module, and needs no other one. */
@Module({ imports: [SessionModule.forRoot(sessionOptions), ShopModule] })
class StepOneModule {}

/** The main.ts after the first step: `requestSession()` is where `session({ … })` was. */
export async function stepOne(options?: NestApplicationOptions): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(StepOneModule, options);
  app.use(requestSession());
  app.use(flash(), passport.initialize(), passport.session(), pageHeaders);
  return app;
}
