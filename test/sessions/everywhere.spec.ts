import { Body, Controller, Post } from '@nestjs/common';
import { setTimeout as pause } from 'node:timers/promises';
import { MemorySessionStore, SessionEvents, SessionService, type SessionEvent } from 'nestjs-tessera';
import { SealedSessions } from 'nestjs-tessera/sealed';
import { manualClock } from 'nestjs-tessera/testing';
import { KEY } from '../sealed/sealed';
import { closeApps, platforms, startApp, type Platform } from '../support/app';
import { scripted, type Scripted } from '../support/scripted';
import '../support/session-data';
import { describeStores } from '../support/stores';
import { visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';

/** The recipe of the README. */
@Controller()
class AccountSecurity {
  constructor(private readonly sessions: SessionService) {}

  @Post('password') async passwordChanged() {
    await this.sessions.endAll({ id: 7 }, { except: 'current' });
  }

  @Post('reset') async reset() {
    await this.sessions.login({ id: 7 }, { checkedAt: Date.now() });
    await this.sessions.endAll({ id: 7 }, { except: 'current' });
  }

  @Post('password-and-cart') async merged(@Body() { token }: { token: string }) {
    (await this.sessions.current()).merge(token);
    await this.sessions.endAll({ id: 7 }, { except: 'current' });
  }

  @Post('password-and-more') async beside() {
    const session = await this.sessions.current();
    session.set('visits', 1);
    await Promise.all([
      this.sessions.endAll({ id: 7 }, { except: 'current' }),
      this.sessions.commit(),
      this.sessions.take('visits'),
    ]);
  }

  @Post('login') async logIn(@Body() { checkedAt }: { checkedAt: number }) {
    await this.sessions.login({ id: 7 }, { checkedAt });
  }
}

const start = (
  platform: Platform,
  { controller }: Scripted,
  options: Parameters<typeof startApp>[0]['options'] = {},
) => startApp({ platform, options, controllers: [controller, AccountSecurity] });

describeStores('a user logged out everywhere else, with', ({ create }) => {
  it('W12: keeps this browser, its data and a quiet log, and loses all others', async () => {
    const under = await create();
    const session = scripted();
    const app = await start('fastify', session, { store: under.store });
    const events: SessionEvent[] = [];
    app.get(SessionEvents).subscribe((event) => events.push(event));
    const [here, there, other] = [await visitor(app), await visitor(app), await visitor(app)];
    await session.run(here, (s) => (s.set('cart', ['pear']), s.login({ id: 7 })));
    await session.run(there, (s) => s.login({ id: 7 }));
    await session.run(other, (s) => s.login({ id: 8 }));
    const before = await here.token();

    await here.post('/password');
    const cart = await session.ask(here, (s) => s.get('cart'));
    expect({ cart, isRenewed: (await here.token()) !== before }).toEqual({ cart: ['pear'], isRenewed: true });
    expect(events.filter(({ type }) => type === 'rejected')).toEqual([]);
    const whoIs = (who: typeof here) => session.ask(who, ({ principal }) => principal?.id ?? null);
    expect([await whoIs(here), await whoIs(there), await whoIs(other)]).toEqual(['7', null, '8']);
    await closeApps();
    await under.close();
  });
});

it.each(platforms)(
  'W18: a login on %s that checked the old password is a 401, and its visitor may try again',
  async (platform) => {
    const session = scripted();
    const app = await start(platform, session);
    const who = await visitor(app);
    await session.run(who, (s) => s.set('cart', ['pear']));
    const checkedAt = Date.now();
    await app.get(SessionService).endAll({ id: 7 });
    const refused = await who.post('/login', { checkedAt });
    const facts = await session.ask(who, (s) => ({ cart: s.get('cart'), principal: s.principal }));
    expect({ status: refused.status, body: refused.json(), facts }).toEqual({
      status: 401,
      body: {
        statusCode: 401,
        error: 'Unauthorized',
        code: 'SESSION_LOGIN_OUTDATED',
        message: 'Log in again',
      },
      facts: { cart: ['pear'], principal: null },
    });
    while (Date.now() <= checkedAt) await new Promise((resolve) => setImmediate(resolve));
    expect((await who.post('/login', { checkedAt: Date.now() })).status).toBe(201);
    expect(await session.ask(who, ({ principal }) => principal?.id)).toBe('7');
    await closeApps();
  },
);

it.each(platforms)('W18: a check on %s that is older than an hour is a 401', async (platform) => {
  const app = await startApp({ platform, controllers: [AccountSecurity] });
  const refused = await (await visitor(app)).post('/login', { checkedAt: Date.now() - 3_600_001 });
  expect(refused).toMatchObject({ status: 401 });
  expect(refused.json()).toMatchObject({ code: 'SESSION_LOGIN_OUTDATED' });
  await closeApps();
});

it.each(platforms)('W18: a login on %s may end all other sessions in the same request', async (platform) => {
  const session = scripted();
  const app = await start(platform, session);
  const who = await visitor(app);
  await who.post('/reset');
  expect(await session.ask(who, ({ principal }) => principal?.id)).toBe('7');
  await closeApps();
});

it.each(platforms)(
  'R14, W18: a client on %s has its new token although the rest failed',
  async (platform) => {
    const session = scripted();
    const store = new WatchedStore(new MemorySessionStore());
    const app = await start(platform, session, { store });
    const [here, there] = [await visitor(app), await visitor(app)];
    await session.run(here, (s) => s.login({ id: 7 }));
    await session.run(there, (s) => s.set('cart', ['pear']));
    let updates = 0;
    store.before = (operation) => {
      if (operation === 'update' && ++updates > 1) throw new Error('down');
    };
    const { status } = await here.post('/password-and-cart', { token: await there.token() });
    store.before = () => {};
    const whoIs = await session.ask(here, ({ principal }) => principal?.id);
    expect({ status, whoIs }).toEqual({ status: 503, whoIs: '7' });
    await closeApps();
  },
);

it.each(platforms)(
  'W18: a sealed session on %s stays beside other commits of its request',
  async (platform) => {
    const session = scripted();
    const list = new WatchedStore(new MemorySessionStore());
    // The answers to writes are slower than all else that the request does.
    list.after = (operation) => (operation === 'find' ? undefined : pause(20));
    const app = await start(platform, session, {
      store: new SealedSessions({ keys: [KEY], revocations: list }),
    });
    const who = await visitor(app);
    await session.run(who, (s) => s.login({ id: 7 }));
    const { status } = await who.post('/password-and-more');
    const whoIs = await session.ask(who, ({ principal }) => principal?.id);
    expect({ status, whoIs }).toEqual({ status: 201, whoIs: '7' });
    await closeApps();
  },
);

it.each(platforms)('W18: a sealed session on %s stays when all others are ended', async (platform) => {
  const session = scripted();
  const store = new SealedSessions({ keys: [KEY], revocations: new MemorySessionStore() });
  const app = await start(platform, session, { store });
  const [here, there] = [await visitor(app), await visitor(app)];
  await session.run(here, (s) => (s.set('cart', ['pear']), s.login({ id: 7 })));
  await session.run(there, (s) => s.login({ id: 7 }));
  await here.post('/password');
  const whoIs = (who: typeof here) => session.ask(who, ({ principal }) => principal?.id ?? null);
  const cart = await session.ask(here, (s) => s.get('cart'));
  expect({ here: await whoIs(here), cart, there: await whoIs(there) }).toEqual({
    here: '7',
    cart: ['pear'],
    there: null,
  });
  await closeApps();
});

it.each(platforms)(
  'W18: a check on %s that took its instant from the sessions is good under any clock',
  async (platform) => {
    const clock = manualClock();
    const app = await startApp({ platform, options: { clock }, controllers: [AccountSecurity] });
    const sessions = app.get(SessionService);
    const begun = sessions.now();
    clock.advance('1m');
    const login = await (await visitor(app)).post('/login', { checkedAt: begun });
    expect({ status: login.status, passed: sessions.now() - begun }).toEqual({ status: 201, passed: 60_000 });
    await closeApps();
  },
);
