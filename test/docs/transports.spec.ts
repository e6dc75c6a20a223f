import { Controller, Get, Injectable, UseGuards, type Type } from '@nestjs/common';
import { AuthGuard, Principal, bearer, composite, cookie } from 'nestjs-tessera';
import { closeApps, platforms, startApp, type Platform } from '../support/app';
import { exportsOf } from './guide-code';
import { Markdown } from './markdown';

@Injectable()
class Users {
  async verify() {
    return { id: 7, roles: [] };
  }
}

@UseGuards(AuthGuard)
@Controller('me')
class MeController {
  @Get()
  me(@Principal() principal: Principal) {
    return principal;
  }
}

interface ApiClient {
  token: string | null;
  fetch(path: string, init?: RequestInit): Promise<Response>;
}

const guide = new Markdown('docs/transports.md');

describe.each(platforms)('the app and the client of docs/transports.md on %s', (platform: Platform) => {
  afterEach(closeApps);

  it.each([
    ['bearer()', bearer()],
    ['composite(cookie(), bearer())', composite(cookie(), bearer())],
  ])('log in, use the login, and log out with %s', async (_, transport) => {
    const world = { Users, LoginForm: Object, fetch, Headers };
    const { AppLoginController } = exportsOf<{ AppLoginController: Type }>(
      guide,
      'AppLoginController',
      world,
    );
    const { ApiClient } = exportsOf<{ ApiClient: new (url: string) => ApiClient }>(guide, 'ApiClient', world);
    const app = await startApp({
      platform,
      options: { transport },
      controllers: [AppLoginController, MeController],
      providers: [Users],
    });
    const client = new ApiClient(await app.getUrl());
    const login = await client.fetch('/app/login', {
      method: 'POST',
      body: new URLSearchParams({ email: 'ada' }),
    });
    const { token } = (await login.json()) as { token: string };
    const kept = client.token;
    const me = (await client.fetch('/me')).status;
    await client.fetch('/app/logout', { method: 'POST' });
    expect({ kept, cookies: login.headers.getSetCookie(), me, after: client.token }).toEqual({
      kept: token,
      cookies: [],
      me: 200,
      after: null,
    });
  });
});
