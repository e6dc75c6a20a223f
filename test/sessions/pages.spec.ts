import {
  Body,
  Catch,
  Controller,
  Get,
  Post,
  UnauthorizedException,
  UseFilters,
  UseGuards,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import {
  AuthGuard,
  LoginRedirectFilter,
  MemorySessionStore,
  SessionModule,
  SessionService,
  type LoginRedirectOptions,
  type SessionModuleOptions,
} from 'nestjs-tessera';
import { SealedSessions } from 'nestjs-tessera/sealed';
import { exchange } from '../http/exchange';
import { KEY } from '../sealed/sealed';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { scripted, type Scripted } from '../support/scripted';
import '../support/session-data';
import { visitor, type Answer, type Visitor } from '../support/visitor';
import { door, WatchedStore } from '../support/watched-store';

/** What Chromium asks for when a person opens a page. */
const PAGE = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8';

@Controller()
class SiteController {
  constructor(private readonly sessions: SessionService) {}

  @UseGuards(AuthGuard) @Get(['members', 'members/:page', 'login-for-members']) members() {
    return 'members';
  }
  @UseGuards(AuthGuard) @Post('members') join() {
    return 'joined';
  }
  @UseGuards(AuthGuard.for('admin')) @Get('admin') admin() {
    return 'admin';
  }
  @Get('locked') locked() {
    throw new UnauthorizedException({ statusCode: 401, code: 'SESSION_LOCKED', message: 'Log in again' });
  }
  @Get('pending') pending() {
    throw new UnauthorizedException({ statusCode: 401, code: 'LOGIN_PENDING', message: 'Second factor' });
  }
  @Get('token') token() {
    throw new UnauthorizedException('bad token');
  }
  @Post('login') async login(@Body() { id, keepData = true }: { id: number; keepData?: boolean }) {
    await this.sessions.login({ id }, { keepData });
    return { path: await this.sessions.intended('/home') };
  }
  @Post('intended') async intended() {
    return { path: await this.sessions.intended() };
  }
}

@Catch()
class TeapotFilter implements ExceptionFilter {
  catch(_error: unknown, host: ArgumentsHost): void {
    host
      .switchToHttp()
      .getResponse<{ status(code: number): { send(body: string): void } }>()
      .status(418)
      .send('tea');
  }
}

@UseFilters(new TeapotFilter())
@Controller('other')
class OtherController {
  @UseGuards(AuthGuard) @Get() other() {}
}

describe.each(platforms)('pages on %s', (platform) => {
  afterEach(closeApps);

  const { controller, ask }: Scripted = scripted();
  const start = ({
    redirect = {},
    ...options
  }: SessionModuleOptions & { readonly redirect?: LoginRedirectOptions } = {}): Promise<App> =>
    startApp({
      platform,
      options,
      imports: [SessionModule.forRoot({ name: 'admin' })],
      controllers: [SiteController, OtherController, controller],
      configure: (app) => void app.useGlobalFilters(new LoginRedirectFilter('/login', redirect)),
    });
  const open = (who: Visitor, path: string, accept = PAGE): Promise<Answer> =>
    who.get(path, { headers: { accept } });
  const seen = ({ status, headers }: Answer): object => ({ status, location: headers.get('location') });
  const pathOf = (answer: Answer): string | null => answer.json<{ path: string | null }>().path;

  describe('LoginRedirectFilter', () => {
    it('tells caches that its answer depends on what the client accepts, whatever it is', async () => {
      const ada = await visitor(await start());
      const answers = [await open(ada, '/members'), await open(ada, '/members', 'application/json')];
      const others = [await open(ada, '/token'), await open(ada, '/login', 'application/json')];
      const isVaried = ({ headers }: Answer): boolean => /\bAccept\b/.test(headers.get('vary') ?? '');
      expect({ answers: answers.map(isVaried), others: others.map(isVaried) }).toEqual({
        answers: [true, true],
        others: [false, false],
      });
    });

    it('sends a visitor who opens a page to the login, which can tell where the visitor wanted to go', async () => {
      const ada = await visitor(await start());
      const refused = await open(ada, '/members/list?sort=name&next=//x.example');
      expect(seen(refused)).toEqual({ status: 303, location: '/login' });
      const first = pathOf(await ada.post('/login', { id: 7 }));
      const second = pathOf(await ada.post('/intended'));
      expect({ first, second }).toEqual({ first: '/members/list?sort=name&next=//x.example', second: null });
    });

    it('remembers the last page, and falls back without one', async () => {
      const ada = await visitor(await start());
      await open(ada, '/members/1');
      await open(ada, '/members/2');
      const bob = await visitor(await start());
      expect({
        ada: pathOf(await ada.post('/login', { id: 7 })),
        bob: pathOf(await bob.post('/login', { id: 8 })),
      }).toEqual({ ada: '/members/2', bob: '/home' });
    });

    it.each([
      ['a request for data', 'application/json'],
      ['a request for anything', '*/*'],
      ['a request that refuses HTML', 'text/html;q=0, application/json'],
      ['a request that refuses HTML in more words', 'text/html; charset=utf-8; q=0.000'],
      ['a request for what is not quite HTML', 'text/html-fragment'],
    ])('leaves the 401 of %s as it is', async (_what, accept) => {
      const app = await start();
      const ada = await visitor(app);
      const answer = await open(ada, '/members', accept);
      expect({ status: answer.status, body: answer.json() }).toEqual({
        status: 401,
        body: { statusCode: 401, error: 'Unauthorized', code: 'LOGIN_REQUIRED', message: 'Log in first' },
      });
      expect(await ada.token()).toBeUndefined();
    });

    it.each(['text/html', 'TEXT/HTML', 'application/json;q=0.1, text/html;level=1;q=0.05'])(
      'takes a request that accepts %s for a page',
      async (accept) => {
        const ada = await visitor(await start());
        expect(seen(await open(ada, '/members', accept))).toEqual({ status: 303, location: '/login' });
      },
    );

    it('leaves the 401 of a POST, and of other refusals, as Nest answers it', async () => {
      const ada = await visitor(await start());
      const headers = { accept: PAGE };
      const post = await ada.post('/members', {}, { headers });
      const token = await open(ada, '/token');
      const pending = await open(ada, '/pending');
      expect({ post: post.status, token: token.status, pending: pending.status }).toEqual({
        ...{ post: 401, token: 401, pending: 401 },
      });
      expect(token.json()).toMatchObject({ statusCode: 401, message: 'bad token' });
      expect(pathOf(await ada.post('/login', { id: 7 }))).toBe('/home');
    });

    it('sends to other pages by the code of the refusal, and a locked session to the login', async () => {
      const redirect = { pages: { LOGIN_PENDING: '/second-factor' } };
      const ada = await visitor(await start({ redirect }));
      expect({
        locked: seen(await open(ada, '/locked')),
        pending: seen(await open(ada, '/pending')),
      }).toEqual({
        locked: { status: 303, location: '/login' },
        pending: { status: 303, location: '/second-factor' },
      });
    });

    it('does not send a refused login page to itself', async () => {
      const app = await startApp({
        platform,
        controllers: [SiteController],
        imports: [SessionModule.forRoot({ name: 'admin' })],
        configure: (it) => void it.useGlobalFilters(new LoginRedirectFilter('/login-for-members?why=1')),
      });
      expect((await open(await visitor(app), '/login-for-members')).status).toBe(401);
    });

    it('leaves what it does not redirect to another filter', async () => {
      const app = await start({ redirect: { otherwise: new TeapotFilter() } });
      const ada = await visitor(app);
      expect({
        data: (await open(ada, '/members', '*/*')).status,
        page: (await open(ada, '/members')).status,
        nearer: (await open(ada, '/other')).status,
      }).toEqual({ data: 418, page: 303, nearer: 418 });
    });

    it('remembers the page in the session of its instance', async () => {
      const ada = await visitor(await start({ redirect: { name: 'admin' } }));
      expect(seen(await open(ada, '/admin'))).toEqual({ status: 303, location: '/login' });
      expect({ own: await ada.token(), admin: typeof (await ada.token('__Host-session-admin')) }).toEqual({
        own: undefined,
        admin: 'string',
      });
    });

    it.each(['/members/\\x.example', `/members?long=${'a'.repeat(2048)}`])(
      'does not remember %.40s, but redirects',
      async (path) => {
        const app = await start();
        // `fetch` would tidy the path up.
        const { status, headers } = await exchange(await app.getUrl(), { path, headers: { accept: PAGE } });
        const names = headers.map(([name]) => name.toLowerCase());
        const location = headers.find(([name]) => name.toLowerCase() === 'location')?.[1];
        expect({ status, location, remembers: names.includes('set-cookie') }).toEqual({
          ...{ status: 303, location: '/login', remembers: false },
        });
      },
    );

    it('answers 503 when the session cannot be saved', async () => {
      const store = new WatchedStore(new MemorySessionStore());
      const ada = await visitor(await start({ store }));
      store.before = (operation) => {
        if (operation === 'insert') throw new Error('down');
      };
      expect((await open(ada, '/members')).status).toBe(503);
    });

    it('writes nothing for a page that is remembered already', async () => {
      const store = new WatchedStore(new MemorySessionStore());
      const ada = await visitor(await start({ store }));
      await open(ada, '/members');
      store.take();
      await open(ada, '/members');
      expect(store.take()).toEqual(['find']);
    });
  });

  const pathless = [
    undefined,
    null,
    '',
    'login',
    '//x.example',
    '/\\x.example',
    '/log in',
    'javascript:alert(1)',
  ];
  it.each([...pathless, 'https://login.example/€', 'https://login.example/\r\nset-cookie: a=b'])(
    'LoginRedirectFilter refuses %j as its page',
    (page) => {
      expect(() => new LoginRedirectFilter(page as never)).toThrow(/needs a page such as '\/login'/);
      expect(() => new LoginRedirectFilter('/login', { pages: { X: page as never } })).toThrow(
        /needs a page/,
      );
    },
  );

  describe('where a visitor wanted to go', () => {
    it('is kept by a login that keeps no data', async () => {
      const ada = await visitor(await start());
      await ask(ada, (s) => void s.set('cart', ['pear']));
      await open(ada, '/members');
      expect(pathOf(await ada.post('/login', { id: 7, keepData: false }))).toBe('/members');
      expect(await ask(ada, (s) => s.keys())).toEqual([]);
    });

    it.each([{ keepData: false }, { keepData: true }])(
      'is forgotten at a logout with %j',
      async (options) => {
        const ada = await visitor(await start());
        await ask(ada, (s) => s.login({ id: 7 }));
        await open(ada, '/locked');
        await ask(ada, (s) => s.logout(options));
        expect(pathOf(await ada.post('/intended'))).toBeNull();
      },
    );

    it('is not told to another principal', async () => {
      const ada = await visitor(await start());
      await ask(ada, (s) => s.login({ id: 7 }));
      // A refusal in the session of the first one: the filter remembers the page of whoever is refused.
      await open(ada, '/locked');
      expect(pathOf(await ada.post('/login', { id: 8 }))).toBe('/home');
    });

    it('is given to exactly one of several requests', async () => {
      const store = new WatchedStore(new MemorySessionStore());
      const ada = await visitor(await start({ store }));
      await open(ada, '/members');
      const together = door();
      let waiting = 0;
      // All three have read the session before one of them writes.
      store.after = (operation) => {
        if (operation !== 'find') return;
        if (++waiting === 3) together.open();
        return together.opened;
      };
      const answers = await Promise.all([1, 2, 3].map(() => ada.post('/intended')));
      expect(answers.map(pathOf).filter(Boolean)).toEqual(['/members']);
    });

    it('is kept and taken in a sealed session', async () => {
      const store = new SealedSessions({ keys: [KEY], revocations: new MemorySessionStore() });
      const ada = await visitor(await start({ store }));
      await open(ada, '/members');
      const first = pathOf(await ada.post('/login', { id: 7 }));
      const second = pathOf(await ada.post('/intended'));
      expect({ first, second }).toEqual({ first: '/members', second: null });
    });
  });
});
