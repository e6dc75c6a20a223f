import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { describeWithSqlite } from '../../../test/support/sqlite';
import { api, credentials, logIn, openSite, signUp } from './open-site';
import { Person, type Answer } from './person';

describeWithSqlite('the sample site', () => {
  const folder = mkdtempSync(join(tmpdir(), 'site-'));
  let app: NestExpressApplication;
  let url: string;

  beforeAll(async () => {
    app = await openSite(join(folder, 'site.sqlite'));
    url = await app.getUrl();
    await signUp(url, 'ada');
  });

  afterAll(async () => {
    await app.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('makes the first account the administrator’s, and no other', async () => {
    const ada = await logIn(url, 'ada');
    expect((await ada.get('/admin')).status).toBe(200);
    const bert = await signUp(url, 'bert');
    const refused = await bert.get('/admin');
    expect(refused.status).toBe(403);
    expect(refused.text).toContain('This door stays closed');
    expect(refused.text).toContain('Your role does not allow this.');
  });

  it('counts visits and lists the pages seen', async () => {
    const visitor = new Person(url);
    await visitor.get('/');
    await visitor.get('/shop');
    const { text } = await visitor.get('/');
    expect(text).toMatch(/class="figure">2</);
    expect([...text.matchAll(/<li><a href="(.*?)">.*?<\/a> <time/g)].map(([, path]) => path)).toEqual([
      '/shop',
      '/',
    ]);
  });

  it('keeps the cart through login, under another token', async () => {
    await signUp(url, 'cleo');
    const cleo = new Person(url);
    await cleo.send('/shop', { product: 'lamp' });
    const before = await cleo.token();
    await cleo.send('/login', credentials('cleo'));
    expect(await cleo.token()).not.toBe(before);
    expect((await cleo.get('/cart')).text).toContain('Oil lamp');
  });

  it('says the same of a wrong password and an unknown address, and keeps neither password', async () => {
    const visitor = new Person(url);
    const guessAt = async (email: string) => {
      const { status, headers } = await visitor.send('/login', { email, password: 'guesswork, mine' });
      const { text } = await visitor.get('/login');
      return { status, location: headers.get('location'), text: text.replace(email, '') };
    };
    const wrong = await guessAt('ada@example.com');
    const text = expect.stringContaining('do not belong together') as string;
    expect(wrong).toEqual({ status: 303, location: '/login', text });
    expect(wrong.text).not.toContain('guesswork');
    expect(await guessAt('nobody@example.com')).toEqual(wrong);
  });

  it('stops listening to guesses, even made at once, and not to others', async () => {
    const guesses = await Promise.all(
      Array.from({ length: 8 }, () => api(url, '/login', { email: 'gus@example.com', password: 'a guess' })),
    );
    expect(guesses.map(({ status }) => status).sort()).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
    expect((await api(url, '/login', { email: 'hera@example.com', password: 'a guess' })).status).toBe(401);
  });

  it('shows a form again with what was typed, and its problems by field', async () => {
    const visitor = new Person(url);
    const answer = await visitor.send('/sign-up', { name: 'Dora <b>', email: 'dora', password: 'short' });
    expect(answer.status).toBe(303);
    const { text } = await visitor.get('/sign-up');
    expect(text).toContain('value="Dora &lt;b&gt;"');
    expect(text).toContain('href="#email"');
    expect(text).toContain('aria-invalid="true" aria-describedby="password-problem password-hint"');
    expect(text).not.toContain('value="short"');
    expect((await visitor.get('/sign-up')).text).not.toContain('Dora');
  });

  it('W29: keeps the latest report alone for a client that sends forms and opens no page', async () => {
    const visitor = new Person(url);
    const form = { name: 'n'.repeat(254), email: 'e'.repeat(254) };
    for (let at = 0; at < 99; at++) await visitor.send('/sign-up', form);
    const { status } = await visitor.send('/sign-up', { ...form, email: 'the last' });
    const { text } = await visitor.get('/sign-up');
    expect({ status, text }).toEqual({
      status: 303,
      text: expect.stringContaining('value="the last"') as string,
    });
  });

  it('W29: shows one notice, the latest, after several forms', async () => {
    const visitor = new Person(url);
    await visitor.send('/shop', { product: 'lamp' });
    await visitor.send('/shop', { product: 'owl' });
    const notices = [...(await visitor.get('/shop')).text.matchAll(/class="notice".*?>(.*?)</g)];
    expect(notices.map(([, notice]) => notice)).toEqual(['Minerva&#x27;s owl is in your cart.']);
  });

  it('leads a visitor of a members-only page to the login, and back, also by way of the sign-up', async () => {
    const visitor = new Person(url);
    const refused = await visitor.get('/members?tab=2');
    expect({ status: refused.status, location: refused.headers.get('location') }).toEqual({
      status: 303,
      location: '/login',
    });
    expect((await visitor.get('/login')).text).toContain('Log in to go on');
    await visitor.send('/sign-up', { name: 'ada', ...credentials('ada') });
    const answer = await visitor.send('/login', credentials('ada'));
    expect(answer.headers.get('location')).toBe('/members?tab=2');
  });

  it('leads back once', async () => {
    const visitor = new Person(url);
    await visitor.get('/members');
    await visitor.send('/login', credentials('ada'));
    const again = await visitor.send('/login', credentials('ada'));
    expect(again.headers.get('location')).toBe('/account');
  });

  it('sends a form that needs a login to the login, and not back', async () => {
    const visitor = new Person(url);
    const refused = await visitor.send('/cart/order');
    expect({ status: refused.status, location: refused.headers.get('location') }).toEqual({
      status: 303,
      location: '/login',
    });
    const answer = await visitor.send('/login', credentials('ada'));
    expect(answer.headers.get('location')).toBe('/account');
  });

  it('ends the session at logout, with a farewell', async () => {
    const ada = await logIn(url, 'ada');
    const thief = await ada.thief();
    const { status, headers } = await ada.send('/logout');
    expect({ status, location: headers.get('location') }).toEqual({ status: 303, location: '/' });
    expect((await ada.get('/')).text).toContain('Farewell, ada');
    expect((await thief.get('/account')).status).toBe(303);
  });

  it('gives a remembered login a cookie that outlives the browser, and no other', async () => {
    const visitor = new Person(url);
    const short = await visitor.send('/login', credentials('ada'));
    const long = await visitor.send('/login', { ...credentials('ada'), remember: 'on' });
    expect(cookieOf(short)).not.toMatch(/Max-Age/i);
    expect(Number(/Max-Age=(\d+)/.exec(cookieOf(long))?.[1])).toBeGreaterThan(29 * 24 * 60 * 60);
  });

  it('renews the token, and ends the session when the browser is to be forgotten', async () => {
    const ada = await logIn(url, 'ada');
    const thief = await ada.thief();
    await ada.send('/account/renew');
    expect((await thief.get('/account')).status).toBe(303);
    expect((await ada.get('/account')).status).toBe(200);
    const forgotten = await ada.send('/account/forget');
    expect(cookieOf(forgotten)).toMatch(/^__Host-session=; Max-Age=0/);
    expect((await ada.get('/goodbye')).cookies).toEqual([]);
    expect(await ada.token()).toBeUndefined();
  });

  it.each([
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ 'sec-fetch-site': 'same-origin' }, 303],
    [{ origin: 'https://evil.example' }, 403],
    [{ origin: 'null' }, 403],
    [{}, 403],
  ])('answers a form with our cookie that says it comes from %j with %i', async (headers, status) => {
    const visitor = new Person(url);
    await visitor.get('/');
    const cookie = `__Host-session=${await visitor.token()}`;
    expect((await sendForm({ ...headers, cookie })).status).toBe(status);
    expect((await visitor.get('/cart')).text.includes('Oil lamp')).toBe(status === 303);
  });

  it.each([
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ origin: 'https://evil.example' }, 403],
    // No browser: nothing that could be made to send our cookie.
    [{}, 303],
  ])('answers a form without a cookie that says it comes from %j with %i', async (headers, status) => {
    expect((await sendForm(headers)).status).toBe(status);
  });

  it('says on a page why it has refused a form', async () => {
    const answer = await sendForm({ accept: 'text/html', origin: 'https://evil.example' });
    expect(await answer.text()).toContain('The request comes from a page of another origin.');
  });

  function sendForm(headers: Partial<Record<string, string>>): Promise<Response> {
    return fetch(`${url}/shop`, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ product: 'lamp' }),
      headers: headers as Record<string, string>,
    });
  }

  it.each(['/', '/login', '/nowhere'])(
    'lets no page be stored or run a script, and no error page either: %s',
    async (path) => {
      const { headers } = await new Person(url).get(path);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    },
  );

  it('keeps users and sessions when it is started again', async () => {
    const ada = await logIn(url, 'ada');
    const port = new URL(url).port;
    await app.close();
    app = await openSite(join(folder, 'site.sqlite'), Number(port));
    expect((await ada.get('/members')).text).toContain('Come in, ada');
  });
});

function cookieOf({ cookies }: Answer): string {
  expect(cookies).toHaveLength(1);
  return cookies[0]!;
}
