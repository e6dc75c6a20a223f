import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { CreateSessionTable } from 'nestjs-tessera/typeorm';
import { Secret, TOTP } from 'otpauth';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { describeWithSqlite } from '../../../test/support/sqlite';
import { CreateUsers1763600000000 } from '../src/database/create-users';
import { databaseOptions } from '../src/database/database-options';
import { Passwords } from '../src/users/passwords';
import { minutesLater } from './later';
import { credentials, logIn, openSite, PASSWORD, signUp } from './open-site';
import { Person, place } from './person';

describeWithSqlite('the second factor on the sample site', () => {
  const folder = mkdtempSync(join(tmpdir(), 'site-'));
  let app: NestExpressApplication;
  let url: string;

  beforeAll(async () => {
    app = await openSite(join(folder, 'site.sqlite'));
    url = await app.getUrl();
    // The administrator, whose account is none of the others.
    await signUp(url, 'root');
  });

  afterEach(() => jest.restoreAllMocks());

  afterAll(async () => {
    await app.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is turned on with a code of the key that the page shows, and makes this a login of level 2', async () => {
    const ada = await signUp(url, 'ada');
    const { text } = await ada.get('/account/second-factor/on');
    expect(text).toContain('href="otpauth://totp/The%20Night%20Watch');
    expect(text).toContain('<svg class="qr"');
    const otp = codeOf(keyIn(text));
    expect(await place(ada.send('/account/second-factor/on', { otp }))).toBe('/account');
    expect((await ada.get('/account')).text).toContain('password and code, which is level 2');
  });

  it('shows the same key after a wrong code, and stays off', async () => {
    const bert = await signUp(url, 'bert');
    const key = keyIn((await bert.get('/account/second-factor/on')).text);
    await bert.send('/account/second-factor/on', { otp: wrongCodeOf(key) });
    const again = await bert.get('/account/second-factor/on');
    expect(again.text).toContain('This is not the code');
    expect(keyIn(again.text)).toBe(key);
    await logIn(url, 'bert');
  });

  it('asks for the password again when that was a while ago', async () => {
    const cleo = await signUp(url, 'cleo');
    minutesLater(11);
    expect(await place(cleo.get('/account/second-factor/on'))).toBe('/account/confirm');
    expect(await place(cleo.get('/account/second-factor/off'))).toBe('/account/confirm');
  });

  it('lets no login with the password alone into the account, and the code completes it', async () => {
    const { key } = await withSecondFactor('dora');
    const dora = new Person(url);
    await dora.get('/members');
    expect(await place(dora.send('/login', credentials('dora')))).toBe('/login/code');
    expect(await place(dora.get('/account'))).toBe('/login/code');
    expect((await dora.get('/login/code')).text).toContain('Enter the code that your app shows');
    const before = await dora.token();
    // The page that was refused last.
    expect(await place(dora.send('/login/code', { otp: codeOf(key) }))).toBe('/account');
    expect(await dora.token()).not.toBe(before);
    expect((await dora.get('/account')).text).toContain('level 2');
  });

  it('leads to the page that was refused before the login', async () => {
    const { key } = await withSecondFactor('emil');
    const emil = new Person(url);
    await emil.get('/members');
    await emil.send('/login', credentials('emil'));
    expect(await place(emil.send('/login/code', { otp: codeOf(key) }))).toBe('/members');
  });

  it('takes a code with the space that apps show in it', async () => {
    const { key } = await withSecondFactor('fay');
    const fay = await half('fay');
    const otp = codeOf(key).replace(/^.../, '$& ');
    expect(await place(fay.send('/login/code', { otp }))).toBe('/account');
  });

  it('takes a code once, and the next one then', async () => {
    const { key } = await withSecondFactor('gus');
    const [first, second] = [await half('gus'), await half('gus')];
    const otp = codeOf(key);
    expect(await place(first.send('/login/code', { otp }))).toBe('/account');
    expect(await place(second.send('/login/code', { otp }))).toBe('/login/code');
    expect((await second.get('/login/code')).text).toContain('This code was used before.');
    minutesLater(2);
    expect(await place(second.send('/login/code', { otp: codeOf(key) }))).toBe('/account');
  });

  it('takes a code once from two browsers at the same time', async () => {
    const { key } = await withSecondFactor('hera');
    const two = [await half('hera'), await half('hera')];
    const otp = codeOf(key);
    const places = await Promise.all(two.map((person) => place(person.send('/login/code', { otp }))));
    expect(places.sort()).toEqual(['/account', '/login/code']);
  });

  it('stops listening to guesses after five, to the right code too', async () => {
    const { key } = await withSecondFactor('ines');
    const ines = await half('ines');
    for (let at = 0; at < 5; at++) await ines.send('/login/code', { otp: wrongCodeOf(key) });
    await ines.send('/login/code', { otp: codeOf(key) });
    expect((await ines.get('/login/code')).text).toContain('Too many attempts. Try again in 5 minutes.');
    // Nor is a new login with the password a new start.
    const again = await half('ines');
    await again.send('/login/code', { otp: codeOf(key) });
    expect((await again.get('/login/code')).text).toContain('Too many attempts.');
  });

  it('lets half a login end after ten minutes', async () => {
    await withSecondFactor('jan');
    const jan = await half('jan');
    minutesLater(13);
    expect(await place(jan.get('/login/code'))).toBe('/login');
  });

  it('remembers the browser after the code, when the login asked for that', async () => {
    const { key } = await withSecondFactor('kim');
    const kim = new Person(url);
    await kim.send('/login', { ...credentials('kim'), remember: 'on' });
    const { cookies } = await kim.send('/login/code', { otp: codeOf(key) });
    expect(cookies).toEqual([expect.stringMatching(/Max-Age=(259199[89]|2592000)/)]);
  });

  it('is kept by "remember me" in the account', async () => {
    const { person } = await withSecondFactor('lou');
    await person.send('/account/remember', { password: PASSWORD });
    expect((await person.get('/account')).text).toContain('password and code, which is level 2');
  });

  it('sends who is logged in already from the page of the code to the account', async () => {
    const { person } = await withSecondFactor('mia');
    expect(await place(person.get('/login/code'))).toBe('/account');
  });

  it('is turned off with a code, and a login takes the password alone', async () => {
    const { person, key } = await withSecondFactor('nell');
    await person.send('/account/second-factor/off', { otp: wrongCodeOf(key) });
    expect((await person.get('/account/second-factor/off')).text).toContain('This is not the code');
    await half('nell');
    expect(await place(person.send('/account/second-factor/off', { otp: codeOf(key) }))).toBe('/account');
    await logIn(url, 'nell');
  });

  it('keeps no code and no password that was typed', async () => {
    const { key } = await withSecondFactor('otto');
    const otto = await half('otto');
    const otp = wrongCodeOf(key);
    await otto.send('/login/code', { otp });
    expect((await otto.get('/login/code')).text).not.toContain(otp);
  });

  it('leaves the accounts of an earlier release as they are', async () => {
    const database = join(folder, 'earlier.sqlite');
    const earlier = new DataSource({
      ...(databaseOptions(database) as DataSourceOptions),
      migrations: [CreateUsers1763600000000, CreateSessionTable],
      entities: [],
    });
    await earlier.initialize();
    await earlier.query(
      `INSERT INTO "users" ("email", "name", "passwordHash", "role", "joinedAt") VALUES (?, 'Ada', ?, 'admin', 1)`,
      ['ada@example.com', await app.get(Passwords).hash(PASSWORD)],
    );
    await earlier.destroy();
    const later = await openSite(database);
    const ada = await logIn(await later.getUrl(), 'ada');
    expect((await ada.get('/account')).text).toContain('password, which is level 1');
    await later.close();
  });

  /** An account with a second factor, and the browser in which it was turned on. A minute later, since its first code is spent. */
  async function withSecondFactor(name: string): Promise<{ person: Person; key: string }> {
    const person = await signUp(url, name);
    const key = keyIn((await person.get('/account/second-factor/on')).text);
    await person.send('/account/second-factor/on', { otp: codeOf(key) });
    minutesLater(1);
    return { person, key };
  }

  /** Somebody whose password was right. */
  async function half(name: string): Promise<Person> {
    const person = new Person(url);
    expect(await place(person.send('/login', credentials(name)))).toBe('/login/code');
    return person;
  }
});

function keyIn(page: string): string {
  return /class="key">(.*?)</.exec(page)![1]!.replaceAll(' ', '');
}

/** What the app shows. */
function codeOf(key: string): string {
  return new TOTP({ secret: Secret.fromBase32(key) }).generate({ timestamp: Date.now() });
}

/** Not the code of now, nor of the minutes around. */
function wrongCodeOf(key: string): string {
  const totp = new TOTP({ secret: Secret.fromBase32(key) });
  const right = [-60, -30, 0, 30, 60].map((seconds) =>
    totp.generate({ timestamp: Date.now() + seconds * 1000 }),
  );
  return ['111111', '222222', '333333', '444444', '555555', '666666'].find((code) => !right.includes(code))!;
}
