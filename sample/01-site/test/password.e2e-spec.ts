import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { describeWithSqlite } from '../../../test/support/sqlite';
import { Passwords } from '../src/users/passwords';
import { minutesLater } from './later';
import { credentials, logIn, openSite, PASSWORD, signUp } from './open-site';
import { Person, place } from './person';

const NEW = 'five words are even better';

describeWithSqlite('a change of password on the sample site', () => {
  const folder = mkdtempSync(join(tmpdir(), 'site-'));
  let app: NestExpressApplication;
  let url: string;

  beforeAll(async () => {
    app = await openSite(join(folder, 'site.sqlite'));
    url = await app.getUrl();
  });

  afterEach(() => jest.restoreAllMocks());

  afterAll(async () => {
    await app.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('needs no further password in the first ten minutes of a login', async () => {
    const ada = await signUp(url, 'ada');
    minutesLater(9);
    expect((await ada.get('/account/password')).status).toBe(200);
  });

  it('leads to a page that asks for the password after that, and back', async () => {
    const bert = await signUp(url, 'bert');
    minutesLater(11);
    expect(await place(bert.get('/account/password'))).toBe('/account/confirm');
    expect((await bert.get('/account/confirm')).text).toContain('You logged in a while ago.');
    expect(await place(bert.send('/account/confirm', { password: 'a guess' }))).toBe('/account/confirm');
    expect((await bert.get('/account/confirm')).text).toContain('This is not your password.');
    expect(await place(bert.get('/account/password'))).toBe('/account/confirm');
    const before = await bert.token();
    expect(await place(bert.send('/account/confirm', { password: PASSWORD }))).toBe('/account/password');
    expect(await bert.token()).not.toBe(before);
    expect((await bert.get('/account/password')).status).toBe(200);
  });

  it('is not made by a form that was open for longer', async () => {
    const cleo = await signUp(url, 'cleo');
    minutesLater(11);
    expect(await place(cleo.send('/account/password', { password: NEW }))).toBe('/account/confirm');
    await logIn(url, 'cleo');
  });

  it('asks for twelve characters', async () => {
    const dora = await signUp(url, 'dora');
    expect(await place(dora.send('/account/password', { password: 'too short' }))).toBe('/account/password');
    expect((await dora.get('/account/password')).text).toContain('Choose a password of 12 to 128 characters');
  });

  it('ends every other session of the account, and neither this one nor those of others', async () => {
    const home = await signUp(url, 'emil');
    const phone = await logIn(url, 'emil');
    const thief = await home.thief();
    const fay = await signUp(url, 'fay');
    expect(await place(home.send('/account/password', { password: NEW }))).toBe('/account');
    expect((await home.get('/account')).text).toContain('Your password is changed.');
    for (const other of [phone, thief]) expect(await place(other.get('/account'))).toBe('/login');
    expect((await fay.get('/account')).status).toBe(200);
    expect(await place(new Person(url).send('/login', credentials('emil')))).toBe('/login');
    const login = { ...credentials('emil'), password: NEW };
    expect(await place(new Person(url).send('/login', login))).toBe('/account');
  });

  it('refuses a login that has checked the old password before', async () => {
    const home = await signUp(url, 'gus');
    const passwords = app.get(Passwords);
    const check = passwords.matches.bind(passwords);
    // Between the check of the old password and the login, the password is changed.
    jest.spyOn(passwords, 'matches').mockImplementation(async (...claim) => {
      const isRight = await check(...claim);
      await home.send('/account/password', { password: NEW });
      return isRight;
    });
    const late = new Person(url);
    expect(await place(late.send('/login', credentials('gus')))).toBe('/login');
    expect((await late.get('/login')).text).toContain('The password was changed in the meantime.');
    expect(await place(late.get('/account'))).toBe('/login');
  });

  it('leaves the roles and the "remember me" of the session as they are', async () => {
    const ada = new Person(url);
    await ada.send('/login', { ...credentials('ada'), remember: 'on' });
    await ada.send('/account/password', { password: NEW });
    expect((await ada.get('/account')).text).toContain('Yes, it outlives the browser');
    expect((await ada.get('/admin')).status).toBe(200);
  });
});
