import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { closeApps, startApp, type App } from '../../support/app';
import { visitor, type Visitor } from '../../support/visitor';
import { MeetingStore } from '../support/meeting-store';
import { thiefOf } from '../support/thief';
import { ShopModule, configure } from './application';

describe('an application on Fastify that gets, sets and deletes', () => {
  let store: MeetingStore;
  let app: App;
  let ada: Visitor;

  beforeEach(async () => {
    store = new MeetingStore();
    app = await startApp({
      platform: 'fastify',
      options: { store, cookie: { name: '__Host-shop' } },
      imports: [ShopModule],
      configure: (app) => configure(app as NestFastifyApplication),
    });
    ada = await visitor(app);
  });
  afterEach(closeApps);

  const read = async (who: Visitor, path: string): Promise<unknown> => (await who.get(path)).json();
  const tokenOf = (who: Visitor): Promise<string | undefined> => who.token('__Host-shop');

  it('gives no cookie to a visitor who only reads', async () => {
    const { cookies, text } = await ada.get('/preferences/language');
    expect({ cookies, text }).toEqual({ cookies: [], text: '{"value":null}' });
  });

  it('gets what it has set, and not what it has deleted', async () => {
    await ada.post('/preferences/language', { value: 'el' });
    const set = await read(ada, '/preferences/language');
    const first = await ada.request('DELETE', '/preferences/language');
    const second = await ada.request('DELETE', '/preferences/language');
    expect({
      set,
      deleted: [first.json(), second.json()],
      now: await read(ada, '/preferences/language'),
    }).toEqual({
      set: { value: 'el' },
      deleted: [{ deleted: true }, { deleted: false }],
      now: { value: null },
    });
  });

  it('R1: keeps two preferences that are set at once', async () => {
    await ada.post('/cart', { item: 'pear' });
    store.meet(2);
    await Promise.all([
      ada.post('/preferences/language', { value: 'el' }),
      ada.post('/preferences/currency', { value: 'drachma' }),
    ]);
    expect({
      language: await read(ada, '/preferences/language'),
      currency: await read(ada, '/preferences/currency'),
    }).toEqual({ language: { value: 'el' }, currency: { value: 'drachma' } });
  });

  it('R2: counts each of ten items that are put into the cart at once', async () => {
    await ada.post('/cart', { item: 'fig' });
    store.meet(10);
    await Promise.all(Array.from({ length: 10 }, () => ada.post('/cart', { item: 'pear' })));
    expect(await read(ada, '/cart')).toEqual([
      { item: 'fig', count: 1 },
      { item: 'pear', count: 10 },
    ]);
  });

  it('D1: gets a date as a date', async () => {
    const first = await ada.post('/seen');
    const second = await ada.post('/seen');
    expect({ first: first.json(), second: second.json() }).toEqual({
      first: { year: null },
      second: { year: 2030 },
    });
  });

  it('uses one session in hooks and routes of Fastify and of Nest', async () => {
    await ada.post('/preferences/language', { value: 'el' });
    expect(await read(ada, '/plain')).toEqual({ language: 'el', lastForm: '/preferences/language' });
  });

  it('L1, L5: logs in with a new token, keeps the preferences, and says so once', async () => {
    await ada.post('/preferences/language', { value: 'el' });
    const before = await thiefOf(app, await tokenOf(ada), '__Host-shop');
    await ada.post('/login', { id: 7 });
    expect({
      pages: [await read(ada, '/me'), await read(ada, '/me')],
      language: await read(ada, '/preferences/language'),
      old: [(await before.get('/me')).status, await read(before, '/preferences/language')],
    }).toEqual({
      pages: [
        { id: '7', notices: ['You are logged in.'] },
        { id: '7', notices: [] },
      ],
      language: { value: 'el' },
      old: [401, { value: null }],
    });
  });

  it('R7: ends the session, with its cookie, when the logout is sent twice', async () => {
    await ada.post('/login', { id: 7 });
    const before = await thiefOf(app, await tokenOf(ada), '__Host-shop');
    store.meet(2);
    const both = await Promise.all([ada.post('/logout'), ada.post('/logout')]);
    expect({
      statuses: both.map(({ status }) => status),
      token: await tokenOf(ada),
      old: (await before.get('/me')).status,
    }).toEqual({ statuses: [201, 201], token: undefined, old: 401 });
  });

  it('R3: drops what was about to be set when the session ended', async () => {
    await ada.post('/login', { id: 7 });
    const other = await ada.twin();
    const held = store.hold();
    const setting = other.post('/preferences/language', { value: 'el' });
    const goOn = await held;
    await ada.post('/logout');
    goOn();
    const { cookies } = await setting;
    expect({ cookies, me: (await other.get('/me')).status }).toEqual({ cookies: [], me: 401 });
  });

  it('L10: logs a user out on all devices', async () => {
    const phone = await visitor(app);
    await phone.post('/login', { id: 7 });
    await ada.post('/login', { id: 7 });
    await ada.post('/logout-everywhere');
    const statuses = { browser: (await ada.get('/me')).status, phone: (await phone.get('/me')).status };
    expect(statuses).toEqual({ browser: 401, phone: 401 });
  });
});
