import { once } from 'node:events';
import {
  Controller,
  Get,
  Inject,
  Logger,
  Module,
  Post,
  UnauthorizedException,
  UseGuards,
  type Type,
} from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { AuthGuard, Session, SessionModule, SessionRegistry } from 'nestjs-tessera';
import { SessionHealthIndicator } from 'nestjs-tessera/terminus';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { scripted } from '../support/scripted';
import { visitor, type Answer, type Visitor } from '../support/visitor';
import { exportsOf } from './guide-code';
import { Markdown } from './markdown';

const guide = new Markdown('docs/recipes.md');

class Users {
  async verify(_email: string, password: string) {
    if (password !== 'lovelace') throw new UnauthorizedException();
    return { id: 7, roles: [] };
  }
  async setPassword() {}
}
class Form {}

/** What a snippet of the page exports. */
const recipe = <T = Record<string, Type>>(text: string): T =>
  exportsOf<T>(guide, text, { Users, AddItem: Form, LoginForm: Form, PasswordForm: Form });
const classOf = (name: string): Type => recipe(`class ${name} `)[name]!;

describe.each(platforms)('the recipes on %s', (platform) => {
  const { controller, ask, run } = scripted();

  const start = (controllers: string[], providers: Type[] = [], options = {}): Promise<App> =>
    startApp({
      platform,
      options,
      controllers: [controller, ...controllers.map(classOf)],
      providers: [Users, ...providers],
    });
  const startModule = (module: Type, controllers: Type[] = []): Promise<App> =>
    startApp({
      platform,
      options: false,
      imports: [module],
      controllers: [controller, ...controllers],
      providers: [Users],
    });
  const statusOf = async (answer: ReturnType<Visitor['get']>): Promise<number> => (await answer).status;
  const codeOf = async (answer: ReturnType<Visitor['get']>): Promise<string | undefined> =>
    (await answer).json<{ code?: string }>().code;

  afterEach(async () => {
    jest.restoreAllMocks();
    await closeApps();
  });

  it('keep a cart over the login', async () => {
    const ada = await visitor(await start(['CartController']));
    await ada.post('/cart', { item: 'pear' });
    expect((await ada.post('/cart/checkout')).json()).toEqual(['pear']);
  });

  it('remember a browser whose checkbox was ticked', async () => {
    const app = await start(['RememberController']);
    const form = { email: 'ada@example.com', password: 'lovelace' };
    const [ticked, empty] = [await visitor(app), await visitor(app)];
    expect({
      ticked: (await ticked.post('/login', { ...form, remember: 'on' })).cookies,
      empty: (await empty.post('/login', form)).cookies,
    }).toEqual({
      ticked: [expect.stringContaining('Max-Age=')],
      empty: [expect.not.stringContaining('Max-Age=')],
    });
  });

  it('go back to the page wanted before the login', async () => {
    const { FormLoginModule } = recipe('class FormLoginModule');
    @UseGuards(AuthGuard)
    @Controller('orders')
    class OrdersController {
      @Get(':id') order() {}
    }
    @Module({ imports: [SessionModule.forRoot(), FormLoginModule!] })
    class Root {}
    const ada = await visitor(await startModule(Root, [OrdersController]));
    const refused = await ada.get('/orders/42', { headers: { accept: 'text/html' } });
    const login = await ada.post('/login', { email: 'ada@example.com', password: 'lovelace' });
    const redirectOf = ({ status, headers }: Answer): unknown => [status, headers.get('location')];
    expect({ refused: redirectOf(refused), login: redirectOf(login) }).toEqual({
      refused: [303, '/login'],
      login: [303, '/orders/42'],
    });
  });

  it('tell why a session has ended', async () => {
    const app = await start(['WhoAmIController']);
    const ada = await visitor(app);
    const id = await ask(ada, (session) => (session.login({ id: 7 }), session.id));
    const before = (await ada.get('/session')).json();
    await app.get(SessionRegistry).end(id, { reason: 'password-changed' });
    expect({ before, after: (await ada.get('/session')).json() }).toEqual({
      before: { user: '7', endedBecause: null },
      after: { user: null, endedBecause: 'password-changed' },
    });
  });

  it('ask how much time is left without prolonging the session', async () => {
    const app = await start(['TimeLeftController'], [], { idleTimeout: 10_000 });
    const ada = await visitor(app);
    await ask(ada, (session) => session.login({ id: 7 }));
    const at = Date.now();
    const leftAt = async (after: number, method = 'GET', path = '/session/left'): Promise<number> => {
      jest.spyOn(Date, 'now').mockReturnValue(at + after);
      return (await ada.request(method, path)).json<{ milliseconds: number }>().milliseconds;
    };
    const [first, second] = [await leftAt(2000), await leftAt(6000)];
    const continued = await leftAt(7000, 'POST', '/session/continue');
    expect({
      polls: first - second,
      isContinued: continued > first,
      later: await leftAt(16_000),
    }).toEqual({ polls: 4000, isContinued: true, later: 1000 });
  });

  it('tell an end by time from one by another cause, in the page', async () => {
    type Watch = { ask(): Promise<void>; stop(): void };
    type Show = { banner(seconds: number): void; login(why: string): void };
    const app = await start(['TimeLeftController'], [], { idleTimeout: 60_000 });
    const ada = await visitor(app);
    const shown: unknown[] = [];
    const show: Show = {
      banner: (seconds) => void shown.push(seconds),
      login: (why) => void shown.push(why),
    };
    const fetchAsAda = async (path: string) => {
      const answer = await ada.get(path);
      return { status: answer.status, json: async () => answer.json() };
    };
    const { watchTimeLeft } = exportsOf<{ watchTimeLeft(show: Show): Watch }>(
      guide,
      'function watchTimeLeft',
      { fetch: fetchAsAda },
    );
    for (const isLate of [true, false]) {
      jest.restoreAllMocks();
      await ask(ada, (session) => session.login({ id: 7 }));
      const at = Date.now();
      jest.spyOn(Date, 'now').mockReturnValue(at);
      const watch = watchTimeLeft(show);
      await watch.ask();
      if (isLate) {
        jest.spyOn(Date, 'now').mockReturnValue(at + 61_000);
        await ask(ada, () => null); // it is told the reason, and no later request is
      } else await app.get(SessionRegistry).endAll({ id: 7 });
      await watch.ask();
      watch.stop();
    }
    expect(shown).toEqual([60, 'not active', 60, 'revoked']);
  });

  it('log out everywhere but here after a new password', async () => {
    type Changes = { change(user: { id: string }, password: string): Promise<void> };
    const PasswordChanges = classOf('PasswordChanges');
    @Controller('change')
    class ChangeController {
      constructor(@Inject(PasswordChanges) private readonly changes: Changes) {}
      @Post() async change(@Session() session: Session) {
        await this.changes.change({ id: session.principal!.id }, 'new');
      }
    }
    const app = await startApp({
      platform,
      controllers: [controller, ChangeController],
      providers: [Users, PasswordChanges],
    });
    const [here, there] = [await visitor(app), await visitor(app)];
    for (const client of [here, there]) await ask(client, (session) => session.login({ id: 7 }));
    expect(await statusOf(here.post('/change'))).toBe(201);
    const stateOf = (client: Visitor): Promise<unknown> =>
      ask(client, ({ principal, endedBecause }) => [principal?.id, endedBecause]);
    expect({ here: await stateOf(here), there: await stateOf(there) }).toEqual({
      here: ['7', null],
      there: [null, 'password-changed'],
    });
  });

  it('allow one session per user', async () => {
    const { OneSessionModule } = recipe('class OneSessionModule');
    const app = await startModule(OneSessionModule!);
    const [first, second] = [await visitor(app), await visitor(app)];
    await ask(first, (session) => session.login({ id: 7 }));
    await ask(second, (session) => session.login({ id: 7 }));
    expect(await ask(first, (session) => session.endedBecause)).toBe('evicted');
  });

  it('let an administrator, and no other, block a user', async () => {
    const app = await start(['BlockController']);
    const [admin, user] = [await visitor(app), await visitor(app)];
    await ask(admin, (session) => session.login({ id: 1, roles: ['admin'] }));
    await ask(user, (session) => session.login({ id: 7 }));
    expect({
      byUser: await codeOf(user.post('/admin/users/7/block')),
      byAdmin: await statusOf(admin.post('/admin/users/7/block')),
      told: await ask(user, (session) => session.endedBecause),
    }).toEqual({ byUser: 'ROLE_REQUIRED', byAdmin: 201, told: 'blocked' });
  });

  it('let support act as a user and stop', async () => {
    const agent = await visitor(await start(['ActingController']));
    await ask(agent, (session) => session.login({ id: 3, roles: ['support'] }));
    const who = (): Promise<unknown> => ask(agent, ({ principal, actor }) => [principal?.id, actor?.id]);
    await agent.post('/support/act/7');
    const acting = await who();
    await agent.post('/support/stop');
    expect({ acting, stopped: await who() }).toEqual({ acting: ['7', '3'], stopped: ['3', null] });
  });

  it('take an OAuth state once, of the browser that began', async () => {
    const app = await start(['OAuthController']);
    const [ada, eve] = [await visitor(app), await visitor(app)];
    const { state } = (await ada.get('/oauth/start')).json<{ state: string }>();
    await eve.get('/oauth/start');
    const back = (client: Visitor): Promise<number> => statusOf(client.get(`/oauth/callback?state=${state}`));
    const other = await back(eve);
    const answers = await Promise.all([back(ada), back(ada), back(ada)]);
    expect({ other, answers: answers.sort() }).toEqual({ other: 401, answers: [200, 401, 401] });
  });

  it('accept a form once', async () => {
    const ada = await visitor(await start(['OrderController']));
    const { ticket } = (await ada.get('/order')).json<{ ticket: string }>();
    const answers = await Promise.all([1, 2, 3].map(() => statusOf(ada.post('/order', { ticket }))));
    expect(answers.sort()).toEqual([201, 409, 409]);
  });

  it('keep the tenant of a login', async () => {
    const ada = await visitor(await start(['TenantController']));
    await ada.post('/tenant/acme/login');
    expect({
      tenant: (await ada.get('/tenant')).json(),
      other: await statusOf(ada.post('/tenant/umbrella/login')),
      stays: (await ada.get('/tenant')).json(),
    }).toEqual({ tenant: { tenant: 'acme' }, other: 500, stays: { tenant: 'acme' } });
  });

  it('check permissions in the guard', async () => {
    const { ScopesModule, NeedsScope } = recipe<{
      ScopesModule: Type;
      NeedsScope: (scope: string) => MethodDecorator;
    }>('class ScopesModule');
    @UseGuards(AuthGuard)
    @Controller('scoped')
    class ScopedController {
      @NeedsScope('orders.read')
      @Get('orders')
      orders() {}
    }
    const app = await startModule(ScopesModule, [ScopedController]);
    const [reader, other] = [await visitor(app), await visitor(app)];
    await ask(reader, (session) => session.login({ id: 7, claims: { scopes: ['orders.read'] } }));
    await ask(other, (session) => session.login({ id: 8 }));
    expect({
      reader: await statusOf(reader.get('/scoped/orders')),
      other: await codeOf(other.get('/scoped/orders')),
    }).toEqual({ reader: 200, other: 'NOT_AUTHORIZED' });
  });

  it('draw a bucket once', async () => {
    const ada = await visitor(await start(['HomeController']));
    const drawn = new Set<string>();
    for (let visit = 0; visit < 20; visit++) drawn.add((await ada.get('/home')).text);
    expect(drawn.size).toBe(1);
  });

  it('end server-sent events at logout', async () => {
    const { PricesModule } = recipe('class PricesModule');
    const app = await startModule(PricesModule!);
    const ada = await visitor(app);
    await ask(ada, (session) => session.login({ id: 7 }));
    const cookie = `__Host-session=${await ada.token()}`;
    const stream = await fetch(`${await app.getUrl()}/prices`, { headers: { cookie } });
    await run(ada, (session) => session.logout());
    await stream.text(); // ends
    expect({ status: stream.status, again: await codeOf(ada.get('/prices')) }).toEqual({
      status: 200,
      again: 'LOGIN_REQUIRED',
    });
  });

  it('log the session of a request, and of an error', async () => {
    const [RequestLog, ReportFilter] = [classOf('RequestLog'), classOf('ReportFilter')];
    const [log, warn] = (['log', 'warn'] as const).map((level) =>
      jest.spyOn(Logger.prototype, level).mockReturnValue(),
    );
    const app = await startApp({
      platform,
      controllers: [controller],
      providers: [
        { provide: APP_INTERCEPTOR, useClass: RequestLog },
        { provide: APP_FILTER, useClass: ReportFilter },
      ],
    });
    const ada = await visitor(app);
    const id = await ask(ada, (session) => (session.login({ id: 7 }), session.id));
    const { status } = await run(ada, () => {
      throw new Error('broken');
    });
    expect({
      status,
      logged: log!.mock.calls.flat().at(-1),
      reported: warn!.mock.calls.flat().at(-1),
    }).toEqual({
      status: 500,
      logged: { method: 'POST', url: expect.stringContaining('/scripted'), session: id, user: '7' },
      reported: { error: 'Error: broken', session: id, user: '7' },
    });
  });

  it('say that the store answers', async () => {
    const app = await startApp({
      platform,
      imports: [TerminusModule],
      controllers: [classOf('ReadyController')],
      providers: [SessionHealthIndicator],
    });
    expect(await statusOf((await visitor(app)).get('/ready'))).toBe(200);
  });
});

