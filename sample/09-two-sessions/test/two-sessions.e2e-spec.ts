import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { MemorySessionStore, sessionOptionsToken } from 'nestjs-tessera';
import { manualClock, type ManualClock } from 'nestjs-tessera/testing';
import { AppModule, customerSessions, staffSessions } from '../src/app.module';
import { Browser, PASSWORD } from './browser';

describe('a shop with two sessions', () => {
  let clock: ManualClock;
  let app: NestExpressApplication;
  let browser: Browser;

  beforeEach(async () => {
    clock = manualClock();
    const store = new MemorySessionStore();
    const module = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(sessionOptionsToken())
      .useValue({ ...customerSessions, store, clock })
      .overrideProvider(sessionOptionsToken('staff'))
      .useValue({ ...staffSessions, store, clock })
      .compile();
    app = module.createNestApplication<NestExpressApplication>({ logger: false });
    await app.listen(0, '127.0.0.1');
    browser = new Browser(await app.getUrl());
  });

  afterEach(() => app.close());

  const logIn = (who: Browser, door: '' | '/staff', name: string) =>
    who.send(`${door}/login`, { name, password: PASSWORD });

  it('gives a browser a cookie of each, which end apart', async () => {
    await logIn(browser, '', 'ada');
    await logIn(browser, '/staff', 'grace');
    const both = await browser.cookies();
    await browser.send('/logout');
    expect({
      both,
      left: await browser.cookies(),
      shop: (await browser.open('/')).text.includes('Welcome, ada'),
      desk: (await browser.open('/staff')).text.includes('grace'),
    }).toEqual({
      both: ['__Host-session', '__Host-session-staff'],
      left: ['__Host-session-staff'],
      shop: false,
      desk: true,
    });
  });

  it('tells browsers to send the staff’s cookie with no request of another site', async () => {
    const staff = await logIn(browser, '/staff', 'grace');
    const customer = await logIn(browser, '', 'ada');
    expect({
      staff: staff.headers.get('set-cookie'),
      customer: customer.headers.get('set-cookie'),
    }).toEqual({
      staff: expect.stringContaining('SameSite=Strict'),
      customer: expect.stringContaining('SameSite=Lax'),
    });
  });

  it('takes a customer’s login for no login of the staff, and the other way around', async () => {
    await logIn(browser, '', 'ada');
    const desk = await browser.open('/staff');
    const other = new Browser(await app.getUrl());
    await logIn(other, '/staff', 'grace');
    expect({
      desk: { status: desk.status, location: desk.headers.get('location') },
      shop: (await other.open('/')).text.includes('Welcome'),
    }).toEqual({ desk: { status: 303, location: '/staff/login' }, shop: false });
  });

  it('knows customers at the shop’s door alone, and staff at theirs', async () => {
    await logIn(browser, '/staff', 'ada');
    await logIn(browser, '', 'grace');
    const shop = (await browser.open('/')).text;
    const desk = (await browser.open('/staff/login')).text;
    const refusal = 'do not belong together';
    expect({ shop: shop.includes(refusal), desk: desk.includes(refusal) }).toEqual({
      shop: true,
      desk: true,
    });
  });

  it('ends the staff’s login after a quarter of an hour, and keeps the customer’s with the cart', async () => {
    await browser.send('/cart', { item: 'Oil lamp' });
    await logIn(browser, '', 'ada');
    await logIn(browser, '/staff', 'grace');
    clock.advance('16m');
    const shop = (await browser.open('/')).text;
    expect({
      desk: (await browser.open('/staff')).status,
      welcome: shop.includes('Welcome, ada'),
      cart: shop.includes('<li>Oil lamp</li>'),
    }).toEqual({ desk: 303, welcome: true, cart: true });
  });

  it('ends the customer’s sessions when a manager says so, and not those of the employee with the same id', async () => {
    await logIn(browser, '', 'ada');
    await logIn(browser, '/staff', 'grace');
    const { headers } = await browser.send('/staff/customers/1/end');
    expect({
      location: headers.get('location'),
      shop: (await browser.open('/')).text.includes('Welcome, ada'),
      desk: (await browser.open('/staff')).status,
    }).toEqual({ location: '/staff', shop: false, desk: 200 });
  });

  it('lets no one end sessions but a manager', async () => {
    await logIn(browser, '', 'ada');
    const end = (who: Browser) => who.send('/staff/customers/1/end').then(({ status }) => status);
    const asCustomer = await end(browser);
    await logIn(browser, '/staff', 'hugo');
    const asEmployee = await end(browser);
    expect({
      asCustomer,
      asEmployee,
      shop: (await browser.open('/')).text.includes('Welcome, ada'),
    }).toEqual({ asCustomer: 401, asEmployee: 403, shop: true });
  });

  it('refuses a form of another site', async () => {
    await logIn(browser, '', 'ada');
    const { status } = await browser.send('/logout', {}, 'https://evil.example');
    expect({ status, shop: (await browser.open('/')).text.includes('Welcome, ada') }).toEqual({
      status: 403,
      shop: true,
    });
  });

  it('shows text as text, whatever is in it', async () => {
    await browser.send('/cart', { item: '<script>alert(1)</script>' });
    expect((await browser.open('/')).text).toContain('<li>&#60;script&#62;alert(1)&#60;/script&#62;</li>');
  });
});
