import { Controller, Get, Injectable, Module, UseGuards, type Type } from '@nestjs/common';
import { AuthGuard, Principal, SessionModule } from 'nestjs-tessera';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { visitor } from '../support/visitor';
import { exportsOf } from './guide-code';
import { Markdown } from './markdown';

const guide = new Markdown('docs/passport.md');

@UseGuards(AuthGuard)
@Controller('me')
class MeController {
  @Get()
  me(@Principal() principal: Principal) {
    return principal;
  }
}

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

  it('logs in without the login of Passport, as docs/from-passport.md shows', async () => {
    const { LoginController } = exportsOf<Record<string, Type>>(
      new Markdown('docs/from-passport.md'),
      'class LoginController',
      {},
    );
    const login = exportsOf<{ LocalStrategy: Type }>(guide, 'class AppModule', {});
    @Module({ imports: [SessionModule.forRoot()], providers: [login.LocalStrategy] })
    class Strategies {}
    await start(Strategies, [LoginController!, MeController]);
    const ada = await visitor(app);
    const answers = ['babbage', 'lovelace'].map((password) => ({ username: 'ada', password }));
    const wrong = await ada.post('/login', answers[0]);
    const before = await ada.get('/me');
    const right = await ada.post('/login', answers[1]);
    expect({
      wrong: wrong.status,
      before: before.status,
      right: right.status,
      me: (await ada.get('/me')).json(),
    }).toEqual({
      wrong: 401,
      before: 401,
      right: 201,
      me: { id: '7', realm: 'default', roles: ['admin'] },
    });
  });
});
