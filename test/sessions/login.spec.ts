import { SessionEvents, type Session, type SessionEvent } from 'nestjs-tessera';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { scripted, type Scripted } from '../support/scripted';
import '../support/session-data';
import { describeFewStores, describeStores, type StoreUnderTest } from '../support/stores';
import { visitor, type Visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';

const ada = { id: 7, roles: ['member'] };

describe.each(platforms)('login on %s', (platform) => {
  const describeKinds = platform === 'express' ? describeStores : describeFewStores;

  describeKinds('with', ({ create }) => {
    let under: StoreUnderTest;
    let store: WatchedStore;
    let session: Scripted;
    let app: App;
    let person: Visitor;
    let events: SessionEvent[];

    beforeEach(async () => {
      under = await create();
      store = new WatchedStore(under.store);
      session = scripted();
      app = await startApp({ platform, options: { store }, controllers: [session.controller] });
      person = await visitor(app);
      events = [];
      app.get(SessionEvents).subscribe((event) => events.push(event));
    });
    afterEach(async () => {
      await closeApps();
      await under.close();
    });

    /** Whether somebody who stole the token in time has anything from it. */
    const isDead = async (token: string): Promise<boolean> => {
      const thief = await visitor(app);
      const answer = await session.run(thief, (s) => s.isNew, {
        headers: { cookie: `__Host-session=${token}` },
      });
      return answer.json<{ result: boolean }>().result;
    };

    const waysIn: [string, (s: Session) => unknown][] = [
      ['login', (s) => s.login(ada)],
      ['login that remembers', (s) => s.login(ada, { rememberMe: true })],
      ['login without the old data', (s) => s.login(ada, { keepData: false })],
      ['login as somebody else', (s) => s.login({ id: 8 })],
      ['login in another realm', (s) => s.login({ id: 7, realm: 'staff' })],
    ];
    const onlyLoggedIn: [string, (s: Session) => unknown][] = [
      ['renewal', (s) => s.renewToken()],
      ['logout that keeps the data', (s) => s.logout({ keepData: true })],
    ];
    const starts: [string, (s: Session) => unknown, typeof waysIn][] = [
      ['a visitor', (s) => s.set('visits', 1), waysIn],
      ['somebody logged in', (s) => s.login(ada), [...waysIn, ...onlyLoggedIn]],
      ['somebody remembered', (s) => s.login(ada, { rememberMe: true }), [...waysIn, ...onlyLoggedIn]],
    ];

    it.each(starts)(
      'L1 L2: every way in gives %s another token, and the old one is dead at once',
      async (_who, start, ways) => {
        const outcomes: Record<string, object> = {};
        for (const [way, work] of ways) {
          person = await visitor(app);
          await session.run(person, start);
          const before = (await person.token())!;
          const { cookies } = await session.run(person, work);
          const after = (await person.token())!;
          outcomes[way] = {
            cookies,
            keepsSecret: after.slice(23) === before.slice(23),
            isOldDead: await isDead(before),
            isNewDead: await isDead(after),
          };
        }
        const renewed = {
          cookies: [expect.any(String)],
          keepsSecret: false,
          isOldDead: true,
          isNewDead: false,
        };
        expect(outcomes).toEqual(Object.fromEntries(ways.map(([way]) => [way, renewed])));
      },
    );

    it('L1: a fixed token, planted before the login, is worth nothing after it', async () => {
      const attacker = await visitor(app);
      await session.run(attacker, (s) => s.set('theme', 'dark'));
      const planted = (await attacker.token())!;
      await session.run(person, (s) => s.login(ada), { headers: { cookie: `__Host-session=${planted}` } });
      expect(await session.ask(attacker, (s) => s.principal)).toBeNull();
      expect(await session.ask(person, (s) => s.principal?.id)).toBe('7');
    });

    it('L3: the public id stays with the person while the token changes, and changes with the person', async () => {
      await session.run(person, (s) => s.set('visits', 1));
      const id = await session.ask(person, (s) => s.id);
      await session.run(person, (s) => s.login(ada));
      await session.run(person, (s) => s.elevate());
      expect(await session.ask(person, (s) => s.id)).toBe(id);
      await session.run(person, (s) => s.login({ id: 8 }));
      expect(await session.ask(person, (s) => s.id)).not.toBe(id);
    });

    it('L4: no data, whatever its key, makes a principal', async () => {
      await session.run(person, (s) => {
        for (const key of ['principal', 'user', 'state', '__proto__'] as never[])
          s.set(key, { id: '1', realm: 'default', roles: ['admin'], principal: { id: '1' } } as never);
      });
      const seen = await session.ask(person, ({ principal, authenticatedAt }) => ({
        principal,
        authenticatedAt,
      }));
      expect(seen).toEqual({ principal: null, authenticatedAt: null });
      expect(events.map(({ principal }) => principal)).toEqual([null]);
    });

    it('L5: keeps a cart at login, drops it at logout, and the other way round on request', async () => {
      const cart = (): Promise<string[] | null> => session.ask(person, (s) => s.get('cart') ?? null);
      const fill = (): unknown => session.run(person, (s) => s.set('cart', ['amphora']));
      await fill();
      await session.run(person, (s) => s.login(ada));
      expect(await cart()).toEqual(['amphora']);
      const { cookies } = await session.run(person, (s) => s.logout());
      expect(cookies).toEqual([expect.stringContaining('Max-Age=0')]);
      expect(await cart()).toBeNull();
      await fill();
      await session.run(person, (s) => s.login(ada, { keepData: false }));
      expect(await cart()).toBeNull();
      await fill();
      await session.run(person, (s) => s.logout({ keepData: true }));
      expect({ cart: await cart(), principal: await session.ask(person, (s) => s.principal) }).toEqual({
        cart: ['amphora'],
        principal: null,
      });
    });

    it('L5: the next person at the same browser finds nothing of the last one', async () => {
      await session.run(person, (s) => {
        s.login(ada, { constants: { tenant: 'acme' } });
        s.set('cart', ['hers']);
        s.flash('notice', 'for her');
      });
      await session.run(person, (s) => s.login({ id: 8 }));
      const found = await session.ask(person, (s) => ({
        keys: s.keys(),
        messages: s.messages(),
        tenant: s.constant('tenant') ?? null,
      }));
      expect(found).toEqual({ keys: [], messages: [], tenant: null });
    });

    it('counts its store calls: login on an existing session 2, logout 2, first login 1', async () => {
      await session.run(person, (s) => s.set('visits', 1));
      store.take();
      await session.run(person, (s) => s.login(ada));
      expect(store.take()).toEqual(['find', 'update']);
      await session.run(person, (s) => s.logout());
      expect(store.take()).toEqual(['find', 'delete']);
      await session.run(person, (s) => s.login(ada));
      expect(store.take()).toEqual(['insert']);
    });

    it('tells who came and went', async () => {
      await session.run(person, (s) => s.login(ada));
      const id = await session.ask(person, (s) => s.id);
      await session.run(person, (s) => s.logout());
      const principal = 'default:7';
      expect(events).toMatchObject([
        { type: 'created', id, principal, reason: null },
        { type: 'loggedIn', id, principal, reason: null },
        { type: 'loggedOut', id, principal, reason: 'logout' },
        { type: 'destroyed', id, principal, reason: 'logout' },
      ]);
    });
  });
});
