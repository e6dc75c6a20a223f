import { UnauthorizedException, type Type } from '@nestjs/common';
import { manualClock, type ManualClock } from 'nestjs-tessera/testing';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { MINUTE } from '../support/core';
import '../support/session-data';
import { visitor, type Visitor } from '../support/visitor';
import { exportsOf } from './guide-code';
import { Markdown } from './markdown';

interface Account {
  readonly id: number;
  readonly roles: string[];
  readonly hasTotp: boolean;
  password: string;
}

/** Passwords in clear: this is the part that the guide leaves to the application. */
class Users {
  readonly #accounts: Account[] = [
    { id: 1, roles: [], hasTotp: true, password: 'of ada' },
    { id: 2, roles: [], hasTotp: false, password: 'of bob' },
    { id: 3, roles: ['support'], hasTotp: false, password: 'of sue' },
    { id: 4, roles: ['admin'], hasTotp: false, password: 'of pia' },
  ];

  async verify(email: string, password: string) {
    const account = this.#accounts.find(({ id }) => email === `${id}@example.com`);
    if (account?.password !== password) throw new UnauthorizedException();
    return account;
  }
  async find(id: string) {
    return this.#accounts.find((account) => String(account.id) === id);
  }
  async passwordMatches(id: string, password: string) {
    return (await this.find(id))?.password === password;
  }
  async setPassword(id: string, password: string) {
    (await this.find(id))!.password = password;
  }
  async totpMatches(_id: string, code: string) {
    return code === '123456';
  }
}

class Form {}
const forms = { LoginForm: Form, CodeForm: Form, PasswordForm: Form, NewPasswordForm: Form };

/** The controllers of the guides, by the page that has them. */
const controllers = Object.entries({
  'second-factor': ['LoginController', 'AccountController', 'TransfersController'],
  timeouts: ['UnlockController'],
  devices: ['LoginPage', 'DevicesController', 'SessionsAdminController'],
  login: ['SupportController', 'PasswordController'],
}).flatMap(([page, names]) => {
  const guide = new Markdown(`docs/${page}.md`);
  return names.map(
    (name) => exportsOf<Record<string, Type>>(guide, `class ${name} `, { Users, ...forms })[name]!,
  );
});

