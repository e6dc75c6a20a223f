import { Controller, Injectable, Module, Post, UseGuards, type DynamicModule } from '@nestjs/common';
import { AuthGuard as PassportGuard } from '@nestjs/passport';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import express from 'express';
import expressSession from 'express-session';
import passport from 'passport';
import { version } from 'passport/package.json';
import { Strategy } from 'passport-local';
import { MemorySessionStore, SessionModule, SessionService } from 'nestjs-tessera';
import { PassportSessions, type PassportSessionOptions } from 'nestjs-tessera/passport';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { closeApps, platforms, startApp, type App, type AppUnderTest, type Platform } from '../support/app';
import { scripted } from '../support/scripted';
import { visitor, Visitor, type Answer } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';
import { localLogins, people, type User } from './local';

const { Passport } = passport;
const principal = ({ id, roles = [] }: User) => ({ id, roles });
const byId = ({ id }: { readonly id: string }): User | undefined => people.find((user) => user.id === id);

const logIn = (who: Visitor, username = 'ada'): Promise<Answer> =>
  who.post('/login', { username, password: 'secret' });
const statusOf = async (who: Visitor, path = '/me'): Promise<number> => (await who.get(path)).status;

/** Nest adds no body parser when it finds one of Express by its name. */
const parseJson: express.Handler = (request, response, next) => void express.json()(request, response, next);

afterEach(closeApps);

function start(
  platform: Platform,
  options: Partial<PassportSessionOptions> = {},
  more: Partial<AppUnderTest> = {},
): Promise<App> {
  const { providers, controllers } = localLogins();
  return startApp({
    platform,
    imports: [PassportSessions.forRoot({ principal, deserialize: byId, ...options })],
    providers,
    controllers,
    ...more,
  });
}

it('rests on two private members of passport 0.7: _framework, and _sm as it reads it', () => {
  const own = new Passport();
  const manager = {
    logIn: (_request: unknown, _user: unknown, _options: unknown, done: () => void) => done(),
  };
  const request: Record<string, unknown> & { logIn?: (user: object, done: () => void) => void } = {};
  const { _framework: framework } = own as unknown as {
    _framework: Record<'initialize' | 'authenticate', (passport: object) => (...args: unknown[]) => void>;
  };
  framework.initialize(Object.create(own, { _sm: { value: manager } }) as object)(request, {}, () => {});
  const called = jest.fn();
  request.logIn!({}, called);
  expect({
    version,
    made: [typeof framework.initialize, typeof framework.authenticate],
    calls: called.mock.calls.length,
  }).toEqual({ version: expect.stringMatching(/^0\.7\./), made: ['function', 'function'], calls: 1 });
});

describe('passport.session() in main.ts on express', () => {
  let store: WatchedStore;
  let app: App;

  beforeEach(async () => {
    store = new WatchedStore(new MemorySessionStore());
    app = await start(
      'express',
      {},
      { options: { store }, configure: (app) => void app.use(passport.session()) },
    );
  });

  it('sets request.user and isAuthenticated() for each request', async () => {
    const me = await visitor(app);
    const before = await me.get('/who');
    await logIn(me);
    const after = await me.get('/who');
    expect({ before: before.json(), after: after.json() }).toEqual({
      before: { name: null, isAuthenticated: false },
      after: { name: 'Ada Lovelace', isAuthenticated: true },
    });
  });

  it('asks no store for a visitor without a token', async () => {
    await (await visitor(app)).get('/who');
    expect(store.take()).toEqual([]);
  });

  it('is a 503 for a logged-in user while the store is down', async () => {
    const me = await visitor(app);
    await logIn(me);
    store.before = () => Promise.reject(new Error('down'));
    expect(await statusOf(me, '/who')).toBe(503);
  });
});

