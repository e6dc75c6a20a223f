import {
  MemorySessionStore,
  SessionEvents,
  SessionRegistry,
  type SessionEvent,
  type SessionModuleOptions,
} from 'nestjs-tessera';
import { manualClock, type ManualClock } from '../../lib/testing/manual-clock';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { HOUR, MINUTE } from '../support/core';
import { scripted, type Scripted } from '../support/scripted';
import '../support/session-data';
import { visitor, type Answer, type Visitor } from '../support/visitor';

const ada = { id: 'ada' };
const IDLE = 30 * MINUTE;

describe.each(platforms)('a limit of sessions on %s', (platform) => {
  let app: App;
  let session: Scripted;
  let clock: ManualClock;
  let events: SessionEvent[];

  afterEach(closeApps);

  async function start(options: SessionModuleOptions): Promise<void> {
    session = scripted();
    clock = manualClock();
    const store = new MemorySessionStore({ clock });
    app = await startApp({
      platform,
      options: { store, clock, idleTimeout: IDLE, lifetime: 8 * HOUR, ...options },
      controllers: [session.controller],
    });
    events = [];
    app.get(SessionEvents).subscribe((event) => events.push(event));
  }

  /** Logs in a minute after what was before. */
  const logIn = (who: Visitor, id = 'ada'): Promise<Answer> => {
    clock.advance(MINUTE);
    return session.run(who, (s) => s.login({ id }));
  };

  const loggedIn = async (count: number): Promise<Visitor[]> => {
    const clients: Visitor[] = [];
    for (let n = 0; n < count; n++) {
      const client = await visitor(app);
      await logIn(client);
      clients.push(client);
    }
    return clients;
  };

  const whoIs = (who: Visitor): Promise<string | null> => session.ask(who, (s) => s.principal?.id ?? null);
  const all = (clients: readonly Visitor[]): Promise<(string | null)[]> => Promise.all(clients.map(whoIs));
  const statusOf = ({ status, text }: Answer) => ({
    status,
    ...(status >= 400 && { code: (JSON.parse(text) as { code: string }).code }),
  });

  it('L9: ends the session with the oldest login', async () => {
    await start({ maxSessionsPerPrincipal: 2 });
    const clients = await loggedIn(2);
    clock.advance(MINUTE);
    await session.run(clients[0]!, (s) => s.set('visits', 1));
    clients.push(...(await loggedIn(1)));
    expect(await all(clients)).toEqual([null, 'ada', 'ada']);
  });

  it('L9: ends with evict-idle the session that was not used for the longest time', async () => {
    await start({ maxSessionsPerPrincipal: 2, onLimit: 'evict-idle' });
    const clients = await loggedIn(2);
    clock.advance(IDLE / 4);
    await whoIs(clients[0]!);
    clients.push(...(await loggedIn(1)));
    expect(await all(clients)).toEqual(['ada', null, 'ada']);
  });

  it('L9: refuses with refuse, keeps the cart of the visitor, and all sessions', async () => {
    await start({ maxSessionsPerPrincipal: 2, onLimit: 'refuse' });
    const clients = await loggedIn(2);
    const other = await visitor(app);
    await session.run(other, (s) => s.set('cart', ['pear']));
    const answer = await logIn(other);
    const cart = await session.ask(other, (s) => s.get('cart'));
    const principals = await all([...clients, other]);
    expect({ ...statusOf(answer), cart, principals }).toEqual({
      status: 403,
      code: 'SESSION_LIMIT_REACHED',
      cart: ['pear'],
      principals: ['ada', 'ada', null],
    });
  });

  it('L9: has room again with refuse after a logout', async () => {
    await start({ maxSessionsPerPrincipal: 1, onLimit: 'refuse' });
    const [first] = await loggedIn(1);
    await session.run(first!, (s) => s.logout());
    const second = await visitor(app);
    expect({ ...statusOf(await logIn(second)), principal: await whoIs(second) }).toEqual({
      status: 201,
      principal: 'ada',
    });
  });

  it.each([
    { what: 'has ended by itself', duration: IDLE },
    { what: 'has reached its end', duration: 8 * HOUR },
  ])('L9: does not count a session that $what', async ({ duration }) => {
    await start({ maxSessionsPerPrincipal: 1, onLimit: 'refuse' });
    await loggedIn(1);
    clock.advance(duration);
    expect(statusOf(await logIn(await visitor(app)))).toEqual({ status: 201 });
  });

  it('L9: counts no pending login, and the login that completes one', async () => {
    await start({ maxSessionsPerPrincipal: 1 });
    const [first] = await loggedIn(1);
    const second = await visitor(app);
    clock.advance(MINUTE);
    await session.run(second, (s) => s.login(ada, { pending: true }));
    const before = await all([first!, second]);
    await session.run(second, (s) => s.elevate({ amr: ['otp'] }));
    expect({ before, after: await all([first!, second]) }).toEqual({
      before: ['ada', null],
      after: [null, 'ada'],
    });
  });

  it('L9: refuses with refuse the second factor of a pending login, which stays pending', async () => {
    await start({ maxSessionsPerPrincipal: 1, onLimit: 'refuse' });
    await loggedIn(1);
    const second = await visitor(app);
    const pending = await session.run(second, (s) => s.login(ada, { pending: true }));
    const answer = await session.run(second, (s) => s.elevate({ amr: ['otp'] }));
    const still = await session.ask(second, (s) => s.pending?.id ?? null);
    expect({ pending: pending.status, ...statusOf(answer), still }).toEqual({
      pending: 201,
      status: 403,
      code: 'SESSION_LIMIT_REACHED',
      still: 'ada',
    });
  });

  it.each(['evict-oldest', 'evict-idle', 'refuse'] as const)(
    'L9: with %s lets a client log in again, or elevate, in the session that it has',
    async (onLimit) => {
      await start({ maxSessionsPerPrincipal: 1, onLimit });
      const [client] = await loggedIn(1);
      const again = await logIn(client!);
      const elevated = await session.run(client!, (s) => s.elevate({ level: 2 }));
      expect({
        again: again.status,
        elevated: elevated.status,
        principal: await whoIs(client!),
      }).toEqual({ again: 201, elevated: 201, principal: 'ada' });
    },
  );

  it('L9: is another one for another principal, by a function', async () => {
    await start({ maxSessionsPerPrincipal: async ({ id }) => (id === 'ada' ? 1 : 2) });
    const clients = await Promise.all(Array.from({ length: 5 }, () => visitor(app)));
    for (const [index, id] of ['ada', 'bob', 'ada', 'bob', 'ada'].entries()) await logIn(clients[index]!, id);
    expect(await all(clients)).toEqual([null, 'bob', null, 'bob', 'ada']);
  });

  it('L9: ends nothing of a principal of the same id in another realm', async () => {
    await start({ maxSessionsPerPrincipal: 1 });
    const clients = await loggedIn(1);
    const other = await visitor(app);
    await session.run(other, (s) => s.login({ id: 'ada', realm: 'staff' }));
    expect(await all([...clients, other])).toEqual(['ada', 'ada']);
  });

  it('L9: tells of each end by an event', async () => {
    await start({ maxSessionsPerPrincipal: 1 });
    const [first] = await loggedIn(1);
    const id = await session.ask(first!, (s) => s.id);
    await loggedIn(1);
    const evicted = events.filter(({ type }) => type === 'evicted');
    expect(evicted).toMatchObject([{ id, principal: 'default:ada', reason: 'limit' }]);
  });

  it('L9: counts the sessions of an administrator, not those of the user who is acted as', async () => {
    await start({ maxSessionsPerPrincipal: 1 });
    const [user] = await loggedIn(1);
    const [admin, second] = [await visitor(app), await visitor(app)];
    await logIn(admin, 'root');
    await session.run(admin, (s) => s.actAs(ada));
    const acting = await all([user!, admin]);
    await logIn(second, 'root');
    expect({ acting, after: await all([user!, admin, second]) }).toEqual({
      acting: ['ada', 'ada'],
      after: ['ada', null, 'root'],
    });
  });

  it('L1, L9: gives the refused login no new token, and the old one no rights', async () => {
    await start({ maxSessionsPerPrincipal: 1, onLimit: 'refuse' });
    await loggedIn(1);
    const other = await visitor(app);
    await session.run(other, (s) => s.set('visits', 1));
    const before = await other.token();
    const answer = await logIn(other);
    expect({
      cookies: answer.cookies,
      isSame: (await other.token()) === before,
      principal: await whoIs(other),
    }).toEqual({ cookies: [], isSame: true, principal: null });
  });

  it('L9, R14: answers a login whose sessions cannot be read with 503, and leaves it nothing', async () => {
    const store = new MemorySessionStore();
    await start({ store, maxSessionsPerPrincipal: 1 });
    const [first] = await loggedIn(1);
    const find = store.findByPrincipal.bind(store);
    store.findByPrincipal = () => Promise.reject(new Error('down'));
    const other = await visitor(app);
    const answer = await logIn(other);
    store.findByPrincipal = find;
    const count = await app.get(SessionRegistry).count(ada);
    expect({
      status: answer.status,
      token: (await other.token()) ?? null,
      principals: await all([first!, other]),
      count,
    }).toEqual({ status: 503, token: null, principals: ['ada', null], count: 1 });
  });
});
