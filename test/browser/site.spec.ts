import type { Page } from 'playwright-core';
import { artifacts, describeInChromium, type Browser } from '../support/browser';
import { itEachLong, itLong } from '../support/long';

const PASSWORD = 'four words are enough';
const COOKIE = '__Host-session';

describeInChromium('a person at the sample site', (site, open) => {
  let browser: Browser;
  let page: Page;

  beforeEach(async () => {
    browser = await open();
    page = browser.page;
  });

  afterEach(() => browser?.close());

  it('finds the cart still there after signing up, and after logging in', async () => {
    await page.goto('/shop');
    await addToCart(page, 'Oil lamp');
    await addToCart(page, 'Wax tablet');
    await signUp(page, 'Ada');
    await page.goto('/cart');
    expect(await cart(page)).toEqual(['Oil lamp', 'Wax tablet']);

    await logOut(page);
    await page.goto('/cart');
    expect(await cart(page)).toEqual([]);

    await page.goto('/shop');
    await addToCart(page, "Minerva's owl");
    await page.goto('/cart');
    await page.getByRole('link', { name: 'Log in to order' }).click();
    await logIn(page, 'Ada');
    await page.waitForURL('**/cart');
    expect(await cart(page)).toEqual(["Minerva's owl"]);
    await page.getByRole('button', { name: 'Place the order' }).click();
    await page.getByText('A courier leaves at dawn').waitFor();
    expect(browser.complaints).toEqual([]);
  });

  itLong('is told of a wrong password once, with the address still filled in', async () => {
    await page.goto('/login');
    await page.getByLabel('Email address').fill('nobody@example.com');
    await page.getByLabel('Password').fill('guesswork');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').getByText('do not belong together').waitFor();
    expect(await page.getByLabel('Email address').inputValue()).toBe('nobody@example.com');
    await page.reload();
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  itLong(
    'is led from a members-only page to the login and back, and refused at the administrator’s',
    async () => {
      await page.goto('/members');
      await page.waitForURL('**/login');
      await page.getByText('Log in to go on').waitFor();
      await signUp(page, 'Bert');
      await page.goto('/members');
      await page.getByText("Tonight's watchword").waitFor();
      expect((await page.goto('/admin'))?.status()).toBe(403);
      await page.getByRole('heading', { name: 'This door stays closed' }).waitFor();
    },
  );

  it('is shown nothing private by the back button after logging out', async () => {
    await signUp(page, 'Cleo');
    await page.goto('/members');
    await page.getByText("Tonight's watchword").waitFor();
    await logOut(page);
    await back(page);
    expect(new URL(page.url()).pathname).toBe('/login');
    expect(await page.content()).not.toMatch(/watchword|Cleo/);
    await back(page);
    expect(new URL(page.url()).pathname).toBe('/login');
    expect(await page.content()).not.toMatch(/Public id|Cleo/);
  });

  itLong('C6: carries no cookie any more after having the browser forgotten', async () => {
    await signUp(page, 'Dora');
    expect(await browser.cookies()).toEqual([COOKIE]);
    await page.goto('/account');
    await page.getByRole('button', { name: 'Forget this browser' }).click();
    await page.getByText('Your browser carries nothing of us any more').waitFor();
    expect(await browser.cookies()).toEqual([]);
  });

  it('is still logged in after closing the browser when remembered', async () => {
    expect(await whoIsThereAfterReopening('Emil', true)).toEqual({ path: '/account', named: 1 });
  });

  itLong('is logged out after closing the browser when not remembered', async () => {
    expect(await whoIsThereAfterReopening('Fay', false)).toEqual({ path: '/login', named: 0 });
  });

  async function whoIsThereAfterReopening(name: string, remember: boolean) {
    await signUp(page, name);
    await logOut(page);
    await page.goto('/login');
    await logIn(page, name, remember);
    await page.waitForURL('**/account');
    await browser.restart();
    page = browser.page;
    await page.goto('/account');
    return {
      path: new URL(page.url()).pathname,
      named: await page.getByRole('link', { name }).count(),
    };
  }

  itLong('is still logged in, with the cart, after the site’s process was restarted', async () => {
    await page.goto('/shop');
    await addToCart(page, 'Laurel wreath');
    await signUp(page, 'Gus');
    await site().restart();
    await page.goto('/members');
    await page.getByRole('heading', { name: 'Come in, Gus' }).waitFor();
    await page.goto('/cart');
    expect(await cart(page)).toEqual(['Laurel wreath']);
  });

  itEachLong([
    { device: 'desktop', width: 1280, height: 800 },
    { device: 'phone', width: 390, height: 844 },
  ])('sees every page fit a $device', async ({ device, width, height }) => {
    await page.setViewportSize({ width, height });
    const shoot = async (name: string): Promise<void> => {
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
      await page.screenshot({ path: `${artifacts}/${name}-${device}.png`, fullPage: true });
    };
    await page.goto('/');
    await shoot('home');
    await page.goto('/shop');
    await addToCart(page, 'Oil lamp');
    await shoot('shop');
    await addToCart(page, 'Amphora of oil');
    await addToCart(page, 'Amphora of oil');
    await page.goto('/cart');
    await shoot('cart');
    await page.goto('/members');
    await shoot('login');
    await page.goto('/sign-up');
    await page.getByLabel('Name').fill('Flavia');
    await page.getByRole('button', { name: 'Create the account' }).click();
    await page.getByRole('alert').waitFor();
    await shoot('sign-up');
    await page.goto('/login');
    await logIn(page, 'Ada');
    await page.waitForURL('**/members');
    await page.goto('/account');
    await shoot('account');
    for (const place of ['members', 'admin', 'nowhere']) {
      await page.goto(`/${place}`);
      await shoot(place);
    }
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.goto('/');
    await shoot('home-dark');
    await page.goto('/shop');
    await shoot('shop-dark');
    await page.goto('/account');
    await shoot('account-dark');
  });
});

async function addToCart(page: Page, product: string): Promise<void> {
  const badge = page.getByRole('link', { name: /^Cart/ });
  const items = Number((await badge.textContent())?.match(/\d+/)?.[0] ?? 0);
  await page.getByRole('button', { name: `Add to cart ${product}` }).click();
  await badge.getByText(String(items + 1)).waitFor();
}

async function cart(page: Page): Promise<string[]> {
  return page.locator('.line-name').allTextContents();
}

/** Signs up, and logs in as a new account has to. */
async function signUp(page: Page, name: string): Promise<void> {
  await page.goto('/sign-up');
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Email address').fill(`${name}@example.com`);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Create the account' }).click();
  await page.getByText('your account is ready').waitFor();
  await logIn(page, name);
}

/** At the login page. */
async function logIn(page: Page, name: string, remember = false): Promise<void> {
  await page.getByLabel('Email address').fill(`${name}@example.com`);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByLabel('Remember me').setChecked(remember);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText(`Welcome, ${name}`).waitFor();
}

/**
 * The back button, until another page is complete: two in a row may have one address, and the load of the page before may end late.
 * Playwright's own `goBack` may wait for ever.
 */
async function back(page: Page): Promise<void> {
  await page.evaluate("document.documentElement.id = 'left'; history.back()");
  const isThere = "document.documentElement.id !== 'left' && document.readyState === 'complete'";
  for (let tries = 0; tries < 2000; tries++) if (await page.evaluate(isThere).catch(() => false)) return;
  throw new Error('The back button leads nowhere.');
}

async function logOut(page: Page): Promise<void> {
  await page.getByRole('banner').getByRole('button', { name: 'Log out' }).click();
  await page.getByText('Farewell').waitFor();
}
