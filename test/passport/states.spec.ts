import type { NestExpressApplication } from '@nestjs/platform-express';
import { Configuration } from 'openid-client';
import { version } from 'openid-client/package.json';
import { Strategy } from 'openid-client/passport';
import { plainJson, type SessionModuleOptions } from 'nestjs-tessera';
import { PassportSessions, SessionStateStore } from 'nestjs-tessera/passport';
import { manualClock } from 'nestjs-tessera/testing';
import { AuthorizationServer } from '../applications/support/authorization-server';
import { MeetingStore } from '../applications/support/meeting-store';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { visitor, type Visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';
import type { User } from './local';
import { kinds, providerLogins, type Kind } from './providers';

const principal = ({ id }: User) => ({ id });
const server = new AuthorizationServer({ sub: 'ada', sid: 'first' });
beforeAll(() => server.start());
afterAll(() => server.stop());
afterEach(closeApps);

const statusOf = async (who: Visitor, path = '/me'): Promise<number> => (await who.get(path)).status;

describe.each(platforms.flatMap((platform) => kinds.map((kind) => ({ platform, kind, name: kind.name }))))(
  'a login at a provider by a strategy $name on $platform',
  ({ platform, kind }) => {
    let clock: ReturnType<typeof manualClock>;
    let meeting: MeetingStore;
    let store: WatchedStore;
    let app: App;
    let ada: Visitor;

    beforeEach(async () => {
      await start();
    });

    async function start(chosen: readonly Kind[] = [kind], options?: object, more?: SessionModuleOptions) {
      clock = manualClock();
      meeting = new MeetingStore();
      store = new WatchedStore(meeting);
      app = await startApp({
        platform,
        options: { store, clock, ...more },
        imports: [PassportSessions.forRoot({ principal })],
        ...providerLogins(server, chosen, options),
      });
      ada = await visitor(app);
    }

    /** Begins a login and returns the path of its callback. */
    const begin = async (who = ada, change = (location: string) => location): Promise<string> =>
      server.consent(change((await who.get(`/${kind.name}`)).headers.get('location')!));

    it('begins with a redirect that gives the visitor a session', async () => {
      const { status, cookies, headers } = await ada.get(`/${kind.name}`);
      expect({ status, cookies, to: headers.get('location') }).toEqual({
        status: 302,
        cookies: [expect.stringContaining('SameSite=Lax')],
        to: expect.stringMatching(/\/authorize\?.*state=[\w-]{32}/),
      });
    });

    it('ends with a login, whose callback knows the state of the application', async () => {
      const answer = await ada.get(await begin());
      expect({ status: answer.status, body: answer.json(), me: await statusOf(ada) }).toEqual({
        status: 200,
        // The strategy of openid-client has none.
        body: {
          user: 'ada',
          ...(!kind.name.startsWith('openid-client') && { state: { returnTo: '/cart' } }),
        },
        me: 200,
      });
    });

    it('L1: renews the token with which it began', async () => {
      const path = await begin();
      const planted = await ada.twin();
      await ada.get(path);
      expect(await statusOf(planted)).toBe(401);
    });

    it('R15: is one when the callback is replayed at the same time', async () => {
      const path = await begin();
      meeting.meet(2);
      const both = await Promise.all([ada.get(path), ada.get(path)]);
      expect({ both: both.map(({ status }) => status).sort(), me: await statusOf(ada) }).toEqual({
        both: [200, 401],
        me: 200,
      });
    });

    it('is refused with a code of another login and a state that was used', async () => {
      const used = new URL(await begin(), 'https://shop.test');
      await ada.get(used.pathname + used.search);
      const other = new URL(await begin(), 'https://shop.test');
      other.searchParams.set('state', used.searchParams.get('state')!);
      expect(await statusOf(ada, other.pathname + other.search)).toBe(401);
    });

    it.each<[string, (path: string) => string]>([
      ['no state', (path) => path.replace(/&state=.*/, '')],
      ['another one', (path) => path.replace(/state=.*/, 'state=x')],
      ['several', (path) => `${path}&state=x`],
    ])('is refused with %s', async (_what, change) => {
      expect(await statusOf(ada, change(await begin()))).toBe(401);
    });

    it('is refused in another browser, with a session of its own or none, and goes on in the right one', async () => {
      const path = await begin();
      const [mallory, stranger] = [await visitor(app), await visitor(app)];
      await begin(mallory);
      const wrong = [await statusOf(mallory, path), await statusOf(stranger, path)];
      expect({ wrong, me: await statusOf(mallory), right: await statusOf(ada, path) }).toEqual({
        wrong: [401, 401],
        me: 401,
        right: 200,
      });
    });

    it('may begin in two tabs, and end in each', async () => {
      const first = await begin();
      const second = await begin();
      expect([await statusOf(ada, second), await statusOf(ada, first)]).toEqual([200, 200]);
    });

    it('is over after ten minutes', async () => {
      const [early, late] = [await begin(), await begin()];
      clock.advance('599999ms');
      const before = await statusOf(ada, early);
      clock.advance('1ms');
      expect({ before, after: await statusOf(ada, late) }).toEqual({ before: 200, after: 401 });
    });

    it('is a 503 while the store is down, and no login', async () => {
      const path = await begin();
      store.before = () => Promise.reject(new Error('down'));
      const down = [await statusOf(ada, `/${kind.name}`), await statusOf(ada, path)];
      store.before = () => {};
      expect({ down, me: await statusOf(ada) }).toEqual({ down: [503, 503], me: 401 });
    });

    it('is refused with the state of a login at another provider', async () => {
      const other = kinds.find((each) => each !== kind)!;
      await start([kind, other]);
      const location = (await ada.get(`/${other.name}`)).headers.get('location')!;
      const callback = await server.consent(location);
      expect({
        wrong: await statusOf(ada, callback.replace(other.name, kind.name)),
        me: await statusOf(ada),
        right: await statusOf(ada, await server.consent(location)),
      }).toEqual({ wrong: 401, me: 401, right: 200 });
    });
  },
);

describe('the store of states', () => {
  const [, , openid] = kinds as [Kind, Kind, Kind];
  const start = async (
    options: object,
    sessions: SessionModuleOptions = {},
    configure = (_app: App): void => {},
  ): Promise<Visitor> => {
    const app = await startApp({
      platform: 'express',
      options: sessions,
      configure,
      imports: [PassportSessions.forRoot({ principal })],
      ...providerLogins(server, [openid], options),
    });
    return visitor(app);
  };

  it('takes no list for a state', async () => {
    const configure = (app: App): void =>
      void (app as NestExpressApplication).set('query parser', 'extended');
    const ada = await start({}, {}, configure);
    const path = await server.consent((await ada.get('/openid')).headers.get('location')!);
    const statuses = [await statusOf(ada, path.replace('state=', 'state[]=')), await statusOf(ada, path)];
    expect(statuses).toEqual([401, 200]);
  });

  it('keeps the nonce: the ID token of another login is refused', async () => {
    const ada = await start({});
    const { headers } = await ada.get('/openid');
    const path = await server.consent(headers.get('location')!.replace(/nonce=[^&]*/, 'nonce=another'));
    expect(await statusOf(ada, path)).toBe(401);
  });

  it.each([
    ['an instant', {}],
    ['an instant that the codec reads as its text', { codec: plainJson }],
  ])(
    'keeps when a login with maxAge began, as %s: an older authentication is refused',
    async (_what, sessions) => {
      const ada = await start({ maxAge: 60 }, sessions);
      const statuses: number[] = [];
      for (const age of [120, 0]) {
        const now = Math.floor(Date.now() / 1000);
        Object.assign(server.user, { auth_time: now - age });
        statuses.push(
          await statusOf(ada, await server.consent((await ada.get('/openid')).headers.get('location')!)),
        );
      }
      expect(statuses).toEqual([401, 200]);
    },
  );

  it('rests on what openid-client 6 writes to req.session: one entry, with the state', async () => {
    const config = new Configuration(
      { issuer: 'https://idp', authorization_endpoint: 'https://idp/a' },
      'shop',
    );
    const strategy = new Strategy({ config }, () => {});
    const session: Record<string, Record<string, string>> = {};
    const to = await new Promise<string>((redirect) => {
      Object.assign(strategy, {
        redirect,
        authorizationRequestParams: () => ({ state: 'ours', nonce: 'n' }),
      });
      const request = { session, method: 'GET', protocol: 'https', host: 'shop.test', url: '/login' };
      (strategy as unknown as { authenticate(...all: object[]): void }).authenticate(request, {});
    });
    const [begun, ...others] = Object.values(session);
    expect({ version, others, begun, to }).toEqual({
      version: expect.stringMatching(/^6\./),
      others: [],
      begun: { state: 'ours', nonce: 'n', code_verifier: expect.any(String) },
      to: expect.stringContaining('state=ours'),
    });
  });

  it.each([
    ['the name of its provider', () => new SessionStateStore('')],
    ['a validity', () => new SessionStateStore('google', { validFor: 0 })],
  ])('needs %s', (_what, make) => {
    expect(make).toThrow(expect.objectContaining({ code: 'SESSION_OPTIONS_INVALID' }));
  });
});
