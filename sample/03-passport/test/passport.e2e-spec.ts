import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { SessionRegistry, sessionOptionsToken } from 'nestjs-tessera';
import { manualClock, type ManualClock } from 'nestjs-tessera/testing';
import { AppModule, sessionOptions } from '../src/app.module';
import { Browser, PASSWORD, type Page } from './browser';

const REFUSED = 'Example did not log you in.';

describe('logins by Passport', () => {
  let clock: ManualClock;
  let app: NestExpressApplication;
  let browser: Browser;

  beforeEach(async () => {
    clock = manualClock();
    const module = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(sessionOptionsToken())
      .useValue({ ...sessionOptions, clock })
      .compile();
    app = module.createNestApplication<NestExpressApplication>({ logger: false });
    await app.listen(0, '127.0.0.1');
    browser = await another();
  });

  afterEach(() => app.close());

  const another = async (): Promise<Browser> => new Browser(await app.getUrl());
  const logIn = (who: Browser, name: string, password = PASSWORD) => who.send('/login', { name, password });
  const located = ({ headers }: Page): string => headers.get('location')!;
  const isIn = async (who: Browser): Promise<boolean> => (await who.open('/')).status === 200;
  const count = (id: string): Promise<number> => app.get(SessionRegistry).count({ id });
  /** Goes to the provider, says there who it is, and returns the way back. */
  const wayBack = async (who: Browser, account: string): Promise<string> => {
    const asked = located(await who.open('/login/example'));
    const { origin, searchParams } = new URL(asked);
    searchParams.set('account', account);
    const body = new URLSearchParams(searchParams);
    const response = await fetch(`${origin}/authorize`, { method: 'POST', body, redirect: 'manual' });
    const { pathname, search } = new URL(response.headers.get('location')!);
    return pathname + search;
  };
  const logInAtExample = async (who: Browser, account: string): Promise<Page> =>
    who.open(await wayBack(who, account));

  it('opens the page that was asked for after a login by password', async () => {
    const asked = await browser.open('/?tab=devices');
    const login = await logIn(browser, 'ada');
    const home = (await browser.open('/')).text;
    expect({
      asked: { status: asked.status, location: located(asked) },
      login: { status: login.status, location: located(login) },
      name: home.includes('Hello, ada'),
      method: home.includes('with a password'),
    }).toEqual({
      asked: { status: 303, location: '/login' },
      login: { status: 303, location: '/?tab=devices' },
      name: true,
      method: true,
    });
  });

  it.each([
    ['a wrong password', { name: 'ada', password: 'guesswork' }],
    ['an unknown name', { name: 'zoe', password: PASSWORD }],
    ['no password', { name: 'ada', password: '' }],
    ['a password in several fields', { name: 'ada', 'password[a]': PASSWORD }],
  ])('says the same of %s', async (_case, fields) => {
    const { status, headers } = await browser.send('/login', fields);
    const { text } = await browser.open('/login');
    expect({
      status,
      location: headers.get('location'),
      said: text.includes('do not belong together'),
      isIn: await isIn(browser),
    }).toEqual({ status: 303, location: '/login', said: true, isIn: false });
  });

  it('renews the token at each kind of login', async () => {
    await browser.open('/');
    const first = await browser.cookie();
    await logInAtExample(browser, '4711');
    const second = await browser.cookie();
    await logIn(browser, 'ada');
    const third = await browser.cookie();
    expect({ distinct: new Set([first, second, third]).size, count: await count('1') }).toEqual({
      distinct: 3,
      count: 1,
    });
  });

  it('knows a user of the provider by the account, and not by the name', async () => {
    await logInAtExample(browser, '4711');
    const ada = (await browser.open('/')).text;
    const other = await another();
    await logInAtExample(other, '4712');
    const zoe = (await other.open('/')).text;
    expect({
      ada: ada.includes('Hello, ada'),
      method: ada.includes('with Example'),
      zoe: zoe.includes('Hello, zoe'),
      counts: [await count('1'), await count('3')],
    }).toEqual({ ada: true, method: true, zoe: true, counts: [1, 1] });
  });

  it('says that the provider refused a login', async () => {
    const answer = await logInAtExample(browser, '');
    const { text } = await browser.open('/login');
    expect({ location: located(answer), said: text.includes(REFUSED), isIn: await isIn(browser) }).toEqual({
      location: '/login',
      said: true,
      isIn: false,
    });
  });

  it('logs in no browser with the way back of another one', async () => {
    const victim = await another();
    await victim.open('/login/example');
    const answer = await victim.open(await wayBack(browser, '4712'));
    expect({ location: located(answer), isIn: await isIn(victim) }).toEqual({
      location: '/login',
      isIn: false,
    });
  });

  it('takes the way back once', async () => {
    const way = await wayBack(browser, '4711');
    await browser.open(way);
    await browser.send('/logout');
    const again = await browser.open(way);
    expect({ location: located(again), isIn: await isIn(browser) }).toEqual({
      location: '/login',
      isIn: false,
    });
  });

  it('gives a visitor ten minutes at the provider', async () => {
    const way = await wayBack(browser, '4711');
    clock.advance('11m');
    const answer = await browser.open(way);
    expect({ location: located(answer), isIn: await isIn(browser) }).toEqual({
      location: '/login',
      isIn: false,
    });
  });

  it('ends the login at the logout, also for a copy of its cookie', async () => {
    await logIn(browser, 'ada');
    const copy = browser.copy();
    const answer = await browser.send('/logout');
    expect({
      location: located(answer),
      isIn: await isIn(browser),
      copy: await isIn(copy),
      count: await count('1'),
    }).toEqual({ location: '/login', isIn: false, copy: false, count: 0 });
  });

  it('lists the logins of both kinds, and ends one of them', async () => {
    const other = await another();
    await logInAtExample(other, '4711');
    await logIn(browser, 'ada');
    const { text } = await browser.open('/');
    const [form, ...more] = [...text.matchAll(/action="(\/devices\/[^"]+)"/g)];
    await browser.send(form![1]!);
    expect({
      entries: text.split('<li>').length - 1,
      endable: 1 + more.length,
      isIn: await isIn(browser),
      other: await isIn(other),
    }).toEqual({ entries: 2, endable: 1, isIn: true, other: false });
  });

  it('lets no user end the login of another', async () => {
    const bert = await another();
    await logIn(bert, 'bert');
    await logIn(browser, 'ada');
    const [session] = await app.get(SessionRegistry).list({ id: '2' });
    const { status } = await browser.send(`/devices/${session!.id}/end`);
    expect({ status, bert: await isIn(bert) }).toEqual({ status: 404, bert: true });
  });

  it('ends the oldest login at the fourth, whichever way they were made', async () => {
    const browsers = await Promise.all(Array.from({ length: 4 }, another));
    for (const [n, each] of browsers.entries()) {
      await (n % 2 === 0 ? logIn(each, 'ada') : logInAtExample(each, '4711'));
      clock.advance('1m');
    }
    expect(await Promise.all(browsers.map(isIn))).toEqual([false, true, true, true]);
  });

  it('refuses a login and a logout that another site sends', async () => {
    const evil = 'https://evil.example';
    const login = await browser.send('/login', { name: 'ada', password: PASSWORD }, evil);
    await logIn(browser, 'ada');
    const logout = await browser.send('/logout', {}, evil);
    expect({ login: login.status, logout: logout.status, isIn: await isIn(browser) }).toEqual({
      login: 403,
      logout: 403,
      isIn: true,
    });
  });

  it('has a provider that knows no client but the sample, and no address but its own', async () => {
    const asked = located(await browser.open('/login/example'));
    const foreign = asked.replace('client_id=passport-sample', 'client_id=other');
    const elsewhere = new URL(asked);
    elsewhere.searchParams.set('redirect_uri', 'https://evil.example/login/example/callback');
    const statuses = await Promise.all(
      [asked, foreign, elsewhere].map(async (url) => (await fetch(url)).status),
    );
    expect(statuses).toEqual([200, 400, 400]);
  });
});
