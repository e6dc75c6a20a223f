import type { NestExpressApplication } from '@nestjs/platform-express';
import { SessionRegistry } from 'nestjs-tessera';
import { stepOne } from '../src/after/step-1';
import { stepTwo } from '../src/after/step-2';
import { before } from '../src/before/before';
import { Stock } from '../src/before/stock';
import { Browser, PASSWORD } from './browser';

const REFUSAL = 'do not belong together';
const stages = [
  { stage: 'before', start: before, keepsBoth: false, revives: true },
  { stage: 'step 1', start: stepOne, keepsBoth: false, revives: false },
  { stage: 'step 2', start: stepTwo, keepsBoth: true, revives: false },
];

const apps: NestExpressApplication[] = [];
async function open(start: typeof before): Promise<{ app: NestExpressApplication; browser: Browser }> {
  const app = await start({ logger: false });
  apps.push(app);
  await app.listen(0, '127.0.0.1');
  return { app, browser: new Browser(await app.getUrl()) };
}
afterEach(() => Promise.all(apps.splice(0).map((app) => app.close())));

const logIn = (who: Browser, password = PASSWORD) => who.send('/login', { name: 'ada', password });
const add = (who: Browser, item: string) => who.send('/cart', { item });
const welcomes = async (who: Browser): Promise<boolean> =>
  (await who.open('/')).text.includes('Welcome, ada');
const cartOf = async (who: Browser): Promise<string[]> =>
  [...(await who.open('/')).text.matchAll(/<li>(.*?)<\/li>/g)].map(([, item]) => item!);

/** Lets requests wait in their handler, with the session already loaded. */
function holdStock(app: NestExpressApplication): { arrived(count: number): Promise<void>; letGo(): void } {
  let letGo = (): void => {};
  const going = new Promise<void>((resolve) => (letGo = resolve));
  let count = 0;
  const waiting = new Map<number, () => void>();
  const has = async (): Promise<boolean> => {
    count += 1;
    waiting.get(count)?.();
    await going;
    return true;
  };
  Object.assign(app.get(Stock, { strict: false }), { has });
  const arrived = (expected: number): Promise<void> =>
    new Promise((resolve) => (count >= expected ? resolve() : waiting.set(expected, resolve)));
  return { arrived, letGo };
}

describe.each(stages)('the shop, $stage', ({ start, keepsBoth, revives }) => {
  it('keeps the cart of a visitor who logs in', async () => {
    const { browser } = await open(start);
    await add(browser, 'Oil lamp');
    await logIn(browser);
    expect({ isIn: await welcomes(browser), cart: await cartOf(browser) }).toEqual({
      isIn: true,
      cart: ['Oil lamp'],
    });
  });

  it('says once that a login was refused', async () => {
    const { browser } = await open(start);
    await logIn(browser, 'guesswork');
    const first = (await browser.open('/')).text.includes(REFUSAL);
    const second = (await browser.open('/')).text.includes(REFUSAL);
    expect({ first, second }).toEqual({ first: true, second: false });
  });

  it('opens nothing with the cookie of before the login', async () => {
    const { browser } = await open(start);
    await add(browser, 'Oil lamp');
    const planted = browser.copy();
    await logIn(browser);
    expect({ isIn: await welcomes(planted), cart: await cartOf(planted) }).toEqual({ isIn: false, cart: [] });
  });

  it('ends the login and the cart at the logout', async () => {
    const { browser } = await open(start);
    await logIn(browser);
    await add(browser, 'Oil lamp');
    const copy = browser.copy();
    await browser.send('/logout');
    expect({
      isIn: await welcomes(browser),
      cart: await cartOf(browser),
      copy: await welcomes(copy),
    }).toEqual({
      isIn: false,
      cart: [],
      copy: false,
    });
  });

  it(`${keepsBoth ? 'keeps both items' : 'loses an item'} of two requests at once`, async () => {
    const { app, browser } = await open(start);
    await logIn(browser);
    const stock = holdStock(app);
    const requests = Promise.all([add(browser, 'Oil lamp'), add(browser, 'Wax tablet')]);
    await stock.arrived(2);
    stock.letGo();
    await requests;
    expect((await cartOf(browser)).length).toBe(keepsBoth ? 2 : 1);
  });

  it(`${revives ? 'brings a login back' : 'brings no login back'} with a request that the logout overtook`, async () => {
    const { app, browser } = await open(start);
    await logIn(browser);
    const slow = browser.copy();
    const stock = holdStock(app);
    const request = add(browser.copy(), 'Oil lamp');
    await stock.arrived(1);
    await browser.send('/logout');
    stock.letGo();
    await request;
    expect(await welcomes(slow)).toBe(revives);
  });
});

it.each(stages.slice(1))(
  'asks the users of before to log in once more, and leaves them a way back: $stage',
  async ({ start }) => {
    const { browser } = await open(before);
    await logIn(browser);
    const { app } = await open(start);
    const moved = browser.copy(await app.getUrl());
    const first = await welcomes(moved);
    await logIn(moved);
    expect({ first, second: await welcomes(moved), back: await welcomes(browser) }).toEqual({
      first: false,
      second: true,
      back: true,
    });
  },
);

it('step 2 shows a login of Passport to the registry, and lets no other site send its forms', async () => {
  const { app, browser } = await open(stepTwo);
  await logIn(browser);
  const { status } = await browser.send('/logout', {}, 'https://evil.example');
  expect({
    count: await app.get(SessionRegistry).count({ id: '1' }),
    status,
    isIn: await welcomes(browser),
  }).toEqual({
    count: 1,
    status: 403,
    isIn: true,
  });
});
