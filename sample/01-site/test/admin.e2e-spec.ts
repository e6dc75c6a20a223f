import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { describeWithSqlite } from '../../../test/support/sqlite';
import { logIn, openSite, signUp } from './open-site';
import { Person, place, type EventStream } from './person';

describeWithSqlite('the administrator of the sample site', () => {
  const folder = mkdtempSync(join(tmpdir(), 'site-'));
  let app: NestExpressApplication;
  let url: string;
  let ada: Person;
  let names = 0;

  beforeAll(async () => {
    app = await openSite(join(folder, 'site.sqlite'));
    url = await app.getUrl();
    await signUp(url, 'ada');
  });

  beforeEach(async () => (ada = await logIn(url, 'ada')));

  afterAll(async () => {
    await app.close();
    rmSync(folder, { recursive: true, force: true });
  });

  describe('at the list of logins', () => {
    it('sees those of all accounts, and no visitors', async () => {
      const name = newName();
      await new Person(url).get('/');
      await signUp(url, name);
      const logins = loginsIn((await ada.get('/admin/sessions')).text);
      expect(logins).toEqual(expect.arrayContaining(['ada This browser', name]));
      expect(logins).not.toContain('unknown');
    });

    it('ends one, whose client is told', async () => {
      const name = newName();
      const person = await signUp(url, name);
      await ada.send('/admin/sessions/end', { id: idOf(name, (await ada.get('/admin/sessions')).text) });
      expect((await ada.get('/admin/sessions')).text).toContain('That browser is logged out.');
      expect(loginsIn((await ada.get('/admin/sessions')).text)).not.toContain(name);
      expect(await place(person.get('/account'))).toBe('/login');
      expect((await person.get('/login')).text).toContain('An administrator has logged you out here.');
    });

    it('is told when it had ended already', async () => {
      const name = newName();
      const person = await signUp(url, name);
      const id = idOf(name, (await ada.get('/admin/sessions')).text);
      await person.send('/logout');
      await ada.send('/admin/sessions/end', { id });
      expect((await ada.get('/admin/sessions')).text).toContain('was logged out already');
    });

    it.each(['/admin', '/admin/sessions', '/admin/sessions/list', '/admin/sessions/changes'])(
      'is alone: %s is refused to members',
      async (path) => {
        const member = await signUp(url, newName());
        const { status } = await member.get(path);
        expect(status).toBe(403);
      },
    );

    it('is alone in ending the sessions of others, and in acting as them', async () => {
      const member = await signUp(url, newName());
      const name = newName();
      const other = await signUp(url, name);
      const id = idOf(name, (await ada.get('/admin/sessions')).text);
      const statuses = {
        end: (await member.send('/admin/sessions/end', { id })).status,
        act: (await member.send('/acting', { user: '1' })).status,
      };
      expect(statuses).toEqual({ end: 403, act: 403 });
      expect((await other.get('/account')).status).toBe(200);
    });
  });

  describe('live', () => {
    const streams: EventStream[] = [];

    afterEach(() => Promise.all(streams.splice(0).map((stream) => stream.close())));

    it('is told when somebody logs in, and when they log out', async () => {
      const changes = await listen(ada, '/admin/sessions/changes');
      const name = newName();
      const person = await signUp(url, name);
      await changes.next();
      expect(loginsIn(await (await ada.part('/admin/sessions/list')).text())).toContain(name);
      await person.send('/logout');
      await changes.next();
      expect(loginsIn(await (await ada.part('/admin/sessions/list')).text())).not.toContain(name);
    });

    it('is sent the list without the frame of a page, and no message goes with it', async () => {
      await ada.send('/admin/sessions/end', { id: 'none' });
      const list = await (await ada.part('/admin/sessions/list')).text();
      expect(list.trim()).toMatch(/^<ul[\s\S]*<\/ul>$/);
      expect((await ada.get('/admin/sessions')).text).toContain('was logged out already');
    });

    it('loses the stream when the session is ended elsewhere, and is refused another', async () => {
      const changes = await listen(ada, '/admin/sessions/changes');
      const elsewhere = await logIn(url, 'ada');
      await elsewhere.send('/account/devices/end-others');
      await changes.end();
      const again = await ada.listen('/admin/sessions/changes');
      const list = await ada.part('/admin/sessions/list');
      // Neither begins a session, which would leave the next page with nothing to say.
      expect({
        stream: { status: again.response.status, cookies: again.response.headers.getSetCookie() },
        list: { status: list.status, cookies: list.headers.getSetCookie() },
      }).toEqual({ stream: { status: 401, cookies: [] }, list: { status: 401, cookies: [] } });
      expect(await place(ada.get('/admin/sessions'))).toBe('/login');
      expect((await ada.get('/login')).text).toContain('from another of your devices');
    });

    it('does not keep the site from stopping', async () => {
      const other = await openSite(join(folder, 'other.sqlite'));
      const person = await signUp(await other.getUrl(), 'ada');
      const changes = await listen(person, '/admin/sessions/changes');
      await Promise.all([changes.end(), other.close()]);
    });

    it('has the script allowed on these pages, and on no other', async () => {
      const policyOf = async (path: string): Promise<string> =>
        (await ada.get(path)).headers.get('content-security-policy')!;
      expect(await policyOf('/admin/sessions')).toContain("script-src 'self'; connect-src 'self'");
      expect(await policyOf('/account/devices')).toContain("script-src 'self'; connect-src 'self'");
      for (const path of ['/admin', '/account', '/login', '/nowhere'])
        expect(await policyOf(path)).not.toContain('script-src');
    });

    it('shows a member the changes of their own account alone', async () => {
      const name = newName();
      const person = await signUp(url, name);
      const changes = await listen(person, '/account/devices/changes');
      const all = await listen(ada, '/admin/sessions/changes');
      let isTold = false;
      const own = changes.next().then(() => (isTold = true));
      await signUp(url, newName());
      await all.next();
      await person.part('/account/devices/list');
      expect(isTold).toBe(false);
      const phone = await logIn(url, name);
      await own;
      const list = await (await person.part('/account/devices/list')).text();
      expect(list.match(/<li>/g)).toHaveLength(2);
      await phone.send('/logout');
      await changes.next();
      expect(await (await person.part('/account/devices/list')).text()).not.toContain('/account/devices/end');
    });

    /** The first event comes at once. */
    async function listen(person: Person, path: string): Promise<EventStream> {
      const stream = await person.listen(path);
      streams.push(stream);
      expect(await stream.next()).toBe('changed');
      return stream;
    }
  });

  describe('who acts as a member', () => {
    let name: string;
    let member: Person;

    beforeEach(async () => {
      name = newName();
      member = await signUp(url, name);
      await ada.send('/shop', { product: 'owl' });
      await actAs(name);
    });

    it.each(['/', '/shop', '/account', '/members', '/admin', '/nowhere'])(
      'has a bar at the top of %s that says so',
      async (path) => {
        expect((await ada.get(path)).text).toContain(`You are acting as <strong>${name}</strong>.`);
      },
    );

    it('sees the site as the member, without the rights and the cart of the administrator', async () => {
      expect((await ada.get('/members')).text).toContain(`Come in, ${name}.`);
      expect((await ada.get('/admin')).status).toBe(403);
      expect((await ada.get('/cart')).text).toContain('It is empty.');
    });

    it('goes back by the bar, to the rights and the cart of before', async () => {
      expect(await place(ada.send('/acting/stop'))).toBe('/admin');
      const { text } = await ada.get('/admin');
      expect(text).toContain(`You are yourself again, and no longer ${name}.`);
      expect(text).not.toContain('acting-bar');
      expect((await ada.get('/cart')).text).toContain('Minerva&#x27;s owl');
    });

    it('has another token for it, both ways', async () => {
      const acting = await ada.token();
      const thief = await ada.thief();
      await ada.send('/acting/stop');
      expect(await ada.token()).not.toBe(acting);
      expect(await place(thief.get('/account'))).toBe('/login');
    });

    it('is logged out altogether by a logout', async () => {
      await ada.send('/logout');
      expect(await place(ada.get('/account'))).toBe('/login');
      expect(await place(ada.get('/admin'))).toBe('/login');
    });

    it.each([
      '/account/devices',
      '/account/password',
      '/account/second-factor/on',
      '/account/second-factor/off',
      '/account/confirm',
      '/account/remember',
    ])('is refused %s, which is for its owner', async (path) => {
      const { status, text } = await ada.get(path);
      expect({ status, text }).toEqual({
        status: 403,
        text: expect.stringContaining('Only the owner of the account can do this') as string,
      });
    });

    it.each<[path: string, form: Record<string, string>]>([
      ['/account/password', { password: 'five words are even better' }],
      ['/account/devices/end-others', {}],
    ])('cannot do it by sending the form of %s either', async (path, form) => {
      expect((await ada.send(path, form)).status).toBe(403);
      expect((await member.get('/account')).status).toBe(200);
    });

    it('is in the list of another administrator’s browser as who it is, and not among the member’s devices', async () => {
      const elsewhere = await logIn(url, 'ada');
      expect(loginsIn((await elsewhere.get('/admin/sessions')).text)).toContain(`ada acting as ${name}`);
      expect((await member.get('/account/devices')).text.match(/<h2>/g)).toHaveLength(1);
    });

    it.each([
      { as: 'an administrator, who they are', user: '1', status: 403 },
      { as: 'somebody who is not there', user: '999', status: 404 },
    ])('does not act as $as', async ({ user, status }) => {
      await ada.send('/acting/stop');
      expect((await ada.send('/acting', { user })).status).toBe(status);
    });

    async function actAs(user: string): Promise<void> {
      const { text } = await ada.get('/admin');
      const row = text.split('<tr>').find((part) => part.includes(`>${user}</th>`))!;
      const [, id] = /name="user" value="(.*?)"/.exec(row)!;
      expect(await place(ada.send('/acting', { user: id! }))).toBe('/');
    }
  });

  function newName(): string {
    return `member${++names}`;
  }
});

/** Who is logged in, with what the list says of the login. */
function loginsIn(page: string): string[] {
  return [...page.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, name]) => name!.replace(/<.*?>/g, ''));
}

/** The id of the only session of an account. */
function idOf(name: string, page: string): string {
  const item = page.split('<li>').find((part) => part.includes(`<h2>${name}`))!;
  return /name="id" value="(.*?)"/.exec(item)![1]!;
}