describe.each(platforms)('the code of the guides to logins on %s', (platform) => {
  let app: App;
  let clock: ManualClock;

  beforeEach(async () => {
    clock = manualClock(Date.UTC(2026, 2, 1));
    jest.spyOn(Date, 'now').mockImplementation(clock);
    const options = { clock, lifetime: '12h', idleTimeout: '15m', onIdle: 'lock' } as const;
    app = await startApp({
      platform,
      options: { ...options, maxSessionsPerPrincipal: 2, devices: () => 'Firefox on Windows' },
      controllers,
      providers: [Users],
    });
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await closeApps();
  });

  const [ada, bob, sue, pia] = [1, 2, 3, 4].map((id) => ({ email: `${id}@example.com` }));
  const logIn = async (form: object, password: string): Promise<Visitor> => {
    const client = await visitor(app);
    await client.post('/login', { ...form, password });
    return client;
  };
  const logInTwice = async (form: object, password: string): Promise<Visitor> => {
    const client = await logIn(form, password);
    await client.post('/login/code', { code: '123456' });
    return client;
  };
  /** The status and the code of an answer. */
  const told = async (answer: ReturnType<Visitor['get']>): Promise<string> => {
    const { status, text } = await answer;
    const [, code] = /"code":"(\w+)"/.exec(text) ?? [];
    return code === undefined ? String(status) : `${status} ${code}`;
  };

  it('completes a login with a second factor, and not before', async () => {
    const client = await visitor(app);
    const next = (await client.post('/login', { ...ada, password: 'of ada' })).json();
    expect({
      next,
      pending: await told(client.get('/devices')),
      wrong: await told(client.post('/login/code', { code: '000000' })),
      right: await told(client.post('/login/code', { code: '123456' })),
      complete: await told(client.get('/devices')),
      again: await told(client.post('/login/code', { code: '123456' })),
    }).toEqual({
      next: { next: '/login/code' },
      pending: '401 LOGIN_PENDING',
      wrong: '401',
      right: '201',
      complete: '200',
      again: '403 PENDING_LOGIN_REQUIRED',
    });
  });

  it('asks for a recent proof, and for a second factor', async () => {
    const client = await logInTwice(ada!, 'of ada');
    const single = await logIn(bob!, 'of bob');
    clock.advance(10 * MINUTE + 1);
    expect({
      old: await told(client.post('/account/email')),
      wrong: await told(client.post('/account/confirm', { password: 'of bob' })),
      right: await told(client.post('/account/confirm', { password: 'of ada' })),
      recent: await told(client.post('/account/email')),
      twoFactors: await told(client.get('/account/invoices')),
      oneFactor: await told(single.get('/account/invoices')),
      code: await told(single.post('/account/code', { code: '123456' })),
      proved: await told(single.get('/account/invoices')),
    }).toEqual({
      old: '401 RECENT_LOGIN_REQUIRED',
      wrong: '401',
      right: '201',
      recent: '201',
      twoFactors: '200',
      oneFactor: '401 LEVEL_REQUIRED',
      code: '201',
      proved: '200',
    });
  });

  it('allows a confirmed operation once', async () => {
    const client = await logInTwice(ada!, 'of ada');
    const before = await told(client.post('/transfers/42'));
    await client.post('/transfers/42/confirm', { code: '123456' });
    const paths = ['/transfers/43', '/transfers/42', '/transfers/42', '/transfers/42'];
    const [other, ...confirmed] = await Promise.all(paths.map((path) => told(client.post(path))));
    expect({ before, other, confirmed: confirmed.sort() }).toEqual({
      before: '403',
      other: '403',
      confirmed: ['201', '403', '403'],
    });
  });

  it('locks an idle login, and unlocks it with the level that it had', async () => {
    const client = await logInTwice(ada!, 'of ada');
    clock.advance(15 * MINUTE);
    expect({
      locked: await told(client.get('/devices')),
      wrong: await told(client.post('/unlock', { password: 'of bob' })),
      right: await told(client.post('/unlock', { password: 'of ada' })),
      unlocked: await told(client.get('/account/invoices')),
      visitor: await told((await visitor(app)).post('/unlock', { password: 'of ada' })),
    }).toEqual({
      locked: '401 SESSION_LOCKED',
      wrong: '401',
      right: '201',
      unlocked: '200',
      visitor: '401',
    });
    clock.advance(15 * MINUTE - 1);
    expect(await told(client.get('/devices'))).toBe('200');
  });

  it('tells the client that a third login has logged out', async () => {
    const first = await logIn(bob!, 'of bob');
    clock.advance(1);
    const second = await logIn(bob!, 'of bob');
    clock.advance(1);
    const third = await logIn(bob!, 'of bob');
    expect({
      first: (await first.get('/login')).text,
      second: (await second.get('/login')).text,
      third: await told(third.get('/devices')),
    }).toEqual({
      first: expect.stringContaining('a third device'),
      second: 'Please log in.',
      third: '200',
    });
  });

  it('lists the sessions of a user, and ends one of them for nobody else', async () => {
    const phone = await logIn(bob!, 'of bob');
    const laptop = await logIn(bob!, 'of bob');
    const list = (await laptop.get('/devices')).json<{ id: string; isCurrent: boolean }[]>();
    const { id } = list.find(({ isCurrent }) => !isCurrent)!;
    const path = `/devices/${id}`;
    expect({
      list,
      stranger: await told((await logInTwice(ada!, 'of ada')).request('DELETE', path)),
      stays: await told(phone.get('/devices')),
      owner: await told(laptop.request('DELETE', path)),
      ended: await told(phone.get('/devices')),
    }).toEqual({
      list: [
        expect.objectContaining({ device: 'Firefox on Windows' }),
        expect.objectContaining({ device: 'Firefox on Windows' }),
      ],
      stranger: '404',
      stays: '200',
      owner: '200',
      ended: '401 LOGIN_REQUIRED',
    });
  });

  it('lets an administrator, and no user, end the sessions of any user', async () => {
    const phone = await logIn(bob!, 'of bob');
    const laptop = await logIn(bob!, 'of bob');
    const admin = await logIn(pia!, 'of pia');
    const [first] = (await admin.get('/admin/users/2/sessions')).json<{ id: string }[]>();
    const remaining = async (): Promise<number> =>
      (await admin.get('/admin/users/2/sessions')).json<unknown[]>().length;
    expect({
      user: await told(phone.get('/admin/users/2/sessions')),
      one: await told(admin.request('DELETE', `/admin/sessions/${first!.id}`)),
      again: await told(admin.request('DELETE', `/admin/sessions/${first!.id}`)),
      afterOne: await remaining(),
      all: await told(admin.request('DELETE', '/admin/users/2/sessions')),
      afterAll: await remaining(),
      phone: await told(phone.get('/devices')),
      laptop: await told(laptop.get('/devices')),
    }).toEqual({
      user: '403 ROLE_REQUIRED',
      one: '200',
      again: '404',
      afterOne: 1,
      all: '200',
      afterAll: 0,
      phone: '401 LOGIN_REQUIRED',
      laptop: '401 LOGIN_REQUIRED',
    });
  });

  it('lets an agent act as a customer, and do there what agents may', async () => {
    const agent = await logIn(sue!, 'of sue');
    expect({
      customer: await told((await logIn(bob!, 'of bob')).post('/customers/1/act')),
      colleague: await told(agent.post('/customers/3/act')),
      act: await told(agent.post('/customers/2/act')),
      acting: await told(agent.post('/close-account')),
      devices: await told(agent.request('DELETE', '/devices')),
      twice: await told(agent.post('/customers/2/act')),
      stop: await told(agent.post('/stop-acting')),
      stopped: await told(agent.post('/close-account')),
    }).toEqual({
      customer: '403 ROLE_REQUIRED',
      colleague: '403',
      act: '201',
      acting: '403',
      devices: '403',
      twice: '403 ROLE_REQUIRED',
      stop: '201',
      stopped: '201',
    });
  });

  it('keeps the browser in which a password is changed, and tells the others', async () => {
    const other = await logIn(bob!, 'of bob');
    const client = await logIn(bob!, 'of bob');
    expect({
      wrong: await told(client.post('/password', { password: 'x', newPassword: 'new' })),
      right: await told(client.post('/password', { password: 'of bob', newPassword: 'new' })),
      stays: await told(client.get('/devices')),
      other: (await other.get('/login')).text,
      oldPassword: await told((await visitor(app)).post('/login', { ...bob, password: 'of bob' })),
    }).toEqual({
      wrong: '401',
      right: '201',
      stays: '200',
      other: expect.stringContaining('Your password was changed'),
      oldPassword: '401',
    });
    clock.advance(1);
    expect(await told((await visitor(app)).post('/login', { ...bob, password: 'new' }))).toBe('201');
  });
});

