import { manualClock } from 'nestjs-tessera/testing';
import { closeApps, platforms, startApp, type App } from '../../support/app';
import { visitor, type Answer, type Visitor } from '../../support/visitor';
import { AuthorizationServer } from '../support/authorization-server';
import { MeetingStore } from '../support/meeting-store';
import { thiefOf } from '../support/thief';
import { LoginModule, sessionOptions } from './application';

describe.each(platforms)('an application with OpenID Connect and a rolling session on %s', (platform) => {
  const provider = new AuthorizationServer({ sub: 'ada', sid: 'first' });
  const clock = manualClock();
  let store: MeetingStore;
  let app: App;
  let ada: Visitor;

  beforeAll(() => provider.start());
  beforeEach(async () => {
    store = new MeetingStore();
    const options = { ...sessionOptions, store, clock };
    app = await startApp({ platform, options, imports: [LoginModule.at(provider.issuer)] });
    ada = await visitor(app);
  });
  afterEach(closeApps);
  afterAll(() => provider.stop());

  /** Begins a login and returns the callback's path. */
  const begin = async (who: Visitor): Promise<string> =>
    provider.consent((await who.get('/login')).headers.get('location')!);
  const logIn = async (who: Visitor): Promise<Answer> => who.get(await begin(who));
  const statusOf = async (who: Visitor): Promise<number> => (await who.get('/me')).status;
  const backchannel = async (claims?: Record<string, unknown>): Promise<number> =>
    (await provider.logOut(`${await app.getUrl()}/backchannel-logout`, claims)).status;

  it('L1: logs in at the callback, with a new token, and returns to the page', async () => {
    const path = await begin(ada);
    const before = await thiefOf(app, await ada.token());
    const { status, headers } = await ada.get(path);
    expect({
      status,
      to: headers.get('location'),
      me: await statusOf(ada),
      old: await statusOf(before),
    }).toEqual({
      status: 302,
      to: '/me',
      me: 200,
      old: 401,
    });
  });

  it('R15: lets one of two callbacks with one state succeed, and leaves the browser logged in', async () => {
    const path = await begin(ada);
    store.meet(2);
    const answers = await Promise.all([ada.get(path), ada.get(path)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([302, 403]);
    expect(await statusOf(ada)).toBe(200);
  });

  it('keeps the cookie across a restart of the browser, and sends it once', async () => {
    const { cookies } = await logIn(ada);
    const later = await ada.get('/me');
    expect({ cookies, later: later.cookies }).toEqual({
      cookies: [expect.stringMatching(/; Max-Age=28800;/)],
      later: [],
    });
  });

  it('E1: rolls: ends half an hour after the last request', async () => {
    await logIn(ada);
    const hours: number[] = [];
    for (let request = 0; request < 6; request++) {
      clock.advance('29m');
      hours.push(await statusOf(ada));
    }
    clock.advance('30m');
    expect({ hours, idle: await statusOf(ada) }).toEqual({ hours: Array(6).fill(200), idle: 401 });
  });

  it('E2: rolls no longer than eight hours', async () => {
    await logIn(ada);
    for (let request = 0; request < 19; request++) {
      clock.advance('25m');
      await ada.get('/me');
    }
    const before = await statusOf(ada);
    clock.advance('5m');
    expect({ before, after: await statusOf(ada) }).toEqual({ before: 200, after: 401 });
  });

  it('is not kept alive by a page that asks how much time is left', async () => {
    await logIn(ada);
    clock.advance('20m');
    const { text } = await ada.get('/time-left');
    clock.advance('10m');
    expect({ text, status: await statusOf(ada) }).toEqual({ text: '600000', status: 401 });
  });

  it('ends the session at logout, and goes on to the logout of the provider', async () => {
    await logIn(ada);
    const before = await thiefOf(app, await ada.token());
    const { headers } = await ada.post('/logout');
    const to = headers.get('location');
    expect({ to, here: await statusOf(ada), old: await statusOf(before) }).toEqual({
      to: expect.stringContaining(`${provider.issuer}/logout?id_token_hint=ey`),
      here: 401,
      old: 401,
    });
  });

  it.each([
    ['all sessions of the user', { sid: undefined }, 401],
    ['those of one session at the provider', {}, 401],
    ['not those of another', { sid: 'second' }, 200],
  ])('L10: a logout at the provider ends %s', async (_which, claims, expected) => {
    const phone = await visitor(app);
    await logIn(ada);
    await logIn(phone);
    const status = await backchannel(claims);
    expect({ status, here: await statusOf(ada), phone: await statusOf(phone) }).toEqual({
      status: 200,
      here: expected,
      phone: expected,
    });
  });

  it('refuses a logout token of another provider, without its event, or that is none', async () => {
    const stranger = new AuthorizationServer(provider.user);
    await stranger.start();
    await logIn(ada);
    const { status: foreign } = await stranger.logOut(`${await app.getUrl()}/backchannel-logout`);
    const without = await backchannel({ events: {} });
    const { status: none } = await ada.post('/backchannel-logout', { logout_token: 'ey.ey.ey' });
    expect({ foreign, without, none, here: await statusOf(ada) }).toEqual({
      ...{ foreign: 403, without: 403, none: 403 },
      here: 200,
    });
    await stranger.stop();
  });

  it('R11: drops what a request was about to write when the provider logged its user out', async () => {
    await logIn(ada);
    const held = store.hold();
    const writing = ada.post('/notes', { note: 'late' });
    const goOn = await held;
    await backchannel({ sid: undefined });
    goOn();
    const { cookies } = await writing;
    expect({ cookies, here: await statusOf(ada) }).toEqual({ cookies: [], here: 401 });
  });
});
