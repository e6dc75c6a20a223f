import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { sessionOptionsToken } from 'nestjs-tessera';
import { manualClock, type ManualClock } from 'nestjs-tessera/testing';
import { AppModule, sessionOptions } from '../src/app.module';
import { AppClient, PASSWORD } from './app-client';

const NEW_PASSWORD = 'another four word phrase';

describe('the bearer API', () => {
  let clock: ManualClock;
  let app: NestFastifyApplication;
  let url: string;

  beforeEach(async () => {
    clock = manualClock(Date.now()); // the login reads the machine's, too
    const module = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(sessionOptionsToken())
      .useValue({ ...sessionOptions, clock })
      .compile();
    app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });

  afterEach(() => app.close());

  const logIn = (name: string, device: string): Promise<AppClient> => AppClient.logIn(url, name, device);
  const labels = async (client: AppClient) =>
    (await client.send('GET', '/devices')).json.map(({ name }: { name: string }) => name).sort();

  it('answers a login with a token, which opens what is closed without it', async () => {
    const phone = await logIn('ada', 'Phone');
    const stranger = new AppClient(url, 'Phone');
    const me = await phone.send('GET', '/me');
    expect({
      me: { status: me.status, name: me.json.name },
      stranger: (await stranger.send('GET', '/me')).status,
      cookie: me.headers.get('set-cookie'),
    }).toEqual({ me: { status: 200, name: 'ada' }, stranger: 401, cookie: null });
  });

  it('says the same of a wrong password and an unknown name', async () => {
    const client = new AppClient(url, 'Phone');
    const wrong = await client.send('POST', '/login', { name: 'ada', password: 'guesswork' });
    const unknown = await client.send('POST', '/login', { name: 'zoe', password: PASSWORD });
    expect(wrong.status).toBe(401);
    expect(unknown.json).toEqual(wrong.json);
  });

  it('refuses a login that is no name and password', async () => {
    const { status } = await new AppClient(url, 'Phone').send('POST', '/login', { name: { $ne: null } });
    expect(status).toBe(400);
  });

  it('tells the client to forget its token at the logout, and takes it no more', async () => {
    const phone = await logIn('ada', 'Phone');
    const { token } = phone;
    const { status, headers } = await phone.send('POST', '/logout');
    phone.token = token;
    expect({
      status,
      told: headers.get('x-session-token'),
      afterwards: (await phone.send('GET', '/me')).status,
    }).toEqual({ status: 204, told: '', afterwards: 401 });
  });

  it('hands out a new token every 15 minutes, in the header of any answer', async () => {
    const phone = await logIn('ada', 'Phone');
    const { token } = phone;
    await phone.send('GET', '/me');
    const before = phone.token;
    clock.advance('15m');
    const { status } = await phone.send('GET', '/me');
    expect({ status, sameBefore: before === token, sameAfter: phone.token === token }).toEqual({
      status: 200,
      sameBefore: true,
      sameAfter: false,
    });
  });

  it('lists the devices of a user, and of no other', async () => {
    const phone = await logIn('ada', 'Phone');
    await logIn('ada', 'Tablet');
    await logIn('bert', 'Laptop');
    expect(await labels(phone)).toEqual(['Phone', 'Tablet']);
  });

  it('ends one device, and leaves the others alone', async () => {
    const phone = await logIn('ada', 'Phone');
    const tablet = await logIn('ada', 'Tablet');
    const lost = (await phone.send('GET', '/devices')).json.find(({ name }) => name === 'Tablet')!;
    const ended = await phone.send('DELETE', `/devices/${lost.id}`);
    expect({
      ended: ended.status,
      tablet: (await tablet.send('GET', '/me')).status,
      phone: (await phone.send('GET', '/me')).status,
      again: (await phone.send('DELETE', `/devices/${lost.id}`)).status,
    }).toEqual({ ended: 204, tablet: 401, phone: 200, again: 404 });
  });

  it('ends no device of another user', async () => {
    const ada = await logIn('ada', 'Phone');
    const bert = await logIn('bert', 'Laptop');
    const { id } = (await bert.send('GET', '/devices')).json[0]!;
    const { status } = await ada.send('DELETE', `/devices/${id}`);
    expect({ status, bert: (await bert.send('GET', '/me')).status }).toEqual({ status: 404, bert: 200 });
  });

  it('ends all other devices, and gives this one a new token', async () => {
    const phone = await logIn('ada', 'Phone');
    const tablet = await logIn('ada', 'Tablet');
    const { token } = phone;
    const { status } = await phone.send('DELETE', '/devices');
    expect({
      status,
      hasNewToken: phone.token !== token,
      phone: (await phone.send('GET', '/me')).status,
      tablet: (await tablet.send('GET', '/me')).status,
    }).toEqual({ status: 204, hasNewToken: true, phone: 200, tablet: 401 });
  });

  it('asks for the password again before devices are ended, ten minutes after the login', async () => {
    const phone = await logIn('ada', 'Phone');
    clock.advance('11m');
    const refused = await phone.send('DELETE', '/devices');
    const guess = await phone.send('POST', '/confirm', { password: 'guesswork' });
    const confirmed = await phone.send('POST', '/confirm', { password: PASSWORD });
    expect({
      refused: { status: refused.status, code: refused.json.code },
      guess: guess.status,
      confirmed: confirmed.status,
      afterwards: (await phone.send('DELETE', '/devices')).status,
    }).toEqual({
      refused: { status: 401, code: 'RECENT_LOGIN_REQUIRED' },
      guess: 401,
      confirmed: 204,
      afterwards: 204,
    });
  });

  it('logs the other devices out when the password is changed, and takes the former one no more', async () => {
    const phone = await logIn('ada', 'Phone');
    const tablet = await logIn('ada', 'Tablet');
    const wrong = await phone.send('PUT', '/password', { current: 'guesswork', next: NEW_PASSWORD });
    const changed = await phone.send('PUT', '/password', { current: PASSWORD, next: NEW_PASSWORD });
    expect({
      wrong: wrong.status,
      changed: changed.status,
      phone: (await phone.send('GET', '/me')).status,
      tablet: (await tablet.send('GET', '/me')).status,
      former: (await phone.send('POST', '/confirm', { password: PASSWORD })).status,
      new: (await phone.send('POST', '/confirm', { password: NEW_PASSWORD })).status,
    }).toEqual({ wrong: 401, changed: 204, phone: 200, tablet: 401, former: 401, new: 204 });
  });
});
