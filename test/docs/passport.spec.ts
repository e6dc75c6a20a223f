import { Injectable, Module, type Type } from '@nestjs/common';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { visitor } from '../support/visitor';
import { exportsOf } from './guide-code';
import { Markdown } from './markdown';

const guide = new Markdown('docs/passport.md');

describe.each(platforms)('the application of docs/passport.md on %s', (platform) => {
  let app: App;
  afterEach(closeApps);

  async function start(module: Type, controllers: Type[] = []): Promise<void> {
    app = await startApp({ platform, options: false, imports: [module], controllers });
  }

  it('logs in, knows the user, and logs out', async () => {
    const { AppModule } = exportsOf<{ AppModule: Type }>(guide, 'class AppModule', {});
    await start(AppModule);
    const ada = await visitor(app);
    const wrong = await ada.post('/login', { username: 'ada', password: 'babbage' });
    const right = await ada.post('/login', { username: 'ada', password: 'lovelace' });
    const me = await ada.get('/me');
    await ada.post('/logout');
    expect({
      wrong: wrong.status,
      right: right.json(),
      me: me.json(),
      after: (await ada.get('/me')).status,
    }).toEqual({
      wrong: 401,
      right: { loggedIn: true },
      me: { id: '7', realm: 'default', roles: ['admin'] },
      after: 401,
    });
  });

  it('finds the user of a later request', async () => {
    @Injectable()
    class Users {
      readonly find = async (id: string) => ({ id, name: 'Ada' });
    }
    const { PassportModules, ProfileController } = exportsOf<Record<string, Type>>(
      guide,
      'class ProfileController',
      { Users },
    );
    const login = exportsOf<{ LocalStrategy: Type; AccountController: Type }>(guide, 'class AppModule', {});
    @Module({ imports: [PassportModules!], providers: [login.LocalStrategy] })
    class All {}
    await start(All, [login.AccountController, ProfileController!]);
    const ada = await visitor(app);
    const before = await ada.get('/profile');
    await ada.post('/login', { username: 'ada', password: 'lovelace' });
    expect({ before: before.status, after: (await ada.get('/profile')).json() }).toEqual({
      before: 401,
      after: { id: '7', name: 'Ada' },
    });
  });
});
