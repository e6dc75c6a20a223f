import { Controller, Get, Inject, Post, Res, UseGuards } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import {
  AuthGuard,
  Principal,
  RequireRoles,
  SESSION_STORE,
  Session,
  SessionEvents,
  SessionModule,
  SessionService,
  type SessionEvent,
} from 'nestjs-tessera';
import { SealedSessions } from 'nestjs-tessera/sealed';
import { actingAs } from 'nestjs-tessera/testing';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { scripted, type Scripted } from '../support/scripted';
import '../support/session-data';
import { describeLocalStores, memory, type StoreUnderTest } from '../support/stores';
import { visitor, type Answer, type Visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';
import { changed, KEY, OLD_KEY } from './sealed';

const ada = { id: 7, roles: ['member'] };

@Controller('account')
class AccountController {
  constructor(
    private readonly sessions: SessionService,
    @Inject(SESSION_STORE) private readonly sealed: SealedSessions,
  ) {}

  @Get('plain') plain() {
    return 'plain';
  }
  @UseGuards(AuthGuard) @Get('me') me(@Principal() who: Principal) {
    return { who };
  }
  @RequireRoles('admin') @Get('admin') admin() {
    return 'admin';
  }
  @Post('login') async login() {
    await this.sessions.login(ada);
    return 'welcome';
  }
  /** As an application would: everybody out, and this browser in again. */
  @UseGuards(AuthGuard) @Post('password') async password(@Principal() who: Principal) {
    await this.sealed.revokeAll(who);
    await this.sessions.login(who);
    return 'changed';
  }
  @Get('stream') stream(
    @Session() session: Session,
    @Res() reply: ServerResponse & { raw?: ServerResponse },
  ) {
    const response = reply.raw ?? reply;
    session.set('visits', 1);
    response.write('first ');
    response.end('last');
  }
  @Get('late') late(@Session() session: Session, @Res() reply: ServerResponse & { raw?: ServerResponse }) {
    const response = reply.raw ?? reply;
    const cart = session.get('cart')!;
    response.write('first ');
    cart.push('too late');
    response.end('last');
  }
}

describe.each(platforms)('sealed sessions on %s', (platform) => {
  describeLocalStores('with a list on', ({ create }) => {
    let under: StoreUnderTest;
    let list: WatchedStore;
    let session: Scripted;
    let app: App;
    let person: Visitor;
    let events: SessionEvent[];

    beforeEach(async () => {
      under = await create();
      list = new WatchedStore(under.store);
      session = scripted();
      app = await startApp({
        platform,
        options: { store: new SealedSessions({ keys: [KEY], revocations: list }) },
        controllers: [session.controller, AccountController],
      });
      person = await visitor(app);
      events = [];
      app.get(SessionEvents).subscribe((event) => events.push(event));
    });
    afterEach(async () => {
      await closeApps();
      await under.close();
    });

    /** What somebody who copied the cookie gets. */
    const withCookie = async (value: string, path: string): Promise<Answer> =>
      (await visitor(app)).get(path, { headers: { cookie: `__Host-session=${value}` } });

    it('C1, C11: come and go in the cookie that any session has', async () => {
      const { cookies, headers } = await session.run(person, (s) => s.set('cart', ['amphora']));
      expect(cookies).toEqual([
        expect.stringMatching(
          /^__Host-session=[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]{22}; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
        ),
      ]);
      expect({ control: headers.get('cache-control'), vary: headers.get('vary') }).toEqual({
        control: 'no-store',
        vary: 'Cookie',
      });
      expect(await session.ask(person, (s) => s.get('cart'))).toEqual(['amphora']);
      const reading = await session.run(person, (s) => s.get('cart'));
      expect({ cookies: reading.cookies, control: reading.headers.get('cache-control') }).toEqual({
        cookies: [],
        control: null,
      });
    });

    it('H4: cost an untouched route nothing', async () => {
      await session.run(person, (s) => s.login(ada));
      list.take();
      const { cookies, headers } = await person.get('/account/plain');
      expect({ cookies, vary: headers.get('vary'), calls: list.take() }).toEqual({
        cookies: [],
        vary: null,
        calls: [],
      });
    });

    it('L1: open guarded routes after the login, and no longer with the cookie of before it', async () => {
      await session.run(person, (s) => s.set('cart', ['amphora']));
      const before = (await person.token())!;
      expect((await person.get('/account/me')).status).toBe(401);
      await person.post('/account/login');
      expect((await person.get('/account/me')).json()).toEqual({
        who: { id: '7', realm: 'default', roles: ['member'] },
      });
      expect((await person.get('/account/admin')).status).toBe(403);
      expect(await session.ask(person, (s) => s.get('cart'))).toEqual(['amphora']);
      const { status, cookies } = await withCookie(before, '/account/me');
      expect({ status, cookies }).toEqual({ status: 401, cookies: [] });
    });

    it('L1: a fixed cookie, planted before the login, is worth nothing after it', async () => {
      const attacker = await visitor(app);
      await session.run(attacker, (s) => s.set('theme', 'dark'));
      const planted = (await attacker.token())!;
      await session.run(person, (s) => s.login(ada), { headers: { cookie: `__Host-session=${planted}` } });
      expect(await session.ask(attacker, (s) => s.principal)).toBeNull();
      expect(await session.ask(person, (s) => s.principal?.id)).toBe('7');
    });

    it('L3: another role opens at once what it is for, and closes for the cookie of before', async () => {
      await session.run(person, (s) => s.login({ id: 7, roles: ['admin'] }));
      const admin = (await person.token())!;
      await session.run(person, (s) => s.elevate({ roles: [] }));
      expect((await person.get('/account/admin')).status).toBe(403);
      expect((await withCookie(admin, '/account/admin')).status).toBe(401);
    });

    it('a copied cookie is dead after the logout, and left alone where it comes from', async () => {
      await session.run(person, (s) => s.login(ada));
      const copied = (await person.token())!;
      expect((await withCookie(copied, '/account/me')).status).toBe(200);
      const { cookies } = await session.run(person, (s) => s.logout());
      expect(cookies).toEqual([expect.stringContaining('Max-Age=0')]);
      const copy = await withCookie(copied, '/account/me');
      expect({ status: copy.status, cookies: copy.cookies }).toEqual({
        status: 401,
        cookies: [],
      });
      expect(events.at(-1)).toMatchObject({ type: 'rejected', reason: 'revoked', principal: 'default:7' });
    });

    it('a password that is changed logs everybody else out, and nobody here', async () => {
      const elsewhere = await visitor(app);
      for (const each of [person, elsewhere]) await session.run(each, (s) => s.login(ada));
      expect((await person.post('/account/password')).status).toBe(201);
      expect((await elsewhere.get('/account/me')).status).toBe(401);
      expect((await person.get('/account/me')).status).toBe(200);
    });

    it('L10: one that was revoked by its id is gone, and its cookie left alone', async () => {
      await session.run(person, (s) => s.login(ada));
      const id = await session.ask(person, (s) => s.id);
      await app.get<SealedSessions>(SESSION_STORE).revoke(id);
      const { status, cookies } = await person.get('/account/me');
      expect({ status, cookies }).toEqual({ status: 401, cookies: [] });
    });

    it('F1: a list that is down is a 503 for who has a cookie, and no concern of others', async () => {
      await session.run(person, (s) => s.login(ada));
      list.before = () => {
        throw new Error('down');
      };
      const { status, cookies } = await person.get('/account/me');
      expect({ status, cookies }).toEqual({ status: 503, cookies: [] });
      expect((await person.get('/account/plain')).status).toBe(200);
      expect((await session.run(await visitor(app), (s) => s.set('visits', 1))).status).toBe(201);
      list.before = () => {};
      expect((await person.get('/account/me')).status).toBe(200);
    });

    it('F1: a logout that the list does not hear of is a 503, not a lie', async () => {
      await session.run(person, (s) => s.login(ada));
      list.before = (operation) => {
        if (operation !== 'find') throw new Error('down');
      };
      const { status, cookies } = await session.run(person, (s) => s.logout());
      expect({ status, cookies }).toEqual({ status: 503, cookies: [] });
      list.before = () => {};
      expect((await session.run(person, (s) => s.logout())).status).toBe(201);
      expect((await person.get('/account/me')).status).toBe(401);
    });

    it('H1: go out before the first byte of a stream', async () => {
      const { cookies, text } = await person.get('/account/stream');
      expect({ cookies, text }).toEqual({ cookies: [expect.any(String)], text: 'first last' });
      expect(await session.ask(person, (s) => s.get('visits'))).toBe(1);
    });

    it('H6: what changes in place after the first byte is reported as lost', async () => {
      await session.run(person, (s) => s.set('cart', []));
      const reported: string[] = [];
      const logger = {
        error: (...said: unknown[]) => reported.push(said.map(String).join(' ')),
        log: () => {},
        warn: () => {},
      };
      app.useLogger(logger);
      expect((await person.get('/account/late')).text).toBe('first last');
      for (let waits = 0; reported.length === 0 && waits < 200; waits++)
        await new Promise((resolve) => setTimeout(resolve, 5));
      app.useLogger(false);
      expect(reported).toEqual([expect.stringMatching(/could not be saved.*could not be sent/)]);
      expect(await session.ask(person, (s) => s.get('cart'))).toEqual([]);
    });

    it('C10: fit a cookie to the byte, or are an error that names the culprit before any header', async () => {
      const answerTo = (length: number): Promise<Answer> =>
        session.run(person, (s) => s.set('theme', 'dark').set('value', 'x'.repeat(length)));
      const sizes: number[] = [];
      let length = 2600;
      for (let answer = await answerTo(length); answer.status === 201; answer = await answerTo(++length)) {
        const [line] = answer.cookies;
        sizes.push(line!.split(';')[0]!.length - '='.length);
        expect(sizes.at(-1)).toBeLessThanOrEqual(4096);
        expect((await session.ask(person, (s) => s.get('value') as string)).length).toBe(length);
      }
      // Three bytes are four characters.
      expect(sizes.at(-1)).toBeGreaterThan(4096 - 3);
      const { status, cookies, headers } = await answerTo(length);
      expect({ status, cookies, control: headers.get('cache-control') }).toEqual({
        status: 500,
        cookies: [],
        control: 'no-store',
      });
      const message = await session.ask(person, async () => {
        const sessions = app.get(SessionService);
        const current = await sessions.current();
        current.set('value', 'x'.repeat(5000));
        const said = await sessions.commit().then(
          () => '',
          (error: Error) => error.message,
        );
        current.delete('value');
        return said;
      });
      expect(message).toMatch(/the largest part is 'value'\. Browsers drop larger cookies/);
    }, 60_000);

    it('T8: are refused by another instance with the same keys and list, under its own cookie', async () => {
      const admins = scripted('admin');
      const both = await startApp({
        platform,
        options: { store: new SealedSessions({ keys: [KEY], revocations: list }) },
        imports: [
          SessionModule.forRoot({
            name: 'admin',
            store: new SealedSessions({ keys: [KEY], revocations: list }),
          }),
        ],
        controllers: [session.controller, admins.controller],
      });
      const member = await visitor(both);
      await session.run(member, (s) => s.login(ada));
      const value = (await member.token())!;
      const thief = await visitor(both);
      const answer = await admins.run(thief, (s) => s.isNew, {
        headers: { cookie: `__Host-session-admin=${value}` },
      });
      expect(answer.json()).toEqual({ result: true });
      await admins.run(member, (s) => s.login({ id: 1 }));
      expect({
        member: await session.ask(member, (s) => s.principal?.id),
        admin: await admins.ask(member, (s) => s.principal?.id),
      }).toEqual({ member: '7', admin: '1' });
    });

    it('C4: are not believed when there are two', async () => {
      await session.run(person, (s) => s.login(ada));
      const value = (await person.token())!;
      const cookie = `__Host-session=${value}; __Host-session=${changed(value, value.length - 3)}`;
      expect((await (await visitor(app)).get('/account/me', { headers: { cookie } })).status).toBe(401);
    });

    it('can be made for tests', async () => {
      const { headers } = await actingAs(app, ada, { data: { theme: 'dark' } });
      expect((await (await visitor(app)).get('/account/me', { headers })).status).toBe(200);
    });
  });

  it('log in everywhere with a key that every process has, also while it is brought in', async () => {
    const { store, close } = await memory.create();
    const start = async (keys: string[]): Promise<[App, Scripted]> => {
      const each = scripted();
      const options = { store: new SealedSessions({ keys, revocations: store }) };
      return [await startApp({ platform, options, controllers: [each.controller] }), each];
    };
    const [first, atFirst] = await start([OLD_KEY, KEY]);
    const [second, atSecond] = await start([KEY, OLD_KEY]);
    const person = await visitor(first);
    await atFirst.run(person, (s) => s.login(ada));
    const there = await visitor(second);
    for (const { key, value } of await person.jar.getCookies(
      (await first.getUrl()).replace('http:', 'https:'),
    ))
      await there.jar.setCookie(
        `${key}=${value}; Secure; Path=/`,
        (await second.getUrl()).replace('http:', 'https:'),
      );
    expect(await atSecond.ask(there, (s) => s.principal?.id)).toBe('7');
    await closeApps();
    await close();
  });

  describe('without revocation', () => {
    afterEach(closeApps);

    it('keep nothing on the server, and a logout only clears the cookie', async () => {
      const session = scripted();
      const store = new SealedSessions({ keys: [KEY], dangerouslyWithoutRevocation: true });
      const app = await startApp({ platform, options: { store }, controllers: [session.controller] });
      const person = await visitor(app);
      await session.run(person, (s) => s.set('visits', 1));
      await session.run(person, (s) => s.login(ada));
      const copied = (await person.token())!;
      const { cookies } = await session.run(person, (s) => s.logout());
      expect(cookies).toEqual([expect.stringContaining('Max-Age=0')]);
      expect(await session.ask(person, (s) => s.principal)).toBeNull();
      // What the name of the option warns of.
      const thief = await visitor(app);
      const headers = { cookie: `__Host-session=${copied}` };
      expect((await session.run(thief, (s) => s.principal?.id, { headers })).json()).toEqual({ result: '7' });
      await expect(store.revoke('A'.repeat(22))).rejects.toThrow(/have no revocation/);
      await expect(store.revokeAll(ada)).rejects.toThrow(/have no revocation/);
    });
  });
});
