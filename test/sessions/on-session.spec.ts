import { Controller, Inject, Injectable, Logger, Module, Post, Scope } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import {
  OnSession,
  Session,
  SessionEvents,
  SessionModule,
  type SessionEvent,
  type SessionEventOf,
} from 'nestjs-tessera';
import { closeApps, platforms, startApp, type AppUnderTest } from '../support/app';
import '../support/session-data';
import { visitor } from '../support/visitor';

@Injectable()
class Journal {
  readonly logins: string[] = [];
  readonly all: string[] = [];
  readonly admins: string[] = [];
  readonly both: string[] = [];

  @OnSession('loggedIn')
  login({ type, principal }: SessionEventOf<'loggedIn'>): void {
    this.logins.push(`${type} ${principal}`);
  }
  @OnSession()
  any({ type, sessionName }: SessionEvent): void {
    this.all.push(`${sessionName} ${type}`);
  }
  @OnSession({ name: 'admin' })
  ofAdmin({ type }: SessionEvent): void {
    this.admins.push(type);
  }
  @OnSession('loggedOut')
  @OnSession('loggedIn', { name: 'admin' })
  either({ type, sessionName }: SessionEvent): void {
    this.both.push(`${sessionName} ${type}`);
  }
}

@Controller()
class AccountController {
  static readonly heard: string[] = [];

  @Post('login') login(@Session() session: Session) {
    session.login({ id: 'ada' });
  }
  @Post('logout') logout(@Session() session: Session) {
    session.logout();
  }
  @Post('admin') admin(@Session({ name: 'admin' }) session: Session) {
    session.login({ id: 'root' });
  }

  @OnSession('created', 'loggedIn')
  hear({ type }: SessionEventOf<'created' | 'loggedIn'>): void {
    AccountController.heard.push(type);
  }
}

const controllers = [AccountController];

describe.each(platforms)('@OnSession() on %s', (platform) => {
  afterEach(closeApps);
  beforeEach(() => AccountController.heard.splice(0));

  const start = (about: Partial<AppUnderTest> = {}) => startApp({ platform, controllers, ...about });

  it('gives a handler the events of the types it names, in a provider and in a controller', async () => {
    const app = await start({ providers: [Journal], imports: [SessionModule.forRoot({ name: 'admin' })] });
    const ada = await visitor(app);
    await ada.post('/login');
    await ada.post('/logout');
    const { logins, all } = app.get(Journal);
    expect({ logins, all, controller: AccountController.heard }).toEqual({
      logins: ['loggedIn default:ada'],
      all: ['default created', 'default loggedIn', 'default loggedOut', 'default destroyed'],
      controller: ['created', 'loggedIn'],
    });
  });

  it('gives a handler the events of the instance it names, once', async () => {
    const app = await start({ providers: [Journal], imports: [SessionModule.forRoot({ name: 'admin' })] });
    const ada = await visitor(app);
    await ada.post('/login');
    await ada.post('/admin');
    await ada.post('/logout');
    const { admins, both } = app.get(Journal);
    expect({ admins, both }).toEqual({
      admins: ['created', 'loggedIn'],
      both: ['admin loggedIn', 'default loggedOut'],
    });
  });

  it('subscribes an instance once that is provided under several tokens', async () => {
    const aliases = [
      { provide: 'alias', useExisting: Journal },
      { provide: 'made', useFactory: (journal: Journal) => journal, inject: [Journal] },
    ];
    const admin = SessionModule.forRoot({ name: 'admin' });
    const app = await start({ providers: [Journal, ...aliases], imports: [admin] });
    await (await visitor(app)).post('/login');
    expect(app.get(Journal).logins).toEqual(['loggedIn default:ada']);
  });

  it('finds handlers in other modules, in a base class and in a value', async () => {
    class Inherited extends Journal {}
    const value = new Journal();

    @Module({ providers: [Inherited, { provide: 'value', useValue: value }] })
    class FarModule {}

    const app = await start({ imports: [FarModule, SessionModule.forRoot({ name: 'admin' })] });
    await (await visitor(app)).post('/login');
    const { logins } = app.get(Inherited);
    expect({ logins, value: value.logins }).toEqual({
      logins: ['loggedIn default:ada'],
      value: ['loggedIn default:ada'],
    });
  });

  describe('F5: a handler that fails', () => {
    const failures = {
      throws: () => {
        throw new Error('a bad handler');
      },
      rejects: async () => Promise.reject(new Error('a bad handler')),
      // As the promises of some query builders: no Promise, and nothing happens before `then`.
      'answers a thenable that rejects': () => ({
        then: (_done: unknown, failed: (error: Error) => void) => failed(new Error('a bad handler')),
      }),
      hangs: () => new Promise(() => {}),
    };
    let logged: jest.SpyInstance;
    beforeEach(() => {
      logged = jest.spyOn(Logger.prototype, 'error').mockImplementation();
    });
    afterEach(() => logged.mockRestore());

    it.each(Object.entries(failures))('because it %s changes nothing', async (how, fail) => {
      @Injectable()
      class Bad {
        @OnSession('loggedIn') handle() {
          return fail();
        }
      }
      const app = await start({
        providers: [Bad, Journal],
        imports: [SessionModule.forRoot({ name: 'admin' })],
      });
      const ada = await visitor(app);
      const { status } = await ada.post('/login');
      const again = await ada.post('/login');
      const complaint = ["Bad.handle failed on a session event 'loggedIn'", new Error('a bad handler')];
      expect({
        statuses: [status, again.status],
        heard: app.get(Journal).logins.length,
        logged: logged.mock.calls,
      }).toEqual({ statuses: [201, 201], heard: 2, logged: how === 'hangs' ? [] : [complaint, complaint] });
    });
  });

  describe('is refused at start, in words,', () => {
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest {
      @OnSession('loggedIn') handle() {}
    }
    @Injectable({ scope: Scope.TRANSIENT })
    class Transient {
      @OnSession('loggedIn') handle() {}
    }
    @Injectable()
    class Dependent {
      constructor(@Inject(REQUEST) readonly request: object) {}
      @OnSession('loggedIn') handle() {}
    }

    it.each([PerRequest, Transient, Dependent])(
      'in a class without a single instance: %p',
      async (scoped) => {
        const refused: unknown = await start({ providers: [scoped] }).catch((error: unknown) => error);
        expect(refused).toMatchObject({
          code: 'SESSION_OPTIONS_INVALID',
          message: expect.stringMatching(
            new RegExp(
              `^@OnSession\\(\\) of ${scoped.name}\\.handle .* Move the method to a class of the default`,
            ),
          ),
        });
      },
    );

    it('for an instance that does not exist', async () => {
      const refused: unknown = await start({ providers: [Journal] }).catch((error: unknown) => error);
      expect(refused).toMatchObject({
        code: 'SESSION_MODULE_MISSING',
        message: expect.stringMatching(/no session instance 'admin'/),
      });
    });
  });

  it('hears nothing any more when the application has shut down', async () => {
    const app = await start({ providers: [Journal], imports: [SessionModule.forRoot({ name: 'admin' })] });
    const [journal, events] = [app.get(Journal), app.get(SessionEvents)];
    const event = {
      type: 'loggedIn',
      sessionName: 'default',
      id: null,
      principal: 'default:ada',
      reason: null,
      at: 0,
    };
    events.emit({ ...event } as SessionEvent);
    await closeApps();
    events.emit({ ...event } as SessionEvent);
    expect(journal.logins).toEqual(['loggedIn default:ada']);
  });
});
