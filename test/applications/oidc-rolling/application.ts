import { Module, type DynamicModule } from '@nestjs/common';
import type { SessionModuleOptions } from 'nestjs-tessera';
import { LoginController } from './login.controller';
import { ISSUER, OpenIdClient } from './openid-client';

/** Once `rolling: true, cookie: { maxAge: 30 minutes }`, which rolled for ever, with a new cookie in each answer. */
export const sessionOptions: SessionModuleOptions = {
  idleTimeout: '30m',
  lifetime: '8h',
  cookie: { persistent: true },
};

/** An application whose users log in at an OpenID provider, and are logged out by it. */
@Module({})
export class LoginModule {
  static at(issuer: string): DynamicModule {
    return {
      module: LoginModule,
      controllers: [LoginController],
      providers: [OpenIdClient, { provide: ISSUER, useValue: issuer }],
    };
  }
}
