import { Module, type DynamicModule } from '@nestjs/common';
import { LoginController } from './login.controller';
import { OAuthClient, PROVIDER } from './oauth-client';
import { SecondFactor } from './second-factor';

/** A shop whose users come from an OAuth 2 provider, and then owe a second factor. */
@Module({})
export class LoginModule {
  static at(provider: string): DynamicModule {
    return {
      module: LoginModule,
      controllers: [LoginController],
      providers: [OAuthClient, SecondFactor, { provide: PROVIDER, useValue: provider }],
    };
  }
}
