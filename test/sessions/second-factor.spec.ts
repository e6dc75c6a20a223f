import {
  Controller,
  Get,
  Injectable,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import {
  AuthGuard,
  Principal,
  RecentLogin,
  RequireLevel,
  RequirePending,
  RequireRoles,
  SessionEvents,
  SessionRegistry,
  SessionService,
  type Session,
  type SessionEvent,
  type SessionModuleOptions,
} from 'nestjs-tessera';
import { manualClock, type ManualClock } from 'nestjs-tessera/testing';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { waysToKeep } from '../support/kept';
import { scripted, type Scripted } from '../support/scripted';
import '../support/session-data';
import { visitor, type Answer, type Visitor } from '../support/visitor';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const ada = { id: 7, roles: ['admin'] };
const principal = { id: '7', realm: 'default', roles: ['admin'] };

@Injectable()
class OwnGuard implements CanActivate {
  constructor(private readonly sessions: SessionService) {}
  async canActivate(context: ExecutionContext): Promise<boolean> {
    return (await this.sessions.of(context)).principal !== null;
  }
}

@Controller()
class PagesController {
  @UseGuards(AuthGuard) @Get('account') account() {
    return 'account';
  }
  @RequireRoles('admin') @Get('admin') admin() {
    return 'admin';
  }
  @RequireLevel(1) @Get('level') level() {
    return 'level';
  }
  @UseGuards(OwnGuard) @Get('own') own() {
    return 'own';
  }
  @RequirePending() @Get('code') code() {
    return 'code';
  }
  @Get('me') me(@Principal() me: Principal | null) {
    return { me };
  }
}

@RequirePending()
@Controller('factor')
class FactorController {
  @Get('form') form() {
    return 'form';
  }
  @RequireLevel(2) @Get('keys') keys() {
    return 'keys';
  }
  @RecentLogin('10m') @Get('codes') codes() {
    return 'codes';
  }
  @UseGuards(AuthGuard) @Get('list') list() {
    return 'list';
  }
  @RequirePending() @RequireLevel(2) @Get('both') both() {
    return 'both';
  }
}

const pages = ['account', 'admin', 'level', 'own', 'code'] as const;

/** The code of an answer, or its text when it is a page. */
function codeOf({ status, text }: Answer): string {
  return status === 200 ? text : `${status} ${(JSON.parse(text) as { code?: string }).code ?? ''}`.trim();
}

describe.each(platforms)('a login with a second factor on %s', (platform) => {
  describe.each(waysToKeep)('%s', (name, kept) => {
    const isSealed = name === 'sealed';
    let app: App;
    let clock: ManualClock;
    let session: Scripted;
    let person: Visitor;
    let events: SessionEvent[];

    async function start(options: SessionModuleOptions = {}): Promise<void> {
      clock = manualClock();
      session = scripted();
      app = await startApp({
        platform,
        options: { ...kept(), clock, ...options },
        controllers: [PagesController, FactorController, session.controller],
        providers: [OwnGuard],
      });
      person = await visitor(app);
      events = [];
      app.get(SessionEvents).subscribe((event) => events.push(event));
    }
    beforeEach(() => start());
    afterEach(() => closeApps());

    const told = (): string[] =>
      events
        .splice(0)
        .map(({ type, reason }) => type + (reason === null ? '' : `: ${reason}`))
        .filter((event) => event !== 'created' && event !== 'renewed');
    const begin = (options = {}): Promise<Answer> =>
      session.run(person, (s) => s.login(ada, { pending: true, amr: ['pwd'], ...options }));
    const complete = (who = person): Promise<Answer> => session.run(who, (s) => s.elevate({ amr: ['otp'] }));
    const passes = async (who = person): Promise<Record<string, string>> => {
      const answers: Record<string, string> = {};
      for (const page of pages) answers[page] = codeOf(await who.get(`/${page}`));
      return answers;
    };
    const seen = (s: Session) => ({
      principal: s.principal,
      pending: s.pending,
      level: s.level,
      amr: s.amr,
      endsIn: s.deadline - clock(),
      remembered: s.remembered,
    });

    it('L14: lets a requirement of a handler take precedence over @RequirePending of its controller', async () => {
      const answers = async (): Promise<Record<string, string>> => {
        const found: Record<string, string> = {};
        for (const page of ['form', 'keys', 'codes', 'list', 'both'])
          found[page] = codeOf(await person.get(`/factor/${page}`));
        return found;
      };
      await begin();
      const refused = '401 LOGIN_PENDING';
      expect(await answers()).toEqual({
        form: 'form',
        keys: refused,
        codes: refused,
        list: refused,
        both: refused,
      });
      await complete();
      const opened = { keys: 'keys', codes: 'codes', list: 'list', both: 'both' };
      expect(await answers()).toEqual({ form: '403 PENDING_LOGIN_REQUIRED', ...opened });
    });

    it('L14: passes no guard but @RequirePending while the second factor is due', async () => {
      await begin();
      expect(await passes()).toEqual({
        account: '401 LOGIN_PENDING',
        admin: '401 LOGIN_PENDING',
        level: '401 LOGIN_PENDING',
        own: '403',
        code: 'code',
      });
      expect((await person.get('/me')).json()).toEqual({ me: null });
      expect(await session.ask(person, seen)).toEqual({
        principal: null,
        pending: principal,
        level: 0,
        amr: ['pwd'],
        endsIn: 10 * MINUTE,
        remembered: false,
      });
      expect(told()).toEqual(['loginPending']);
    });

    it('L14: lets a visitor and a complete login not pass @RequirePending', async () => {
      const asVisitor = codeOf(await person.get('/code'));
      await session.run(person, (s) => s.login(ada));
      expect({ asVisitor, loggedIn: codeOf(await person.get('/code')) }).toEqual({
        asVisitor: '401 LOGIN_REQUIRED',
        loggedIn: '403 PENDING_LOGIN_REQUIRED',
      });
    });

    it.each<[string, (s: Session) => void]>([
      ['data is written', (s) => s.update('visits', (n = 0) => n + 1)],
      ['it is to be remembered', (s) => s.rememberMe()],
      ['a later deadline is set', (s) => (s.deadline = clock() + DAY)],
      ['an idle timeout is set', (s) => (s.idleTimeout = 5 * MINUTE)],
      ['its token is renewed', (s) => s.renewToken()],
    ])('L14: ends after its own lifetime, although %s', async (_what, work) => {
      await begin({ rememberMe: true });
      for (let minutes = 1; minutes < 10; minutes++) {
        clock.advance(MINUTE);
        await session.run(person, work);
      }
      clock.advance(MINUTE - 1);
      const before = await session.ask(person, (s) => s.pending?.id);
      clock.advance(1);
      const { cookies } = await complete();
      expect({ before, cookies, after: await session.ask(person, (s) => s.pending) }).toEqual({
        before: '7',
        cookies: [],
        after: null,
      });
    });

    it('L14: can be ended earlier by the application, and never outlasts a shorter lifetime', async () => {
      await begin();
      await session.run(person, (s) => (s.deadline = clock() + MINUTE));
      clock.advance(MINUTE);
      const ended = await session.ask(person, (s) => s.pending);
      await closeApps();
      await start({ lifetime: '5m', pendingLifetime: '1h' });
      await begin();
      expect({ ended, endsIn: await session.ask(person, (s) => s.deadline - clock()) }).toEqual({
        ended: null,
        endsIn: 5 * MINUTE,
      });
    });

    it('L1 L3: becomes a login with elevate(), with a new token and a lifetime that begins then', async () => {
      await session.run(person, (s) => s.set('cart', ['pear']));
      await begin();
      const before = await person.token();
      clock.advance(9 * MINUTE);
      const { cookies } = await complete();
      clock.advance(1);
      expect(await session.ask(person, seen)).toEqual({
        principal,
        pending: null,
        level: 2,
        amr: ['pwd', 'otp'],
        endsIn: DAY - 1,
        remembered: false,
      });
      const { length } = cookies;
      expect({ length, isNew: (await person.token()) !== before, pages: await passes() }).toEqual({
        length: 1,
        isNew: true,
        pages: {
          account: 'account',
          admin: 'admin',
          level: 'level',
          own: 'own',
          code: '403 PENDING_LOGIN_REQUIRED',
        },
      });
      const data = await session.ask(person, (s) => [s.get('cart'), s.authenticatedAt! - clock()]);
      expect({ data, told: told() }).toEqual({ data: [['pear'], -1], told: ['loginPending', 'loggedIn'] });
    });

    it('W25: keeps the timeouts that were set while the second factor was due', async () => {
      await begin();
      await session.run(person, (s) => {
        s.deadline = clock() + 60 * MINUTE;
        s.idleTimeout = 5 * MINUTE;
      });
      await complete();
      const { idleTimeout } = await session.ask(person, (s) => ({ idleTimeout: s.idleTimeout }));
      await session.run(person, (s) => s.rememberMe());
      const { endsIn } = await session.ask(person, seen);
      expect({ idleTimeout, endsIn }).toEqual({ idleTimeout: 5 * MINUTE, endsIn: 60 * MINUTE });
    });

    it('L1: leaves the token of before with what it had, and that for ten seconds', async () => {
      await begin();
      const old = await person.twin();
      await complete();
      const atOnce = { pages: await passes(old), seen: await session.ask(old, seen) };
      clock.advance(10_000);
      const later = await session.ask(old, (s) => s.isNew);
      const refusal = isSealed ? '401 LOGIN_REQUIRED' : '401 LOGIN_PENDING';
      expect({ ...atOnce.pages, later }).toEqual({
        ...{ account: refusal, admin: refusal, level: refusal, own: '403' },
        code: isSealed ? '401 LOGIN_REQUIRED' : 'code',
        later: true,
      });
      expect(atOnce.seen.principal).toBeNull();
    });

    it('is remembered from its completion, as the first step or a later one asked', async () => {
      await begin({ rememberMe: true });
      const pending = await session.ask(person, seen);
      const { cookies } = await complete();
      const completed = await session.ask(person, seen);
      person = await visitor(app);
      await begin();
      await session.run(person, (s) => s.rememberMe());
      await complete();
      expect({ pending, completed, later: await session.ask(person, seen), cookies }).toMatchObject({
        pending: { endsIn: 10 * MINUTE, remembered: true },
        completed: { endsIn: 30 * DAY, remembered: true },
        later: { endsIn: 30 * DAY, remembered: true },
        cookies: [expect.stringContaining('Max-Age=2592000')],
      });
    });

    it('keeps a level that is given, and adds to the methods', async () => {
      await session.run(person, (s) => s.login(ada, { pending: true, level: 1, amr: ['pwd'] }));
      await session.run(person, (s) => s.elevate({ level: 3, amr: ['pwd', 'hwk'] }));
      const first = await session.ask(person, ({ level, amr }) => ({ level, amr }));
      await session.run(person, (s) => s.elevate());
      expect({ first, second: await session.ask(person, ({ level, amr }) => ({ level, amr })) }).toEqual({
        first: { level: 3, amr: ['pwd', 'hwk'] },
        second: { level: 3, amr: ['pwd', 'hwk'] },
      });
    });

    it('L2: a pending login of the same principal replaces a complete one: nothing of its rights is left', async () => {
      await session.run(person, (s) => {
        s.login(ada, { level: 2 });
        s.grant('transfer:1');
        s.set('cart', ['pear']);
      });
      const old = await person.twin();
      await begin();
      const { account } = await passes();
      const cart = await session.ask(person, (s) => s.get('cart'));
      await complete();
      const granted = await session.run(person, async () => app.get(SessionService).takeGrant('transfer:1'));
      expect({
        account,
        cart,
        old: await session.ask(old, (s) => s.principal),
        granted: granted.text,
      }).toEqual({ account: '401 LOGIN_PENDING', cart: ['pear'], old: null, granted: '{"result":false}' });
    });

    it('L2: a pending login of another principal ends the login before, with its data', async () => {
      await session.run(person, (s) => {
        s.login({ id: 8 });
        s.set('cart', ['pear']);
      });
      const old = await person.twin();
      told();
      await begin();
      const now = await session.ask(person, (s) => [s.pending?.id, s.principal, s.get('cart') ?? null]);
      expect({ now, old: await session.ask(old, (s) => s.isNew), told: told() }).toEqual({
        now: ['7', null, null],
        old: true,
        told: ['destroyed: login', 'loginPending', isSealed ? 'rejected: revoked' : 'rejected: unknown'],
      });
    });

    it('refuses the second factor without the first, and actAs(), grant() and endOthers() before it', async () => {
      const codeThrown = (work: (s: Session) => unknown): Promise<string> =>
        session.ask(person, async (s) => {
          try {
            await work(s);
            return 'done';
          } catch (error) {
            return (error as { code: string }).code;
          }
        });
      const first = await codeThrown((s) => s.elevate({ amr: ['otp'] }));
      await begin();
      const refused = {
        first,
        actAs: await codeThrown((s) => s.actAs({ id: 9 })),
        grant: await codeThrown((s) => s.grant('transfer')),
        endOthers: await codeThrown(() => app.get(SessionRegistry).endOthers()),
      };
      expect(refused).toEqual({
        first: 'SESSION_NOT_LOGGED_IN',
        actAs: 'SESSION_NOT_LOGGED_IN',
        grant: 'SESSION_NOT_LOGGED_IN',
        endOthers: 'SESSION_NOT_LOGGED_IN',
      });
    });

    it('may be begun and completed in one request', async () => {
      await session.run(person, (s) => {
        s.login(ada, { pending: true, amr: ['pwd'] });
        s.elevate({ amr: ['otp'] });
      });
      expect({ ...(await session.ask(person, seen)), told: told() }).toMatchObject({
        principal,
        level: 2,
        amr: ['pwd', 'otp'],
        endsIn: DAY,
        told: ['loginPending', 'loggedIn'],
      });
    });

    it('L5: can be given up, with the data kept or not', async () => {
      await session.run(person, (s) => s.set('cart', ['pear']));
      await begin();
      await begin();
      await session.run(person, (s) => s.logout({ keepData: true }));
      const kept = await session.ask(person, (s) => [s.pending, s.get('cart'), s.deadline - clock()]);
      await begin();
      await session.run(person, (s) => s.logout());
      expect({ kept, left: await session.ask(person, (s) => [s.pending, s.isNew]) }).toEqual({
        kept: [null, ['pear'], DAY],
        left: [null, true],
      });
    });

    it('L8: ends with all sessions of its principal, and cannot be completed then', async () => {
      await begin();
      await app.get(SessionService).endAll({ id: 7 });
      await complete();
      expect(await session.ask(person, (s) => [s.pending, s.principal, s.isNew])).toEqual([null, null, true]);
    });

    it('can be begun and completed right after all sessions of its principal were ended', async () => {
      await app.get(SessionService).endAll({ id: 7 });
      clock.advance(1);
      await begin();
      clock.advance(1);
      await complete();
      clock.advance(1);
      expect(await session.ask(person, (s) => s.principal?.id)).toBe('7');
    });

    it('goes back to the pending login when a rollback takes the proof back', async () => {
      await begin();
      await session.run(person, (s) => {
        s.elevate();
        s.rollback();
      });
      expect({ ...(await session.ask(person, seen)), told: told() }).toMatchObject({
        principal: null,
        pending: principal,
        endsIn: 10 * MINUTE,
        told: ['loginPending'],
      });
    });

    if (!isSealed)
      it('is in no list and in no count, and get() tells that it is pending', async () => {
        await begin();
        const registry = app.get(SessionRegistry);
        const id = await session.ask(person, (s) => s.id);
        const pending = {
          list: await registry.list(ada),
          count: await registry.count(ada),
          isPending: (await registry.get(id))?.isPending,
        };
        await complete();
        expect({ pending, completed: await registry.count(ada) }).toEqual({
          pending: { list: [], count: 0, isPending: true },
          completed: 1,
        });
      });
  });
});