describe.each(platforms)('middleware of Passport on %s', (platform) => {
  const errors: unknown[] = [];
  beforeEach(() => void errors.splice(0));

  /** The application with a route outside of Nest, which answers as Passport does. */
  async function startWith(options: object, flash?: (type: string) => void): Promise<Visitor> {
    const authenticate = (
      request: { flash?: unknown },
      response: unknown,
      next: (error?: unknown) => void,
    ) => {
      if (flash !== undefined) request.flash = flash;
      const middleware = passport.authenticate('local', options) as (...args: unknown[]) => void;
      middleware(request, response, (error: unknown) => {
        if (error !== undefined) errors.push(error);
        next(error);
      });
    };
    const configure = (app: App): void => {
      if (platform === 'express') return void app.use('/form', parseJson, authenticate);
      const fastify = (app as NestFastifyApplication).getHttpAdapter().getInstance();
      fastify.post('/form', (request, reply) => {
        authenticate(request, reply, (error) => void reply.send(error ?? 'next'));
      });
    };
    return visitor(await start(platform, {}, { configure }));
  }
  const submit = (who: Visitor, password = 'secret'): Promise<Answer> =>
    who.post('/form', { username: 'ada', password });

  it('redirects after a login, which is saved', async () => {
    const me = await startWith({ successRedirect: '/me' });
    const { status, headers } = await submit(me);
    expect({ status, to: headers.get('location'), me: await statusOf(me) }).toEqual({
      status: 302,
      to: '/me',
      me: 200,
    });
  });

  it('redirects after a wrong password', async () => {
    const me = await startWith({ failureRedirect: '/login' });
    const { status, headers } = await submit(me, 'wrong');
    expect({ status, to: headers.get('location') }).toEqual({ status: 302, to: '/login' });
  });

  it('answers a wrong password with 401', async () => {
    const { status, text } = await submit(await startWith({}), 'wrong');
    expect({ status, text }).toEqual({ status: 401, text: 'Unauthorized' });
  });

  it.each(['failureMessage', 'failureFlash', 'successMessage', 'successFlash'])(
    'says what to do instead of %s, which would need req.session or req.flash',
    async (option) => {
      const me = await startWith({ [option]: true });
      const { status } = await submit(me, option.startsWith('failure') ? 'wrong' : 'secret');
      expect({ status, errors }).toMatchObject({
        status: 500,
        errors: [{ code: 'SESSION_OPTIONS_INVALID' }],
      });
    },
  );

  it('calls a req.flash of the application', async () => {
    const flash = jest.fn();
    const me = await startWith({ failureFlash: 'Wrong', failureRedirect: '/login' }, flash);
    const { status } = await submit(me, 'wrong');
    expect({ status, flashed: flash.mock.calls }).toEqual({ status: 302, flashed: [['error', 'Wrong']] });
  });
});

