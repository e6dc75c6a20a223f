import { Controller, Post, Req, UseGuards } from '@nestjs/common';
import { AuthGuard as PassportGuard } from '@nestjs/passport';
import { MemorySessionStore, Session, SessionService } from 'nestjs-tessera';
import { PassportSessions } from 'nestjs-tessera/passport';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { scripted } from '../support/scripted';
import '../support/session-data';
import { visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';
import { localLogins, people, type Request, type User } from './local';

/** What a request saw whose login failed. */
let seen: unknown;

@Controller('attempt')
class AttemptController {
  constructor(private readonly sessions: SessionService) {}

  /** Tells of the failure itself, and goes on. */
  @Post()
  @UseGuards(PassportGuard('local'))
  async attempt(@Req() request: Request, @Session() session: Session): Promise<object> {
    session.set('visits', 1);
    const code = await request.logIn(request.user!).then(
      () => null,
      ({ status }: { status: number }) => status,
    );
    seen = {
      user: request.user,
      principal: session.principal?.id ?? null,
      cart: session.get('cart') ?? null,
    };
    await this.sessions.commit();
    return { code };
  }

  /** As two strategies would that log in by themselves. */
  @Post('two')
  @UseGuards(PassportGuard('local'))
  async two(@Req() request: Request): Promise<object> {
    const [ada, grace] = await Promise.allSettled(people.map((user) => request.logIn(user)));
    return { ada: ada!.status, grace: grace!.status };
  }
}

describe.each(platforms)(
  'a login through Passport that fails on %s, and whose request goes on',
  (platform) => {
    const http = scripted();
    const logins = localLogins();
    afterEach(closeApps);

    async function start(): Promise<{ app: App; store: WatchedStore }> {
      const store = new WatchedStore(new MemorySessionStore());
      const app = await startApp({
        platform,
        options: { store },
        imports: [PassportSessions.forRoot({ principal: ({ id }: User) => ({ id }) })],
        controllers: [http.controller, AttemptController, ...logins.controllers],
        providers: logins.providers,
      });
      return { app, store };
    }

    it.each<{ who: string; begin: (session: Session) => void; calls: number; principal: string | null }>([
      { who: 'a visitor', begin: (s) => s.set('cart', ['pear']), calls: 2, principal: null },
      {
        who: 'another principal',
        begin: (s) => {
          s.login({ id: 'grace' });
          s.set('cart', ['pear']);
        },
        calls: 2,
        principal: 'grace',
      },
      {
        who: 'another principal, whose session could not be ended',
        begin: (s) => {
          s.login({ id: 'grace' });
          s.set('cart', ['pear']);
        },
        calls: 3,
        principal: 'grace',
      },
    ])('F1: leaves the session to $who, with what was set before it', async ({ begin, calls, principal }) => {
      const { app, store } = await start();
      const me = await visitor(app);
      await http.run(me, begin);
      let made = 0;
      store.before = () => (++made === calls ? Promise.reject(new Error('down')) : undefined);
      const answer = await me.post('/attempt', { username: 'ada', password: 'secret' });
      store.before = () => {};
      const after = await http.ask(me, (s) => [s.principal?.id ?? null, s.get('cart'), s.get('visits')]);
      expect({ status: answer.status, told: answer.json(), seen, after }).toEqual({
        status: 201,
        told: { code: 503 },
        seen: { user: null, principal, cart: ['pear'] },
        after: [principal, ['pear'], 1],
      });
    });

    it('F1: is none beside another login of the same request, which counts', async () => {
      const { app, store } = await start();
      const me = await visitor(app);
      await http.run(me, (s) => s.set('cart', ['pear']));
      let made = 0;
      store.before = () => (++made === 2 ? Promise.reject(new Error('down')) : undefined);
      const told = (await me.post('/attempt/two', { username: 'ada', password: 'secret' })).json();
      store.before = () => {};
      expect({ told, principal: await http.ask(me, (s) => s.principal?.id) }).toEqual({
        told: { ada: 'rejected', grace: 'fulfilled' },
        principal: 'grace',
      });
    });
  },
);
