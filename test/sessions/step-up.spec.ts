import { Body, Controller, Get, Post, UseGuards } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import {
  AuthGuard,
  Public,
  RecentLogin,
  RequireLevel,
  RequireRoles,
  SessionModule,
  SessionService,
} from 'nestjs-tessera';
import { manualClock, type ManualClock } from 'nestjs-tessera/testing';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { waysToKeep } from '../support/kept';
import { scripted, type Scripted } from '../support/scripted';
import '../support/session-data';
import { visitor, type Answer, type Visitor } from '../support/visitor';

const MINUTE = 60_000;

const ada = { id: 7, roles: ['admin'] };

@Controller('pages')
class PagesController {
  @RecentLogin('10m') @Get('recent') recent() {
    return 'in';
  }
  @RequireLevel(2) @Get('level') level() {
    return 'in';
  }
  @RequireLevel(2) @RecentLogin(5 * MINUTE) @RequireRoles('admin') @Get('all') all() {
    return 'in';
  }
  @RecentLogin('10m', { name: 'staff' }) @Get('staff') staff() {
    return 'in';
  }
  @RequireLevel(2, { name: 'staff' }) @RecentLogin('10m') @Get('both') both() {
    return 'in';
  }
}

@Public()
@Controller('public')
class PublicController {
  @Get() open() {
    return 'in';
  }
  @RecentLogin('10m') @Get('recent') recent() {
    return 'in';
  }
}

@RequireLevel(3)
@RequireRoles('admin')
@Controller('strict')
class StrictController {
  @Get() strict() {
    return 'in';
  }
  @RequireLevel(1) @Get('milder') milder() {
    return 'in';
  }
  @Public() @Get('open') open() {
    return 'in';
  }
  @UseGuards(AuthGuard) @Get('twice') twice() {
    return 'in';
  }
}

@Controller('transfers')
class TransferController {
  constructor(private readonly sessions: SessionService) {}
  @Post() async transfer(@Body() { operation }: { operation: string }) {
    return { isDone: await this.sessions.takeGrant(operation) };
  }
}

function refusalOf({ status, text }: Answer): object | string {
  if (status === 200) return text;
  const { code, maxAge, level } = JSON.parse(text) as Record<string, unknown>;
  return { status, code, ...(maxAge !== undefined && { maxAge }), ...(level !== undefined && { level }) };
}

