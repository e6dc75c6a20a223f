import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { describeWithSqlite } from '../../../test/support/sqlite';
import { Passwords } from '../src/users/passwords';
import { api, credentials, logIn, openSite, PASSWORD, signUp } from './open-site';
import { Person } from './person';

describeWithSqlite('the accounts of the sample site', () => {
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

  describe('sign-up', () => {
    it('W29: answers alike for a new email address and for one that has an account', async () => {
      const fresh = await trySignUp('bert');
      expect(fresh).toEqual({
        status: 303,
        location: '/login',
        page: expect.stringContaining('If this email address is new here') as string,
        cookies: 1,
      });
      expect(await trySignUp('ada')).toEqual(fresh);
    });

    it('W29: hashes a password for both', async () => {
      const hash = jest.spyOn(app.get(Passwords), 'hash');
      await trySignUp('cleo');
      await trySignUp('ada');
      expect(hash).toHaveBeenCalledTimes(2);
      hash.mockRestore();
    });

    it('W29: logs nobody in', async () => {
      const visitor = new Person(url);
      await visitor.send('/sign-up', { name: 'eve', ...credentials('eve') });
      expect((await visitor.get('/account')).headers.get('location')).toBe('/login');
    });

    it('W29: leaves an account that was there with its password', async () => {
      const form = { email: 'ada@example.com', password: 'a password of Eve' };
      await api(url, '/sign-up', { name: 'Eve', ...form });
      expect((await api(url, '/login', form)).status).toBe(401);
      await logIn(url, 'ada');
    });

    it('W29: fills in the address at the login, which is no error', async () => {
      const visitor = new Person(url);
      await visitor.send('/sign-up', { name: 'dora', ...credentials('dora') });
      const { text } = await visitor.get('/login');
      expect(text).toContain('value="dora@example.com"');
      expect(text).not.toMatch(/Error:|role="alert"/);
    });

    it('W29: is refused to an address after twenty times in an hour, and not to others', async () => {
      const send = async (name: string, address: string): Promise<number> =>
        (await api(url, '/sign-up', { name, ...credentials(name) }, address)).status;
      const statuses = await Promise.all(Array.from({ length: 21 }, (_, at) => send(`u${at}`, '10.2.0.1')));
      expect(statuses.filter((status) => status !== 303)).toEqual([429]);
      expect(await send('another', '10.2.0.2')).toBe(303);
    });

    async function trySignUp(name: string): Promise<object> {
      const visitor = new Person(url);
      const form = { name: 'Somebody', ...credentials(name) };
      const { status, headers, cookies } = await visitor.send('/sign-up', form);
      const { text } = await visitor.get(headers.get('location')!);
      const page = text.replaceAll(`${name}@example.com`, 'their address');
      return { status, location: headers.get('location'), page, cookies: cookies.length };
    }
  });

  describe('guesses at one account', () => {
    it('W29: are refused from new addresses after twenty, alike whether or not it exists', async () => {
      const guessAt = async (email: string): Promise<number[]> => {
        const addresses = Array.from({ length: 22 }, (_, at) => `10.3.0.${at}`);
        const guesses = addresses.map((from) => api(url, '/login', { email, password: 'a guess' }, from));
        return (await Promise.all(guesses)).map(({ status }) => status).sort();
      };
      const statuses = await guessAt('bert@example.com');
      expect(statuses).toEqual([...Array<number>(20).fill(401), 429, 429]);
      expect(await guessAt('nobody@example.com')).toEqual(statuses);
    });

    it('W29: do not keep the owner out from an address of before', async () => {
      await api(url, '/login', credentials('cleo'), '10.4.0.1');
      for (let at = 0; at < 22; at++)
        await api(url, '/login', { email: 'cleo@example.com', password: 'a guess' }, `10.4.1.${at}`);
      const owner = await api(url, '/login', credentials('cleo'), '10.4.0.1');
      const stranger = await api(url, '/login', credentials('cleo'), '10.4.2.1');
      expect({ owner: owner.status, stranger: stranger.status }).toEqual({ owner: 303, stranger: 429 });
    });
  });

  describe('"remember me" for a session that is logged in', () => {
    it.each<[sent: Record<string, string>, problem: string]>([
      [{}, 'Enter your password'],
      [{ password: 'a guess' }, 'This is not your password'],
    ])('W29: asks for the password, and refuses %j', async (sent, problem) => {
      const ada = await logIn(url, 'ada');
      const { status, headers, cookies } = await ada.send('/account/remember', sent);
      expect({ status, location: headers.get('location'), cookies }).toEqual({
        status: 303,
        location: '/account/remember',
        cookies: [],
      });
      expect((await ada.get('/account/remember')).text).toContain(problem);
      expect((await ada.get('/account')).text).toContain('No, it ends with the browser');
    });

    it('W29: lasts 30 days from the password on, under a new token', async () => {
      const ada = await logIn(url, 'ada');
      const thief = await ada.thief();
      const { cookies } = await ada.send('/account/remember', { password: PASSWORD });
      // Two seconds at most for the request: 2,592,000 are 30 days.
      expect(cookies).toEqual([expect.stringMatching(/Max-Age=(259199[89]|2592000)/)]);
      expect((await ada.get('/account')).text).toMatch(/>30 days</);
      expect((await thief.get('/account')).status).toBe(303);
    });

    it('W29: counts its guesses with those at the login', async () => {
      const fay = await signUp(url, 'fay');
      for (let at = 0; at < 6; at++) await fay.send('/account/remember', { password: 'a guess' });
      expect((await fay.get('/account/remember')).text).toContain(
        'Too many attempts. Try again in 5 minutes.',
      );
      const login = await new Person(url).send('/login', credentials('fay'));
      expect(login.headers.get('location')).toBe('/login');
    });

    it('W29: is turned off without it', async () => {
      const ada = await logIn(url, 'ada');
      await ada.send('/account/remember', { password: PASSWORD });
      const { cookies } = await ada.send('/account/stop-remembering');
      expect(cookies.join()).not.toContain('Max-Age');
      expect((await ada.get('/account')).text).toContain('No, it ends with the browser');
    });
  });
});