describe('the recipes', () => {
  it('limit failed logins by account and by address', () => {
    const FailedLogins = classOf('FailedLogins') as Type<{
      note(email: string, address: string): void;
      assertFew(email: string, address: string): void;
    }>;
    const failures = new FailedLogins();
    const isAllowed = (email: string, address: string): boolean => {
      try {
        failures.assertFew(email, address);
        return true;
      } catch {
        return false;
      }
    };
    for (let index = 0; index < 10; index++) failures.note('ada@example.com', `192.0.2.${index}`);
    for (let index = 0; index < 50; index++) failures.note(`${index}@example.com`, '198.51.100.1');
    expect({
      account: isAllowed('ada@example.com', '203.0.113.1'),
      address: isAllowed('bob@example.com', '198.51.100.1'),
      other: isAllowed('bob@example.com', '203.0.113.1'),
    }).toEqual({ account: false, address: false, other: true });
  });

  it('tell other tabs of a logout', async () => {
    const { watchTabs } = recipe<{ watchTabs(onLogout: () => void): { loggedOut(): void; close(): void } }>(
      'function watchTabs',
    );
    const other = new EventTarget();
    const told = once(other, 'logout');
    const tabs = [watchTabs(() => undefined), watchTabs(() => other.dispatchEvent(new Event('logout')))];
    tabs[0]!.loggedOut();
    await told;
    tabs.forEach((tab) => tab.close());
  });
});
