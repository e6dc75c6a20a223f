import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { describeWithSqlite } from '../../../test/support/sqlite';
import { minutesLater } from './later';
import { logIn, openSite, signUp } from './open-site';
import { Person, place } from './person';

const LOG_IN = 'Log in to go on.';

describeWithSqlite('a session that has ended on the sample site', () => {
  const folder = mkdtempSync(join(tmpdir(), 'site-'));
  let app: NestExpressApplication;
  let url: string;
  let names = 0;

  beforeAll(async () => {
    app = await openSite(join(folder, 'site.sqlite'));
    url = await app.getUrl();
  });

  afterEach(() => jest.restoreAllMocks());

  afterAll(async () => {
    await app.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is the oldest one when an account logs in on a fourth device', async () => {
    const name = newName();
    const devices = [await signUp(url, name), await logIn(url, name), await logIn(url, name)];
    for (const device of devices) expect((await device.get('/account')).status).toBe(200);
    const fourth = await logIn(url, name);
    const places = await Promise.all([...devices, fourth].map((device) => place(device.get('/account'))));
    expect(places).toEqual(['/login', null, null, null]);
  });

  it.each<[reason: string, end: (person: Person, name: string) => Promise<unknown>, words: string]>([
    ['a fourth device', evict, 'three other devices'],
    ['a button at another device', (_, name) => endFromElsewhere(name), 'from another of your devices'],
    ['"log out everywhere else"', (_, name) => logOutElsewhere(name), 'from another of your devices'],
    ['a change of password', (_, name) => changePassword(name), 'The password of your account was changed'],
    ['its idle timeout', leaveAlone, 'You were away for a while'],
    ['its lifetime', useForTwelveHours, 'It is some time since you logged in'],
    ['a logout', async (person) => (await person.thief()).send('/logout'), LOG_IN],
  ])('tells its client of %s, once, at the login', async (_reason, end, words) => {
    const name = newName();
    const person = await signUp(url, name);
    await end(person, name);
    expect(await place(person.get('/account'))).toBe('/login');
    expect(warningsIn((await person.get('/login')).text)).toEqual([expect.stringContaining(words)]);
    expect(warningsIn((await person.get('/login')).text)).toEqual([]);
    expect(await place(person.get('/account'))).toBe('/login');
    expect(warningsIn((await person.get('/login')).text)).toEqual([LOG_IN]);
  });

  it('tells its client at a page that needs no login, too, and not again then', async () => {
    const name = newName();
    const person = await signUp(url, name);
    await evict(person, name);
    expect(warningsIn((await person.get('/shop')).text)).toEqual([
      expect.stringContaining('three other devices'),
    ]);
    await person.get('/account');
    expect(warningsIn((await person.get('/login')).text)).toEqual([LOG_IN]);
  });

  it('tells nothing of time to who looks around', async () => {
    const visitor = new Person(url);
    await visitor.get('/');
    await leaveAlone();
    expect(warningsIn((await visitor.get('/')).text)).toEqual([]);
  });

  function newName(): string {
    return `user${++names}`;
  }

  async function evict(_person: Person, name: string): Promise<void> {
    for (let device = 2; device <= 4; device++) await logIn(url, name);
  }

  async function endFromElsewhere(name: string): Promise<void> {
    const other = await logIn(url, name);
    const [, id] = /name="id" value="(.*?)"/.exec((await other.get('/account/devices')).text)!;
    await other.send('/account/devices/end', { id: id! });
  }

  async function logOutElsewhere(name: string): Promise<void> {
    const other = await logIn(url, name);
    await other.send('/account/devices/end-others');
  }

  async function changePassword(name: string): Promise<void> {
    const other = await logIn(url, name);
    await other.send('/account/password', { password: 'five words are even better' });
  }

  async function useForTwelveHours(person: Person): Promise<void> {
    for (let at = 0; at < 12 * 60; at += 29) {
      await person.get('/');
      minutesLater(29);
    }
  }
});

function leaveAlone(): Promise<void> {
  minutesLater(31);
  return Promise.resolve();
}

function warningsIn(page: string): string[] {
  return [...page.matchAll(/class="notice warning" role="status">(.*?)</g)].map(([, text]) => text!);
}
