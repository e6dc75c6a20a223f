import { PassportModule } from '@nestjs/passport';
import { MemorySessionStore, SessionService, type SessionModuleOptions } from 'nestjs-tessera';
import { PassportSessions, type PassportSessionOptions } from 'nestjs-tessera/passport';
import { manualClock } from 'nestjs-tessera/testing';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { scripted } from '../support/scripted';
import '../support/session-data';
import { visitor, type Answer, type Visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';
import { localLogins, people, type LocalLogins, type User } from './local';

const [ada] = people as [User];
const principal = ({ id, roles = [] }: User) => ({ id, roles });
const byId = ({ id }: { readonly id: string }): User | undefined => people.find((user) => user.id === id);

describe.each(platforms)('a login through passport-local on %s', (platform) => {
  const session = scripted();
  let store: WatchedStore;
  let logins: LocalLogins;
  let clock: ReturnType<typeof manualClock>;
  let app: App;

  async function start(
    options: Partial<PassportSessionOptions> = {},
    sessions: SessionModuleOptions = {},
    ofPassport: object = {},
  ): Promise<Visitor> {
    store = new WatchedStore(new MemorySessionStore());
    clock = manualClock();
    logins = localLogins();
    app = await startApp({
      platform,
      options: { store, clock, ...sessions },
      imports: [
        PassportModule.register(ofPassport),
        PassportSessions.forRoot({ principal, deserialize: byId, ...options }),
      ],
      providers: logins.providers,
      controllers: [...logins.controllers, session.controller],
    });
    return visitor(app);
  }
  afterEach(closeApps);

  const logIn = (who: Visitor, username = 'ada', password = 'secret', more: object = {}): Promise<Answer> =>
    who.post('/login', { username, password, ...more });
  const statusOf = async (who: Visitor, path = '/me'): Promise<number> => (await who.get(path)).status;
  const codeOf = ({ status, text }: Answer) => ({
    status,
    code: (JSON.parse(text) as { code: string }).code,
  });
  const list = () => app.get(SessionService).registry.list({ id: 'ada' });

  it('is seen by AuthGuard, by @Principal() and by the registry', async () => {
    const me = await start();
    const { status, text } = await logIn(me);
    expect({ status, text }).toEqual({ status: 201, text: '{"name":"Ada Lovelace"}' });
    const listed = (await list()).map(({ principal }) => principal?.id);
    expect({ me: (await me.get('/me')).json(), listed }).toEqual({
      me: { id: 'ada', realm: 'default', roles: ['admin'] },
      listed: ['ada'],
    });
  });

  it('is refused with a wrong password, and leaves no session', async () => {
    const me = await start();
    const { status, cookies } = await logIn(me, 'ada', 'wrong');
    expect({ status, cookies, me: await statusOf(me) }).toEqual({ status: 401, cookies: [], me: 401 });
  });

  it('is refused without a name, with what the strategy says of it', async () => {
    const me = await start();
    const { status } = await logIn(me, '');
    expect({ status, info: logins.info }).toEqual({ status: 401, info: { message: 'Missing credentials' } });
  });

  it('takes no notice of options that are for middleware only', async () => {
    const me = await start({}, {}, { failureMessage: true });
    expect((await logIn(me, 'ada', 'wrong')).status).toBe(401);
  });

  it('L1: renews the token of the visitor, which an attacker may have planted', async () => {
    const me = await start();
    await session.run(me, (s) => s.set('theme', 'dark'));
    const planted = await me.twin();
    await logIn(me);
    expect({ me: await statusOf(me), attacker: await statusOf(planted) }).toEqual({ me: 200, attacker: 401 });
  });

  it('returns a promise without a callback, after each strategy', async () => {
    const me = await start();
    const { status } = await me.post('/sign-in', { username: 'ada', password: 'secret' });
    expect({ status, me: await statusOf(me) }).toEqual({ status: 201, me: 200 });
  });

  it('is saved when the callback of req.logIn is called', async () => {
    const me = await start();
    let calls: string[] = [];
    logins.after = () => (calls = store.take());
    await logIn(me);
    expect({ before: calls.includes('insert'), after: store.take() }).toEqual({ before: true, after: [] });
  });

  it.each([
    ['drops the data of the visitor, as Passport does', {}, {}, undefined],
    ['keeps it with the option keepData', { login: () => ({ keepData: true }) }, {}, 'dark'],
    ['keeps it with keepSessionInfo of Passport', {}, { keepSessionInfo: true }, 'dark'],
  ])('L5: %s', async (_what, options, ofPassport, expected) => {
    const me = await start(options, {}, ofPassport);
    await session.run(me, (s) => s.set('theme', 'dark'));
    await logIn(me);
    expect(await session.ask(me, (s) => s.get('theme'))).toBe(expected);
  });

  it('takes the options of the login from a function of the user and the request', async () => {
    type Form = { readonly body: { readonly remember: boolean } };
    const me = await start({
      login: ({ id }: User, { body }: Form) => ({ rememberMe: body.remember, amr: ['pwd', id] }),
    });
    const { cookies } = await logIn(me, 'ada', 'secret', { remember: true });
    expect({ cookies, amr: await session.ask(me, (s) => s.amr) }).toEqual({
      cookies: [expect.stringContaining('Max-Age=')],
      amr: ['pwd', 'ada'],
    });
  });

  it('L14: is none while a further factor is due', async () => {
    const me = await start({ login: () => ({ pending: true }) });
    await logIn(me);
    expect({
      me: await statusOf(me),
      user: await statusOf(me, '/user'),
      pending: await session.ask(me, (s) => s.pending?.id),
    }).toEqual({ me: 401, user: 401, pending: 'ada' });
  });

  it('L8: is refused when all sessions of the user ended while the password was checked', async () => {
    const me = await start();
    logins.during = async () => {
      clock.advance(1);
      await app.get(SessionService).endAll({ id: 'ada' });
      clock.advance(1);
    };
    const answer = await logIn(me);
    expect({ ...codeOf(answer), me: await statusOf(me) }).toEqual({
      status: 401,
      code: 'SESSION_LOGIN_OUTDATED',
      me: 401,
    });
  });

  it('L8: is not, after the end of all sessions in the same request, when no strategy has checked it', async () => {
    const me = await start();
    await logIn(me);
    clock.advance(1);
    const { status } = await me.post('/password');
    expect({ status, me: await statusOf(me), listed: (await list()).length }).toEqual({
      status: 201,
      me: 200,
      listed: 1,
    });
  });

  it.each<[string, SessionModuleOptions, number[]]>([
    ['the eldest login ends', {}, [401, 200]],
    ['the newest is refused', { onLimit: 'refuse' }, [200, 401]],
  ])('L9: counts for the limit of sessions: %s', async (_what, more, expected) => {
    const first = await start({}, { maxSessionsPerPrincipal: 1, ...more });
    const second = await visitor(app);
    await logIn(first);
    clock.advance(1);
    const { status } = await logIn(second);
    expect({ status, statuses: [await statusOf(first), await statusOf(second)] }).toEqual({
      status: expected[1] === 200 ? 201 : 403,
      statuses: expected,
    });
  });

  it.each<[string, Partial<PassportSessionOptions>]>([
    ['principal() is asynchronous', { principal: async (user: User) => principal(user) }],
    [
      'every function is',
      { login: async () => ({}), serialize: async () => 1, deserialize: async () => ada },
    ],
  ])('works when %s', async (_what, options) => {
    const me = await start(options);
    const { status } = await logIn(me);
    expect({ status, user: await statusOf(me, '/user') }).toEqual({ status: 201, user: 200 });
  });

  it.each(['principal', 'login', 'serialize'])('changes nothing when %s() fails', async (option) => {
    const me = await start({
      [option]: () => {
        throw new Error('the database is down');
      },
    });
    const { status, cookies } = await logIn(me);
    expect({ status, cookies, listed: await list() }).toEqual({ status: 500, cookies: [], listed: [] });
  });

  it('keeps nothing of a user whose login is refused', async () => {
    const me = await start({
      serialize: ({ name }: User) => name,
      deserialize: ({ id }, stored = '') => ({ id, name: stored }),
    });
    await session.run(me, (s) => s.set('theme', 'dark'));
    logins.during = async () => {
      clock.advance(1);
      await app.get(SessionService).endAll({ id: 'ada' });
    };
    const { status } = await logIn(me);
    await session.run(me, (s) => s.login({ id: 'ada' }));
    expect({ status, user: (await me.get('/user')).json() }).toEqual({
      status: 401,
      user: { user: { id: 'ada', name: '' } },
    });
  });

  it('is a 503 while the store is down, and no login', async () => {
    const me = await start();
    store.before = () => Promise.reject(new Error('down'));
    const down = codeOf(await logIn(me));
    store.before = () => {};
    expect({ ...down, me: await statusOf(me) }).toEqual({
      status: 503,
      code: 'SESSION_STORE_UNAVAILABLE',
      me: 401,
    });
  });

  describe('of a user on later requests', () => {
    it("is request.user behind the guard 'session' of @nestjs/passport", async () => {
      const me = await start();
      await logIn(me);
      expect((await me.get('/user')).json()).toEqual({ user: ada });
    });

    it('is the principal without deserialize', async () => {
      const me = await start({ deserialize: undefined });
      await logIn(me);
      expect((await me.get('/user')).json()).toEqual({
        user: { id: 'ada', realm: 'default', roles: ['admin'] },
      });
    });

    it('is what deserialize makes of what serialize returned', async () => {
      const me = await start({
        serialize: ({ name }: User) => ({ name, since: new Date(0) }),
        deserialize: ({ id }, stored: { name: string; since: Date }) => ({
          id,
          name: `${stored.name} since ${stored.since.getTime()}`,
        }),
      });
      await logIn(me);
      expect({ user: (await me.get('/user')).json(), keys: await session.ask(me, (s) => s.keys()) }).toEqual({
        user: { user: { id: 'ada', name: 'Ada Lovelace since 0' } },
        keys: [],
      });
    });

    it.each<[string, Parameters<typeof session.run>[1], unknown]>([
      ['another principal', (s) => s.login({ id: 'grace' }), { user: 'grace:' }],
      ['the same principal', (s) => s.login({ id: 'ada' }), { user: 'ada:Ada Lovelace' }],
      ['one who is acted as', (s) => s.actAs({ id: 'grace' }), { user: 'grace:' }],
      [
        'another one after a logout',
        (s) => {
          s.logout({ keepData: true });
          s.login({ id: 'grace' });
        },
        { user: 'grace:' },
      ],
    ])('gets what was stored of its own principal only: %s', async (_who, work, expected) => {
      const me = await start({
        serialize: ({ name }: User) => name,
        deserialize: ({ id }, stored = '') => `${id}:${stored}`,
      });
      await logIn(me);
      await session.run(me, work);
      expect((await me.get('/user')).json()).toEqual(expected);
    });

    it.each([
      ['a login', true, {}, { user: 'ada' }],
      ['a password', false, { username: 'grace', password: 'secret' }, { user: 'grace' }],
      ['none of both', false, {}, { message: 'Unauthorized', statusCode: 401 }],
    ])("with a chain of 'session' and another strategy: %s", async (_what, isLoggedIn, body, expected) => {
      const me = await start();
      if (isLoggedIn) await logIn(me);
      expect((await me.post('/either', body)).json()).toEqual(expected);
    });

    it('is refused without a login', async () => {
      const me = await start();
      expect(await statusOf(me, '/user')).toBe(401);
    });

    it.each([null, undefined, false] as const)('ends when deserialize returns %s', async (gone) => {
      let user: User | null | undefined | false = ada;
      const me = await start({ deserialize: () => user });
      await logIn(me);
      user = gone;
      const removed = await statusOf(me, '/user');
      expect({ removed, me: await statusOf(me), listed: await list() }).toEqual({
        removed: 401,
        me: 401,
        listed: [],
      });
    });

    it('stays when deserialize fails', async () => {
      let fails = false;
      const me = await start({
        deserialize: () => {
          if (fails) throw new Error('the database is down');
          return ada;
        },
      });
      await logIn(me);
      fails = true;
      expect({ user: await statusOf(me, '/user'), me: await statusOf(me) }).toEqual({ user: 500, me: 200 });
    });
  });

  describe('and its logout', () => {
    it('ends the session, and its token', async () => {
      const me = await start();
      await logIn(me);
      await session.run(me, (s) => s.set('theme', 'dark'));
      const thief = await me.twin();
      const { text } = await me.post('/logout');
      expect({
        text,
        me: await statusOf(me),
        thief: await statusOf(thief),
        theme: await session.ask(me, (s) => s.get('theme') ?? null),
        listed: await list(),
      }).toEqual({ text: '{"user":null}', me: 401, thief: 401, theme: null, listed: [] });
    });

    it('keeps the data under a new token with keepSessionInfo', async () => {
      const me = await start();
      await logIn(me);
      await session.run(me, (s) => s.set('theme', 'dark'));
      const before = await me.token();
      await me.post('/logout', { keepSessionInfo: true });
      expect({
        me: await statusOf(me),
        isNewToken: (await me.token()) !== before,
        theme: await session.ask(me, (s) => s.get('theme')),
      }).toEqual({ me: 401, isNewToken: true, theme: 'dark' });
    });

    it('tells the callback of a store that is down, and is none', async () => {
      const me = await start();
      await logIn(me);
      store.before = (operation) => {
        if (operation !== 'find') throw new Error('down');
      };
      const told: unknown[] = [];
      logins.after = (error) => void told.push(error);
      const down = codeOf(await me.post('/logout'));
      store.before = () => {};
      const code = 'SESSION_STORE_UNAVAILABLE';
      expect({ ...down, told, me: await statusOf(me) }).toMatchObject({
        status: 503,
        code,
        told: [{ code }],
        me: 200,
      });
    });

    it('returns a promise without a callback, as req.logIn does', async () => {
      const me = await start();
      await logIn(me);
      const { text } = await me.post('/switch');
      expect({
        user: (JSON.parse(text) as { user: User }).user.id,
        me: (await me.get('/me')).json(),
      }).toEqual({
        user: 'grace',
        me: { id: 'grace', realm: 'default', roles: [] },
      });
    });
  });
});