describe.each(platforms)('PassportSessions on %s', (platform) => {
  it('works with initialize() of Passport, for a login without a strategy', async () => {
    const app = await start(
      platform,
      {},
      {
        configure: (app) => {
          const initialize = passport.initialize() as (...args: unknown[]) => void;
          const signUp = (request: { login(user: User): Promise<void> }, done: () => void) =>
            void request.login(people[0]!).then(done);
          if (platform === 'express')
            app.use('/sign-up', initialize, (request: never, response: express.Response) =>
              signUp(request, () => void response.end()),
            );
          else
            (app as NestFastifyApplication)
              .getHttpAdapter()
              .getInstance()
              .post('/sign-up', (request, reply) => {
                initialize(request, reply, () => signUp(request, () => void reply.send('')));
              });
        },
      },
    );
    const me = await visitor(app);
    await me.post('/sign-up');
    expect(await statusOf(me)).toBe(200);
  });

  it('serves two applications of one process, each with its own users and sessions', async () => {
    const staff = await start(platform, {
      principal: ({ id }: User) => ({ id, realm: 'staff' }),
      deserialize: () => ({ id: 'staff', name: 'Staff' }),
    });
    const shop = await start(platform);
    const [atStaff, atShop] = [await visitor(staff), await visitor(shop)];
    await logIn(atStaff);
    await logIn(atShop);
    const realms = [(await atStaff.get('/me')).json(), (await atShop.get('/me')).json()];
    const users = [(await atStaff.get('/user')).json(), (await atShop.get('/user')).json()];
    expect({ realms, users }).toMatchObject({
      realms: [{ realm: 'staff' }, { realm: 'default' }],
      users: [{ user: { id: 'staff' } }, { user: { id: 'ada' } }],
    });
  });

  it('leaves an application of express-session in the same process alone', async () => {
    await start(platform);
    const server = express()
      .use(express.json(), expressSession({ secret: 's', resave: false, saveUninitialized: false }))
      .post('/sign-up', passport.initialize(), (request, response) =>
        request.logIn(people[1]!, () => response.json(request.session)),
      )
      .post('/login', passport.authenticate('local'), (request, response) => {
        const kept = request.session as unknown as { passport: unknown };
        response.json(kept.passport);
      })
      .listen(0, '127.0.0.1');
    await once(server, 'listening');
    passport.serializeUser((user, done) => done(null, (user as User).id));
    const me = new Visitor(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const { text, cookies } = await logIn(me);
    const signedUp = (await me.post('/sign-up')).json<{ passport: unknown }>();
    server.close();
    expect({ text, cookies, signedUp: signedUp.passport }).toEqual({
      text: '{"user":"ada"}',
      cookies: [expect.stringMatching(/^connect\.sid=/)],
      signedUp: { user: 'grace' },
    });
  });

  it('logs in to a named session, with an instance of Passport of its own', async () => {
    const admins = new Passport();
    admins.use(new Strategy((name, _password, done) => done(null, { id: name, name })));
    const admin = scripted('admin');
    const { providers, controllers } = localLogins();
    const app = await startApp({
      platform,
      imports: [
        SessionModule.forRoot({ name: 'admin', cookie: { name: 'admin' } }),
        PassportSessions.forRoot({ principal }),
        PassportSessions.forRoot({ principal, name: 'admin', passport: admins }),
      ],
      providers,
      controllers: [...controllers, admin.controller],
      configure: (app) => {
        const authenticate = admins.authenticate('local') as (...args: unknown[]) => void;
        if (platform === 'express')
          app.use('/admin', parseJson, authenticate, (_: unknown, response: express.Response) =>
            response.end(),
          );
        else
          (app as NestFastifyApplication)
            .getHttpAdapter()
            .getInstance()
            .post('/admin', (request, reply) => {
              authenticate(request, reply, () => void reply.send(''));
            });
      },
    });
    const me = await visitor(app);
    await me.post('/admin', { username: 'root', password: 'x' });
    const isAdmin = await admin.ask(me, (s) => s.principal?.id);
    const isUser = await statusOf(me);
    await logIn(me);
    expect({
      isAdmin,
      isUser,
      both: [await admin.ask(me, (s) => s.principal?.id), await statusOf(me)],
    }).toEqual({ isAdmin: 'root', isUser: 401, both: ['root', 200] });
  });

  it('needs no response, which guards have not in GraphQL', async () => {
    class OperationGuard extends PassportGuard('local') {
      getResponse(): undefined {}
    }
    @Controller('operation')
    class OperationController {
      @Post()
      @UseGuards(OperationGuard)
      operation(): void {}
    }
    const app = await start(platform, {}, { controllers: [OperationController] });
    const { status } = await (await visitor(app)).post('/operation', { username: 'ada', password: 'secret' });
    expect(status).toBe(201);
  });

  it('takes its options from a factory, with what that injects', async () => {
    @Injectable()
    class Users {
      readonly find = byId;
    }
    @Module({ providers: [Users], exports: [Users] })
    class UsersModule {}
    const { providers, controllers } = localLogins();
    const app = await startApp({
      platform,
      imports: [
        PassportSessions.forRootAsync({
          imports: [UsersModule],
          inject: [Users],
          useFactory: (users: Users) => ({ principal, deserialize: users.find }),
        }),
      ],
      providers,
      controllers,
    });
    const me = await visitor(app);
    await logIn(me);
    expect((await me.get('/user')).json()).toEqual({ user: people[0] });
  });

  it.each<[string, () => DynamicModule[], string]>([
    [
      'forRoot() is called twice for one instance of Passport',
      () => [
        PassportSessions.forRoot({ principal }),
        PassportSessions.forRoot({ principal, login: () => ({}) }),
      ],
      'SESSION_NAME_TAKEN',
    ],
    [
      'there is no session of that name',
      () => [PassportSessions.forRoot({ principal, name: 'admin' })],
      'SESSION_MODULE_MISSING',
    ],
    ['principal is missing', () => [PassportSessions.forRoot({} as never)], 'SESSION_OPTIONS_INVALID'],
    [
      'an option is no function',
      () => [PassportSessions.forRoot({ principal, login: {} as never })],
      'SESSION_OPTIONS_INVALID',
    ],
    [
      'serialize has no deserialize',
      () => [PassportSessions.forRoot({ principal, serialize: () => 1 })],
      'SESSION_OPTIONS_INVALID',
    ],
    ['it is not configured', () => [{ module: PassportSessions }], 'SESSION_OPTIONS_INVALID'],
    [
      'the instance is none of Passport',
      () => [
        PassportSessions.forRoot({ principal, passport: { framework: () => {}, authenticate: () => {} } }),
      ],
      'SESSION_OPTIONS_INVALID',
    ],
  ])('refuses to start when %s', async (_what, modules, code) => {
    await expect(startApp({ platform, imports: modules() })).rejects.toMatchObject({ code });
  });

  it('commits once for a request that logs in and changes nothing more', async () => {
    const store = new WatchedStore(new MemorySessionStore());
    const app = await start(platform, {}, { options: { store } });
    await logIn(await visitor(app));
    expect(store.take().filter((call) => call !== 'find')).toEqual(['insert']);
    expect((await app.get(SessionService).registry.list({ id: 'ada' })).length).toBe(1);
  });
});
