import { closeApps, startApp, type App } from '../../support/app';
import { visitor, type Answer, type Visitor } from '../../support/visitor';
import { AuthorizationServer } from '../support/authorization-server';
import { MeetingStore } from '../support/meeting-store';
import { thiefOf } from '../support/thief';
import { LoginModule } from './application';
import { SecondFactor } from './second-factor';

describe('an application with OAuth 2 and a second factor', () => {
  const provider = new AuthorizationServer({ sub: 'ada', sid: 'a session' });
  let store: MeetingStore;
  let app: App;
  let ada: Visitor;

  beforeAll(() => provider.start());
  beforeEach(async () => {
    store = new MeetingStore();
    const imports = [LoginModule.at(provider.issuer)];
    app = await startApp({ platform: 'express', options: { store }, imports });
    ada = await visitor(app);
  });
  afterEach(closeApps);
  afterAll(() => provider.stop());

  /** Begins a login and returns the callback's path. */
  const begin = async (who: Visitor): Promise<string> =>
    provider.consent((await who.get('/login')).headers.get('location')!);
  const enter = (who: Visitor, code: string): Promise<Answer> => who.post('/factor', { code });
  const statuses = async (answers: Promise<Answer>[]): Promise<number[]> =>
    (await Promise.all(answers)).map(({ status }) => status).sort();
  const logIn = async (who: Visitor): Promise<void> => {
    await who.get(await begin(who));
    await enter(who, '492039');
  };
  const statusOf = async (who: Visitor, path: string): Promise<number> => (await who.get(path)).status;

  it('L1: logs in after both steps, with a new token', async () => {
    const { status, headers } = await ada.get(await begin(ada));
    const between = { status, to: headers.get('location'), me: await statusOf(ada, '/me') };
    const before = await ada.token();
    await enter(ada, '492039');
    const { text } = await ada.get('/me');
    expect({ between, text, thief: await statusOf(await thiefOf(app, before), '/me') }).toEqual({
      between: { status: 302, to: '/factor', me: 401 },
      text: '{"id":"ada","roles":["member"]}',
      thief: 401,
    });
  });

  it('R15: lets one of five callbacks with one state succeed', async () => {
    const path = await begin(ada);
    store.meet(5);
    const answers = await statuses(Array.from({ length: 5 }, () => ada.get(path)));
    expect(answers).toEqual([302, 403, 403, 403, 403]);
    expect((await enter(ada, '492039')).status).toBe(201);
  });

  it.each([
    ['of another browser', async (victim: Visitor) => begin(await victim.twin())],
    ['that is wrong', async (victim: Visitor) => (await begin(victim)).replace(/state=.*/, 'state=guessed')],
  ])('refuses a callback with a state %s', async (_which, forge) => {
    const path = await forge(ada);
    expect(await statuses([ada.get(path), ada.get(path)])).toEqual([403, 403]);
  });

  it('refuses the callback of a login that a second tab has begun anew', async () => {
    const [first, second] = [await begin(ada), await begin(ada)];
    expect({ second: await statusOf(ada, second), first: await statusOf(ada, first) }).toEqual({
      second: 302,
      first: 403,
    });
  });

  it('R15: lets one of three requests with the right code log in', async () => {
    await ada.get(await begin(ada));
    store.meet(3);
    expect(await statuses(Array.from({ length: 3 }, () => enter(ada, '492039')))).toEqual([201, 403, 403]);
    expect(await statusOf(ada, '/me')).toBe(200);
  });

  it('checks three of ten codes that are guessed at once, and then no other', async () => {
    await ada.get(await begin(ada));
    store.meet(10);
    const guesses = await statuses(Array.from({ length: 10 }, (_, index) => enter(ada, `00000${index}`)));
    const late = await enter(ada, '492039');
    expect({ guesses, late: late.status, checked: app.get(SecondFactor).checked }).toEqual({
      guesses: [...Array<number>(3).fill(403), ...Array<number>(7).fill(429)],
      late: 429,
      checked: 3,
    });
  });

  it('L3: gives the role of an admin to the new token alone', async () => {
    await logIn(ada);
    const before = await thiefOf(app, await ada.token());
    expect(await statusOf(ada, '/admin')).toBe(403);
    await ada.post('/elevate', { code: '492039' });
    expect({ new: await statusOf(ada, '/admin'), old: await statusOf(before, '/admin') }).toEqual({
      new: 200,
      old: 403,
    });
  });

  it('ends the session at logout', async () => {
    await logIn(ada);
    const before = await thiefOf(app, await ada.token());
    await ada.post('/logout');
    const statuses = { now: await statusOf(ada, '/me'), before: await statusOf(before, '/me') };
    expect(statuses).toEqual({ now: 401, before: 401 });
  });

  it('L10: logs a user out on all devices', async () => {
    const phone = await visitor(app);
    await logIn(phone);
    await logIn(ada);
    const { text } = await ada.post('/logout-everywhere');
    expect({ text, here: await statusOf(ada, '/me'), phone: await statusOf(phone, '/me') }).toEqual({
      text: '2',
      here: 401,
      phone: 401,
    });
  });
});
