import type { Page } from 'playwright-core';
import { Secret, TOTP } from 'otpauth';
import { artifacts, describeInChromium, type Browser } from '../support/browser';
import { itEachLong, itLong } from '../support/long';

const PASSWORD = 'four words are enough';

describeInChromium('a person with two browsers at the sample site', (site, open) => {
  let desk: Browser;
  let phone: Browser;
  let here: Page;
  let there: Page;

  beforeAll(() => createAdministrator(site().url));

  beforeEach(async () => {
    [desk, phone] = await Promise.all([open(), open()]);
    here = desk.page;
    there = phone.page;
  });

  afterEach(() => Promise.all([desk?.close(), phone?.close()]));

  it('logs the other one out, at its next click', async () => {
    await signUp(here, 'Gus');
    await logIn(there, 'Gus');
    await there.goto('/shop');
    await here.goto('/account/devices');
    await buttonOfOther(here).click();
    await here.getByText('That browser is logged out.').waitFor();
    await there.getByRole('link', { name: 'Members' }).click();
    await there.waitForURL('**/login');
    await there.getByText('You were logged out here from another of your devices.').waitFor();
    expect({ here: desk.complaints, there: phone.complaints }).toEqual({ here: [], there: [] });
  });

  it('sees the other one come, and its own page close by itself when the other one ends it', async () => {
    await signUp(here, 'Bert');
    await here.goto('/account/devices');
    await logIn(there, 'Bert');
    // Nobody touches the first browser from here on.
    await buttonOfOther(here).waitFor();
    await there.goto('/account/devices');
    await buttonOfOther(there).click();
    await here.waitForURL('**/login');
    await here.getByText('You were logged out here from another of your devices.').waitFor();
    expect(await here.content()).not.toContain('Bert');
    await logIn(here, 'Bert');
    await here.waitForURL('**/account/devices');
  });

  itLong('changes the password in one, and has to log in with the new one in the other', async () => {
    await signUp(here, 'Cleo');
    await logIn(there, 'Cleo');
    await here.goto('/account/password');
    await here.getByLabel('New password').fill('five words are even better');
    await here.getByRole('button', { name: 'Change the password' }).click();
    await here.getByText('Your password is changed.').waitFor();
    await there.getByRole('link', { name: 'Cleo' }).click();
    await there.waitForURL('**/login');
    await there.getByText('The password of your account was changed').waitFor();
  });

  it('turns the second factor on in one, and needs a code in the other', async () => {
    await signUp(here, 'Dora');
    await here.goto('/account/second-factor/on');
    const key = (await here.locator('.key').textContent())!.replaceAll(' ', '');
    const app = new TOTP({ secret: Secret.fromBase32(key) });
    await here.getByRole('textbox', { name: 'Code' }).fill(app.generate());
    await here.getByRole('button', { name: 'Turn it on' }).click();
    await here.getByText('From now on a login takes a code too.').waitFor();

    await there.goto('/members');
    await fillIn(there, 'Dora');
    await there.waitForURL('**/login/code');
    // The code of the next half minute, which the site takes already: the present one is spent.
    await there.getByRole('textbox', { name: 'Code' }).fill(app.generate({ timestamp: Date.now() + 30_000 }));
    await there.getByRole('button', { name: 'Log in' }).click();
    await there.getByRole('heading', { name: 'Come in, Dora' }).waitFor();
  });

  it('acts as a member with a bar on every page, and is seen by the administrator’s other browser', async () => {
    await signUp(there, 'Hera');
    await logIn(here, 'Ada');
    await logIn(there, 'Ada');
    await there.goto('/admin/sessions');
    await here.goto('/admin');
    await here.getByRole('button', { name: 'Act as Hera' }).click();
    await there.getByText('acting as Hera').waitFor();
    for (const path of ['/', '/shop', '/account', '/nowhere']) {
      await here.goto(path);
      await here.getByText('You are acting as Hera.').waitFor();
    }
    await here.getByRole('button', { name: 'Stop' }).click();
    await here.getByText('You are yourself again').waitFor();
    expect(await here.getByText('You are acting as').count()).toBe(0);
    await there.getByText('acting as Hera').waitFor({ state: 'detached' });
  });

  itLong('finds the list of the administrator live: logins come and go without a reload', async () => {
    await logIn(here, 'Ada');
    await here.goto('/admin/sessions');
    await signUp(there, 'Emil');
    const emil = here.getByRole('listitem').filter({ has: here.getByRole('heading', { name: 'Emil' }) });
    await emil.waitFor();
    await emil.getByRole('button', { name: 'Log out' }).click();
    await here.getByText('That browser is logged out.').waitFor();
    await emil.waitFor({ state: 'detached' });
    await there.goto('/account');
    await there.getByText('An administrator has logged you out here.').waitFor();
  });

  itLong('does without the script: a reload shows the same', async () => {
    await signUp(here, 'Fay');
    await here.route('**/live.js', (route) => route.abort());
    await here.goto('/account/devices');
    await logIn(there, 'Fay');
    expect(await buttonOfOther(here).count()).toBe(0);
    await here.reload();
    await buttonOfOther(here).click();
    await here.getByText('That browser is logged out.').waitFor();
  });

  itEachLong([
    { device: 'desktop', width: 1280, height: 800 },
    { device: 'phone', width: 390, height: 844 },
  ])(
    'sees every page about logins fit a $device, in the light and in the dark',
    async ({ device, width, height }) => {
      await here.setViewportSize({ width, height });
      const shoot = async (name: string): Promise<void> => {
        for (const colorScheme of ['light', 'dark'] as const) {
          await here.emulateMedia({ colorScheme });
          expect(
            await here.evaluate('document.documentElement.scrollWidth - innerWidth'),
          ).toBeLessThanOrEqual(0);
          await here.screenshot({
            path: `${artifacts}/${name}-${device}-${colorScheme}.png`,
            fullPage: true,
          });
        }
      };
      await signUp(there, `Ines-${device}`);
      await logIn(there, 'Ada');
      await logIn(here, 'Ada');
      for (const place of ['devices', 'password', 'second-factor/on', 'second-factor/off', 'confirm']) {
        await here.goto(`/account/${place}`);
        await shoot(place.replace('/', '-'));
      }
      await here.goto('/admin/sessions');
      await shoot('sessions');
      await here.goto('/admin');
      await here.getByRole('button', { name: `Act as Ines-${device}` }).click();
      await here.getByText('You are acting as').waitFor();
      await shoot('acting');
      await here.getByRole('button', { name: 'Stop' }).click();
      await here.getByText('You are yourself again').waitFor();
    },
  );
});

/** At the list of devices: logs the other browser out. */
function buttonOfOther(page: Page) {
  return page.getByRole('main').getByRole('button', { name: 'Log out Chrome on' });
}

/** The first account is the administrator's. */
async function createAdministrator(url: string): Promise<void> {
  const body = new URLSearchParams({ name: 'Ada', email: 'ada@example.com', password: PASSWORD });
  await fetch(`${url}/sign-up`, { method: 'POST', headers: { origin: url }, body, redirect: 'manual' });
}

/** Signs up, and logs in as a new account has to. */
async function signUp(page: Page, name: string): Promise<void> {
  await page.goto('/sign-up');
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Email address').fill(`${name}@example.com`);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Create the account' }).click();
  await page.getByText('your account is ready').waitFor();
  await fillIn(page, name);
  await page.getByText(`Welcome, ${name}`).waitFor();
}

async function logIn(page: Page, name: string): Promise<void> {
  if (new URL(page.url()).pathname !== '/login') await page.goto('/login');
  await fillIn(page, name);
  await page.getByText(`Welcome, ${name}`).waitFor();
}

/** At the login page. */
async function fillIn(page: Page, name: string): Promise<void> {
  await page.getByLabel('Email address').fill(`${name}@example.com`);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
}