describe.each(platforms)('the first login of docs/login.md on %s', (platform) => {
  afterEach(closeApps);

  it('logs in, knows the user, and logs out', async () => {
    const guide = new Markdown('docs/login.md');
    const { AppModule } = exportsOf<{ AppModule: Type }>(guide, 'scryptSync', {});
    const app = await startApp({ platform, options: false, imports: [AppModule], controllers: [] });
    const ada = await visitor(app);
    const logIn = (password: string) => ada.post('/login', { email: 'ada@example.com', password });
    expect({
      wrong: (await logIn('babbage')).status,
      before: (await ada.get('/me')).status,
      right: (await logIn('lovelace')).json(),
      me: (await ada.get('/me')).json(),
      logout: (await ada.post('/logout')).json(),
      after: (await ada.get('/me')).status,
    }).toEqual({
      wrong: 401,
      before: 401,
      right: { loggedIn: true },
      me: { id: '7', realm: 'default', roles: ['admin'] },
      logout: { loggedIn: false },
      after: 401,
    });
  });

  it('R12: ends the session also when the logout comes with the token of just before', async () => {
    const { AppModule } = exportsOf<{ AppModule: Type }>(new Markdown('docs/login.md'), 'scryptSync', {});
    const app = await startApp({ platform, options: false, imports: [AppModule], controllers: [] });
    const ada = await visitor(app);
    const logIn = () => ada.post('/login', { email: 'ada@example.com', password: 'lovelace' });
    await logIn();
    const before = await ada.twin();
    await logIn();
    const logout = await before.post('/logout');
    const after = await ada.get('/me');
    expect({ logout: logout.status, after: after.status }).toEqual({ logout: 201, after: 401 });
  });
});
