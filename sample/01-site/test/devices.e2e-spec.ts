import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { describeWithSqlite } from '../../../test/support/sqlite';
import { credentials, logIn, openSite, signUp } from './open-site';
import { Person } from './person';

const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0';
const SAFARI =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1';

describeWithSqlite('"where you are logged in" on the sample site', () => {
  const folder = mkdtempSync(join(tmpdir(), 'site-'));
  let app: NestExpressApplication;
  let url: string;

  beforeAll(async () => {
    app = await openSite(join(folder, 'site.sqlite'));
    url = await app.getUrl();
    await new Person(url).send('/sign-up', { name: 'ada', ...credentials('ada') });
  });

  afterAll(async () => {
    await app.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('lists the sessions of the account with their devices, and says which one this is', async () => {
    const home = await logIn(url, 'ada', FIREFOX);
    await logIn(url, 'ada', SAFARI);
    const { text } = await home.get('/account/devices');
    expect(devicesIn(text)).toEqual([
      { label: 'Safari on iOS', here: false },
      { label: 'Firefox on Windows', here: true },
    ]);
    expect(text).toContain('<dd>127.0.0.1</dd>');
    await home.send('/account/devices/end-others');
  });

  it('ends one of them, at its next click', async () => {
    const home = await logIn(url, 'ada', FIREFOX);
    const phone = await logIn(url, 'ada', SAFARI);
    const [id] = idsIn((await home.get('/account/devices')).text);
    const { headers } = await home.send('/account/devices/end', { id: id! });
    expect(headers.get('location')).toBe('/account/devices');
    expect((await home.get('/account/devices')).text).toContain('That browser is logged out.');
    expect((await phone.get('/account')).headers.get('location')).toMatch(/^\/login/);
    expect((await home.get('/account')).status).toBe(200);
  });

  it('says so when that one had ended already', async () => {
    const home = await logIn(url, 'ada', FIREFOX);
    const phone = await logIn(url, 'ada', SAFARI);
    const id = await idOf(phone);
    await phone.send('/logout');
    await home.send('/account/devices/end', { id });
    expect((await home.get('/account/devices')).text).toContain('was logged out already');
  });

  it('does not end a session of another account', async () => {
    const eve = await signUp(url, 'eve');
    const ada = await logIn(url, 'ada');
    await eve.send('/account/devices/end', { id: await idOf(ada) });
    expect((await eve.get('/account/devices')).text).toContain('was logged out already');
    expect((await ada.get('/account')).status).toBe(200);
  });

  it('logs out everywhere else, and a copy of the cookie too', async () => {
    const home = await logIn(url, 'ada', FIREFOX);
    const others = [await logIn(url, 'ada', SAFARI), await home.thief()];
    await home.send('/account/devices/end-others');
    const { text } = await home.get('/account/devices');
    expect(devicesIn(text)).toEqual([{ label: 'Firefox on Windows', here: true }]);
    for (const other of others) expect((await other.get('/account')).status).toBe(303);
  });
});

function devicesIn(page: string): { label: string; here: boolean }[] {
  return [...page.matchAll(/<h2>(.*?)( <span class="tag here">This browser<\/span>)?<\/h2>/g)].map(
    ([, label, here]) => ({ label: label!, here: here !== undefined }),
  );
}

/** The ids for which the page has a button. */
function idsIn(page: string): string[] {
  return [...page.matchAll(/name="id" value="(.*?)"/g)].map(([, id]) => id!);
}

/** As the account page shows it. */
async function idOf(person: Person): Promise<string> {
  return /Public id<\/dt><dd><code>(.*?)<\/code>/.exec((await person.get('/account')).text)![1]!;
}
