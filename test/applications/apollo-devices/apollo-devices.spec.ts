import { MemorySessionStore } from 'nestjs-tessera';
import { manualClock } from 'nestjs-tessera/testing';
import { closeApps, startApp, type App } from '../../support/app';
import { visitor, type Visitor } from '../../support/visitor';
import { door } from '../../support/watched-store';
import { thiefOf } from '../support/thief';
import { AccountModule } from './application';
import { Uploads } from './uploads';

describe('an application with Apollo that lists the devices of a user', () => {
  const clock = manualClock();
  let app: App;
  let laptop: Visitor;
  let phone: Visitor;

  // One application for all tests: it takes a while to build the schema.
  const store = new MemorySessionStore();
  beforeAll(async () => {
    app = await startApp({ platform: 'express', options: { clock, store }, imports: [AccountModule] });
  });
  beforeEach(async () => {
    [laptop, phone] = [await visitor(app), await visitor(app)];
  });
  afterEach(() => store.deleteByPrincipal('default:7'));
  afterAll(closeApps);

  interface Reply {
    readonly data: { readonly account?: Account | null } & Record<string, unknown>;
    readonly errors?: { readonly message: string; readonly extensions: { readonly code: string } }[];
  }
  interface Account {
    readonly userId?: string;
    readonly devicesInUse?: { readonly id: string; readonly name: string }[];
  }
  const ask = async (who: Visitor, query: string, device = 'laptop'): Promise<Reply> =>
    (await who.post('/graphql', { query }, { headers: { 'user-agent': device } })).json();
  const logIn = (who: Visitor, device: string): Promise<Reply> =>
    ask(who, 'mutation { login(password: "lovelace") }', device);
  const userOf = async (who: Visitor): Promise<string | undefined> =>
    (await ask(who, '{ account { userId } }')).data.account?.userId;
  const devicesOf = async (who: Visitor): Promise<{ id: string; name: string }[]> =>
    (await ask(who, '{ account { devicesInUse { id name } } }')).data.account!.devicesInUse!;

  it('gives no cookie to a visitor who only asks', async () => {
    const { cookies, text } = await laptop.post('/graphql', { query: '{ account { userId } }' });
    expect({ cookies, text }).toEqual({ cookies: [], text: '{"data":{"account":null}}\n' });
  });

  it('L1, L5: logs in by a mutation, with a new token, and keeps the basket', async () => {
    await ask(laptop, 'mutation { addToBasket(item: "pear") }');
    const before = await laptop.token();
    await logIn(laptop, 'laptop');
    const { data } = await ask(laptop, '{ account { userId basket } }');
    expect({ account: data.account, thief: await userOf(await thiefOf(app, before)) }).toEqual({
      account: { userId: '7', basket: ['pear'] },
      thief: undefined,
    });
  });

  it('answers a failed login as an error of GraphQL', async () => {
    const { data, errors } = await ask(laptop, 'mutation { login(password: "babbage") }');
    expect({ data, error: errors![0], user: await userOf(laptop) }).toMatchObject({
      data: null,
      error: { message: 'Wrong password', extensions: { code: 'UNAUTHENTICATED' } },
      user: undefined,
    });
  });

  it('C3: applies every mutation of one operation, and sends one cookie', async () => {
    const { cookies } = await laptop.post('/graphql', {
      query:
        'mutation { a: addToBasket(item: "pear") b: addToBasket(item: "fig") login(password: "lovelace") }',
    });
    const { data } = await ask(laptop, '{ account { basket } }');
    expect({ cookies: cookies.length, data }).toEqual({
      cookies: 1,
      data: { account: { basket: ['pear', 'fig'] } },
    });
  });

  it('lists the devices, the last used first, without those that have expired', async () => {
    await logIn(await visitor(app), 'an old one');
    clock.advance('20m');
    await logIn(phone, 'phone');
    clock.advance('11m');
    await logIn(laptop, 'laptop');
    expect((await devicesOf(laptop)).map(({ name }) => name)).toEqual(['laptop', 'phone']);
  });

  it('L10, L11: ends the session of one device by its public id', async () => {
    await logIn(phone, 'phone');
    await logIn(laptop, 'laptop');
    const { id } = (await devicesOf(laptop)).find(({ name }) => name === 'phone')!;
    const { data } = await ask(laptop, `mutation { revokeDevice(id: "${id}") }`);
    expect({ data, laptop: await userOf(laptop), phone: await userOf(phone) }).toEqual({
      data: { revokeDevice: true },
      laptop: '7',
      phone: undefined,
    });
  });

  it('ends no session by an id that is not a device of the user', async () => {
    await logIn(laptop, 'laptop');
    const { data } = await ask(laptop, `mutation { revokeDevice(id: "../../${'A'.repeat(22)}") }`);
    expect({ data, user: await userOf(laptop) }).toEqual({ data: { revokeDevice: false }, user: '7' });
  });

  it('R3: drops what a revoked device was about to write, and gives it no cookie', async () => {
    await logIn(phone, 'phone');
    await logIn(laptop, 'laptop');
    const [begun, uploaded] = [door(), door()];
    jest.spyOn(app.get(Uploads), 'store').mockImplementationOnce(() => (begun.open(), uploaded.opened));
    const changing = phone.post('/graphql', { query: 'mutation { changePicture(picture: "me.png") }' });
    await begun.opened;
    await ask(laptop, 'mutation { revokeAllDevices }');
    uploaded.open();
    const { cookies } = await changing;
    expect({ cookies, phone: await userOf(phone), laptop: await userOf(laptop) }).toEqual({
      cookies: [],
      phone: undefined,
      laptop: undefined,
    });
  });

  it('ends the least used session when a user logs in on a fourth device', async () => {
    const devices = [laptop, phone, await visitor(app), await visitor(app)];
    for (const [index, device] of devices.entries()) {
      clock.advance('1m');
      await logIn(device, `device ${index}`);
    }
    const users = await Promise.all(devices.map(userOf));
    expect(users).toEqual([undefined, '7', '7', '7']);
  });

  it('ends this session alone at logout', async () => {
    await logIn(phone, 'phone');
    await logIn(laptop, 'laptop');
    const before = await laptop.token();
    await ask(laptop, 'mutation { logout }');
    const refused = await ask(await thiefOf(app, before), 'mutation { revokeAllDevices }');
    expect({ code: refused.errors?.[0]?.extensions.code, phone: await userOf(phone) }).toEqual({
      code: 'UNAUTHENTICATED',
      phone: '7',
    });
  });
});
