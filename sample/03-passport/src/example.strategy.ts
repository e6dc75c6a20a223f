import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { SessionStateStore } from 'nestjs-tessera/passport';
import OAuth2Strategy from 'passport-oauth2';
import { DemoProvider } from './provider/demo-provider';
import { Users, type User } from './users';

interface Profile {
  readonly sub: string;
  readonly name: string;
}

/** The login at the provider "Example". Strategies for Google, GitHub and others take the same options. */
@Injectable()
export class ExampleStrategy extends PassportStrategy(OAuth2Strategy, 'example') {
  constructor(
    private readonly users: Users,
    private readonly provider: DemoProvider,
  ) {
    super({
      authorizationURL: `${provider.url}/authorize`,
      tokenURL: `${provider.url}/token`,
      clientID: provider.client.id,
      clientSecret: provider.client.secret,
      // Of the site that was asked. A real application gives the whole URL, as it is registered at the provider.
      callbackURL: '/login/example/callback',
      // State and verifier are in the session, for ten minutes and for one callback.
      store: new SessionStateStore('example'),
      pkce: true,
    });
  }

  /** Called by the strategy, which has no way of its own to ask who has logged in. */
  override userProfile(accessToken: string, done: (error: unknown, profile?: Profile) => void): void {
    this.ask(accessToken).then((profile) => done(null, profile), done);
  }

  validate(_accessToken: string, _refreshToken: string, { sub, name }: Profile): User {
    return this.users.ofAccount('example', sub, name);
  }

  /** Not `#ask`: Passport calls a strategy on an object that inherits from it. */
  private async ask(accessToken: string): Promise<Profile> {
    const headers = { authorization: `Bearer ${accessToken}` };
    const response = await fetch(`${this.provider.url}/userinfo`, { headers });
    if (!response.ok) throw new Error(`The provider answered ${response.status} at /userinfo`);
    return (await response.json()) as Profile;
  }
}