describe.each(platforms)('a fresh or stronger proof on %s', (platform) => {
  let app: App;
  let clock: ManualClock;
  let session: Scripted;
  let staff: Scripted;
  let person: Visitor;

  beforeEach(async () => {
    clock = manualClock();
    session = scripted();
    staff = scripted('staff');
    app = await startApp({
      platform,
      options: { clock },
      imports: [SessionModule.forRoot({ name: 'staff', clock: () => clock() + 60 * MINUTE })],
      controllers: [
        PagesController,
        PublicController,
        StrictController,
        session.controller,
        staff.controller,
      ],
    });
    person = await visitor(app);
  });
  afterEach(() => closeApps());

  const get = async (path: string): Promise<object | string> => refusalOf(await person.get(path));

  it('L6: @RecentLogin refuses an old proof with its own code, and accepts a fresh one', async () => {
    const outcomes: Record<string, unknown> = { none: await get('/pages/recent') };
    await session.run(person, (s) => s.login(ada));
    clock.advance(10 * MINUTE);
    outcomes.inTime = await get('/pages/recent');
    clock.advance(1);
    outcomes.late = await get('/pages/recent');
    await session.run(person, (s) => s.elevate());
    outcomes.elevated = await get('/pages/recent');
    clock.advance(10 * MINUTE + 1);
    await session.run(person, (s) => s.login(ada));
    outcomes.again = await get('/pages/recent');
    expect(outcomes).toEqual({
      none: { status: 401, code: 'LOGIN_REQUIRED' },
      inTime: 'in',
      late: { status: 401, code: 'RECENT_LOGIN_REQUIRED', maxAge: 600 },
      elevated: 'in',
      again: 'in',
    });
  });

  it('L6: neither use, nor rotation, nor a renewal makes a proof younger', async () => {
    await session.run(person, (s) => s.login(ada));
    clock.advance(10 * MINUTE + 1);
    for (const work of ['renewToken', 'rotateToken'] as const) await session.run(person, (s) => s[work]());
    await session.run(person, (s) => s.rememberMe());
    expect(await get('/pages/recent')).toMatchObject({ code: 'RECENT_LOGIN_REQUIRED' });
  });

  it('asks the clock and the session of its instance', async () => {
    await session.run(person, (s) => s.login(ada));
    const other = await get('/pages/staff');
    await staff.run(person, (s) => s.login({ id: 1 }));
    const own = await get('/pages/staff');
    const level = await get('/pages/both');
    await staff.run(person, (s) => s.elevate({ level: 2 }));
    expect({ other, own, level, both: await get('/pages/both') }).toEqual({
      other: { status: 401, code: 'LOGIN_REQUIRED' },
      own: 'in',
      level: { status: 401, code: 'LEVEL_REQUIRED', level: 2 },
      both: 'in',
    });
  });

  it('@RequireLevel refuses a lower level with its own code, until elevate() proves more', async () => {
    await session.run(person, (s) => s.login(ada));
    const before = await get('/pages/level');
    await session.run(person, (s) => s.elevate({ amr: ['otp'] }));
    const sameLevel = await get('/pages/level');
    await session.run(person, (s) => s.elevate({ amr: ['otp'], level: 2 }));
    expect({ before, sameLevel, after: await get('/pages/level') }).toEqual({
      before: { status: 401, code: 'LEVEL_REQUIRED', level: 2 },
      sameLevel: { status: 401, code: 'LEVEL_REQUIRED', level: 2 },
      after: 'in',
    });
  });

  it('combines them: first the role, then the level, then the age', async () => {
    const outcomes: Record<string, unknown> = {};
    await session.run(person, (s) => s.login({ id: 7 }));
    outcomes.role = await get('/pages/all');
    await session.run(person, (s) => s.login(ada));
    clock.advance(5 * MINUTE + 1);
    outcomes.level = await get('/pages/all');
    await session.run(person, (s) => s.elevate({ level: 2 }));
    outcomes.fresh = await get('/pages/all');
    clock.advance(5 * MINUTE + 1);
    outcomes.age = await get('/pages/all');
    expect(outcomes).toEqual({
      role: { status: 403, code: 'ROLE_REQUIRED' },
      level: { status: 401, code: 'LEVEL_REQUIRED', level: 2 },
      fresh: 'in',
      age: { status: 401, code: 'RECENT_LOGIN_REQUIRED', maxAge: 300 },
    });
  });

  it('applies on a handler although its controller is @Public(), and not on a handler that is', async () => {
    const asVisitor = [await get('/public'), await get('/public/recent'), await get('/strict/open')];
    await session.run(person, (s) => s.login(ada));
    const strict = [await get('/strict'), await get('/strict/milder'), await get('/strict/twice')];
    expect({ asVisitor, recent: await get('/public/recent'), strict }).toEqual({
      asVisitor: ['in', { status: 401, code: 'LOGIN_REQUIRED' }, 'in'],
      recent: 'in',
      strict: [
        { status: 401, code: 'LEVEL_REQUIRED', level: 3 },
        'in',
        { status: 401, code: 'LEVEL_REQUIRED', level: 3 },
      ],
    });
  });

  it('applies under a global AuthGuard, too', async () => {
    await closeApps();
    app = await startApp({
      platform,
      options: { clock },
      controllers: [PagesController, PublicController, session.controller],
      providers: [{ provide: APP_GUARD, useClass: AuthGuard }],
      imports: [SessionModule.forRoot({ name: 'staff' })],
    });
    person = await visitor(app);
    expect({
      public: await get('/public'),
      recent: await get('/public/recent'),
      level: await get('/pages/level'),
    }).toEqual({
      public: 'in',
      recent: { status: 401, code: 'LOGIN_REQUIRED' },
      level: { status: 401, code: 'LOGIN_REQUIRED' },
    });
  });
});

it.each([
  ['an unknown unit', 'soon'],
  ['no unit', '10'],
  ['nothing', ''],
  ['a negative duration', '-5m'],
  ['zero', 0],
  ['no number', NaN],
  ['no end', Infinity],
  ['nothing at all', undefined as never],
])('@RecentLogin() refuses %s at once', (_what, maxAge) => {
  expect(() => RecentLogin(maxAge)).toThrow(expect.objectContaining({ code: 'SESSION_OPTIONS_INVALID' }));
});

it.each([0, -1, 1.5, NaN, Infinity, '2' as never])('@RequireLevel(%p) is refused at once', (level) => {
  expect(() => RequireLevel(level)).toThrow(expect.objectContaining({ code: 'SESSION_OPTIONS_INVALID' }));
});

describe.each(platforms)('a grant on %s', (platform) => {
  describe.each(waysToKeep)('%s', (_how, kept) => {
    let app: App;
    let clock: ManualClock;
    let session: Scripted;
    let person: Visitor;

    beforeEach(async () => {
      clock = manualClock();
      session = scripted();
      app = await startApp({
        platform,
        options: { ...kept(), clock },
        controllers: [TransferController, session.controller],
      });
      person = await visitor(app);
      await session.run(person, (s) => s.login(ada));
    });
    afterEach(() => closeApps());

    const grant = (operation = 'transfer:1', validFor?: number): Promise<Answer> =>
      session.run(person, (s) => s.grant(operation, validFor));
    const isDone = async (operation = 'transfer:1', who = person): Promise<boolean> =>
      (await who.post('/transfers', { operation })).json<{ isDone: boolean }>().isDone;

    it('R15: is used by exactly one of fifty requests at once', async () => {
      await grant();
      const twins = await Promise.all(Array.from({ length: 50 }, () => person.twin()));
      const done = await Promise.all(twins.map((twin) => isDone('transfer:1', twin)));
      expect(done.filter(Boolean)).toHaveLength(1);
    });

    it('allows its own operation, once', async () => {
      await grant();
      const other = await isDone('transfer:2');
      const own = await isDone();
      expect({ other, own, again: await isDone() }).toEqual({ other: false, own: true, again: false });
    });

    it('ends after five minutes, or after the time that is given', async () => {
      await grant('a');
      await grant('b', 10 * MINUTE);
      clock.advance(5 * MINUTE);
      const done = { a: await isDone('a'), b: await isDone('b') };
      await grant('c', 1000);
      clock.advance(999);
      expect({ ...done, c: await isDone('c') }).toEqual({ a: false, b: true, c: true });
    });

    it.each<[string, (s: Parameters<Parameters<Scripted['run']>[1]>[0]) => void, boolean]>([
      ['a login', (s) => s.login(ada), false],
      [
        'a logout that keeps the data, and a login',
        (s) => (s.logout({ keepData: true }), s.login(ada)),
        false,
      ],
      ['another principal', (s) => s.login({ id: 8 }), false],
      ['a renewal', (s) => s.renewToken(), true],
      ['a rotation', (s) => s.rotateToken(), true],
      ['elevate()', (s) => s.elevate({ level: 2 }), true],
    ])('L1: over %s', async (_way, work, isKept) => {
      await grant();
      await session.run(person, work);
      expect(await isDone()).toBe(isKept);
    });

    it('L1: is not for a token from before elevate()', async () => {
      const old = await person.twin();
      await session.run(person, (s) => s.elevate({ level: 2 }));
      await grant();
      expect({ old: await isDone('transfer:1', old), own: await isDone() }).toEqual({
        old: false,
        own: true,
      });
    });

    it('is one of at most twenty: those that end first are forgotten', async () => {
      await session.run(person, (s) => {
        for (let i = 20; i >= 0; i--) s.grant(String(i), 10 * MINUTE - i);
      });
      expect({ first: await isDone('20'), second: await isDone('19'), last: await isDone('0') }).toEqual({
        first: false,
        second: true,
        last: true,
      });
    });

    it('D2: may have any name', async () => {
      const names = ['__proto__', 'constructor', 'toString', 'é\u{1f600}'];
      await session.run(person, (s) => names.forEach((each) => s.grant(each)));
      const done: boolean[] = [];
      for (const each of names) done.push(await isDone(each), await isDone(each));
      expect(done).toEqual(names.flatMap(() => [true, false]));
    });

    it('is refused without a login, a name, or a length', async () => {
      const guest = await visitor(app);
      const codes = await session.ask(guest, (s) =>
        [() => s.grant('a'), () => s.grant(''), () => s.grant('a'.repeat(201)), () => s.grant('a', 0)].map(
          (work) => {
            try {
              return work();
            } catch (error) {
              return (error as { code: string }).code;
            }
          },
        ),
      );
      const invalid = 'SESSION_OPTIONS_INVALID';
      expect(codes).toEqual(['SESSION_NOT_LOGGED_IN', invalid, invalid, invalid]);
    });
  });
});
