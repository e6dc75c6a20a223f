import { Controller, Get, UseGuards } from '@nestjs/common';
import {
  AuthGuard,
  RecentLogin,
  MemorySessionStore,
  RequirePending,
  Session as SessionOf,
  SessionEvents,
  type Session,
  type SessionEvent,
  type SessionModuleOptions,
} from 'nestjs-tessera';
import { manualClock, type ManualClock } from 'nestjs-tessera/testing';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { waysToKeep } from '../support/kept';
import { scripted, type Scripted } from '../support/scripted';
import '../support/session-data';
import { visitor, type Visitor } from '../support/visitor';
import { WatchedStore, door } from '../support/watched-store';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const ada = { id: 7, roles: ['admin'] };
const principal = { id: '7', realm: 'default', roles: ['admin'] };

@Controller()
class PagesController {
  @UseGuards(AuthGuard) @Get('account') account() {
    return 'account';
  }
  @RecentLogin('10m') @Get('recent') recent() {
    return 'recent';
  }
  @RequirePending() @Get('code') code() {
    return 'code';
  }
}

@Controller('poll')
class PollController {
  @Get() poll(@SessionOf({ touch: false }) session: Session) {
    session.update('visits', (n = 0) => n + 1);
    return session.principal;
  }
}

describe.each(platforms)("a login with onIdle: 'lock' on %s", (platform) => {
  describe.each(waysToKeep)('%s', (name, kept) => {
    const isSealed = name === 'sealed';
    let clock: ManualClock;
    let app: App;
    let session: Scripted;
    let person: Visitor;
    let events: SessionEvent[];

    async function start(options: SessionModuleOptions = {}): Promise<void> {
      clock = manualClock();
      session = scripted();
      app = await startApp({
        platform,
        options: { ...kept(), clock, onIdle: 'lock', idleTimeout: '30m', lifetime: '8h', ...options },
        controllers: [PagesController, session.controller],
      });
      person = await visitor(app);
      events = [];
      app.get(SessionEvents).subscribe((event) => events.push(event));
    }
    beforeEach(async () => {
      await start();
      await session.run(person, (s) => {
        s.login(ada, { amr: ['pwd'], level: 2, constants: { tenant: 'acme' } });
        s.set('cart', ['pear']);
        s.grant('transfer');
      });
    });
    afterEach(() => closeApps());

    const code = async (path: string, who = person): Promise<string> => {
      const { status, text } = await who.get(path);
      return status === 200 ? text : (JSON.parse(text) as { code: string }).code;
    };
    const seen = (s: Session) => ({
      principal: s.principal,
      locked: s.locked,
      level: s.level,
      authenticatedAt: s.authenticatedAt,
      cart: s.get('cart') ?? null,
    });
    const look = () => session.ask(person, seen);
    const LOCKED = { principal: null, locked: principal, level: 0, authenticatedAt: null, cart: ['pear'] };

    it('E1: is locked at its idle timeout, and not a millisecond before', async () => {
      clock.advance(30 * MINUTE - 1);
      const before = await code('/account');
      clock.advance(30 * MINUTE);
      expect({
        before,
        account: await code('/account'),
        recent: await code('/recent'),
        pending: await code('/code'),
        seen: await look(),
      }).toEqual({
        before: 'account',
        account: 'SESSION_LOCKED',
        recent: 'SESSION_LOCKED',
        pending: 'SESSION_LOCKED',
        seen: LOCKED,
      });
      expect(events.filter(({ type }) => type === 'expired')).toEqual([]);
    });

    it('is neither unlocked nor prolonged by requests, whatever they change', async () => {
      clock.advance(30 * MINUTE);
      const seenAt = await session.ask(person, (s) => s.lastSeenAt);
      const refused: unknown[] = [];
      for (let i = 0; i < 5; i++) {
        clock.advance(MINUTE);
        await session.run(person, (s) => {
          s.set('visits', i);
          s.renewToken();
          s.rotateToken();
          s.stopActing();
          for (const work of [
            () => (s.idleTimeout = null),
            () => (s.deadline = clock() + 100 * HOUR),
            () => s.rememberMe(),
            () => s.actAs({ id: 9 }),
            () => s.grant('transfer'),
          ])
            try {
              refused.push(work());
            } catch (error) {
              refused.push((error as { code: string }).code);
            }
        });
      }
      const end = await session.ask(person, (s) => [s.deadline, s.lastSeenAt, s.get('visits')]);
      expect({ refused: new Set(refused), seen: await look(), end }).toEqual({
        refused: new Set(['SESSION_NOT_LOGGED_IN']),
        seen: LOCKED,
        end: [seenAt + 8 * HOUR, seenAt, 4],
      });
    });

    it.each<[string, (s: Session) => void, object]>([
      ['elevate()', (s) => s.elevate({ amr: ['otp'] }), { level: 2 }],
      ['a login of the same principal', (s) => s.login(ada), { level: 1 }],
    ])(
      'is unlocked by %s, with its data and a new token',
      async (_way, work, { level }: { level?: number }) => {
        clock.advance(30 * MINUTE);
        const old = await person.twin();
        const { cookies } = await session.run(person, work);
        const after = await look();
        expect({ after, cookies: cookies.length, old: await session.ask(old, seen) }).toEqual({
          after: { principal, locked: null, level, authenticatedAt: clock(), cart: ['pear'] },
          cookies: 1,
          old: { ...LOCKED, locked: null, cart: !isSealed && level === 2 ? ['pear'] : null },
        });
        clock.advance(30 * MINUTE - 1);
        const inTime = await code('/account');
        clock.advance(30 * MINUTE);
        expect({ inTime, again: await code('/account') }).toEqual({
          inTime: 'account',
          again: 'SESSION_LOCKED',
        });
      },
    );

    describe('while a request is under way', () => {
      /** Answers when the test says so. */
      async function begin(work: (session: Session) => unknown) {
        const [arrived, going] = [door(), door()];
        const answer = session.run(person, async (s) => {
          arrived.open();
          await going.opened;
          work(s);
        });
        await arrived.opened;
        return async () => {
          going.open();
          const { status, json } = await answer;
          return status === 201 ? 'done' : json<{ code: string }>().code;
        };
      }
      const visit = (s: Session): unknown => s.set('visits', 1);

      it.each([
        { minutes: 5, work: () => {}, what: 'reads', outcome: 'done', account: 'SESSION_LOCKED' },
        { minutes: 5, work: visit, what: 'writes', outcome: 'SESSION_EXPIRED', account: 'SESSION_LOCKED' },
        { minutes: 4, work: visit, what: 'writes', outcome: 'done', account: 'account' },
      ])(
        'E1, R18: is unlocked only by one that $what within five minutes: $minutes',
        async ({ minutes, work, outcome, account }) => {
          clock.advance(29 * MINUTE);
          const end = await begin(work);
          clock.advance(minutes * MINUTE);
          expect({ outcome: await end(), account: await code('/account') }).toEqual({
            // The client has the only copy of a sealed session, so nothing is lost for the others.
            outcome: isSealed ? 'done' : outcome,
            account,
          });
        },
      );

      it('E1, R18: lets one go on for hours whose login others have used', async () => {
        const end = await begin(visit);
        for (let i = 0; i < 4; i++) {
          clock.advance(20 * MINUTE);
          await session.run(person, (s) => s.set('theme', 'dark'));
        }
        const outcome = await end();
        const seen = await session.ask(person, (s) => [s.principal?.id, s.get('visits') ?? 0]);
        expect({ outcome, seen }).toEqual({ outcome: 'done', seen: ['7', isSealed ? 0 : 1] });
      });
    });

    it('E4: elevate() leaves the absolute end as it was, which ends a locked login, too', async () => {
      clock.advance(HOUR);
      await session.run(person, (s) => s.elevate());
      const endsIn = await session.ask(person, (s) => s.deadline - clock());
      clock.advance(7 * HOUR - 1);
      const before = await code('/account');
      clock.advance(1);
      const after = await session.ask(person, (s) => [s.isNew, s.locked, s.endedBecause]);
      expect({ endsIn, before, after }).toEqual({
        endsIn: 7 * HOUR,
        before: 'SESSION_LOCKED',
        after: [true, null, 'lifetime'],
      });
    });

    it('ends with its data when another principal logs in', async () => {
      clock.advance(30 * MINUTE);
      await session.run(person, (s) => s.login({ id: 8 }));
      const after = await session.ask(person, (s) => [s.principal?.id, s.get('cart'), s.constant('tenant')]);
      expect(after).toEqual(['8', null, null]);
      expect(events.map(({ type, principal: of }) => [type, of])).toContainEqual(['destroyed', 'default:7']);
    });

    it('L5: can be logged out, with the data kept or not', async () => {
      clock.advance(HOUR);
      const twin = await person.twin();
      await session.run(person, (s) => s.logout({ keepData: true }));
      const kept = await session.ask(person, (s) => [s.locked, s.get('cart') ?? null, s.isNew]);
      await session.run(twin, (s) => s.logout());
      expect({ kept, left: await session.ask(twin, (s) => s.isNew) }).toEqual({
        kept: [null, ['pear'], false],
        left: true,
      });
    });

    it('is locked again when a rollback takes the proof back', async () => {
      clock.advance(30 * MINUTE);
      const inRequest = await session.ask(person, (s) => {
        s.elevate();
        const between = s.principal?.id;
        s.rollback();
        return [between, s.principal, s.locked?.id];
      });
      expect({ inRequest, seen: await look() }).toEqual({ inRequest: ['7', null, '7'], seen: LOCKED });
    });

    it('can be elevated before other changes of the same request', async () => {
      clock.advance(30 * MINUTE);
      await session.run(person, (s) => {
        s.elevate();
        s.idleTimeout = HOUR;
        s.grant('again');
      });
      clock.advance(59 * MINUTE);
      expect(await code('/account')).toBe('account');
    });

    it('leaves the session of a visitor, and of one who has logged out, to end at the idle timeout', async () => {
      await session.run(person, (s) => s.logout({ keepData: true }));
      const guest = await visitor(app);
      await session.run(guest, (s) => s.set('visits', 1));
      clock.advance(30 * MINUTE);
      expect([await session.ask(guest, (s) => s.isNew), await session.ask(person, (s) => s.isNew)]).toEqual([
        true,
        true,
      ]);
    });

    it('locks a remembered login by its own timeout, or never', async () => {
      await session.run(person, (s) => s.login(ada, { rememberMe: true }));
      clock.advance(10 * HOUR);
      const never = await code('/account');
      await closeApps();
      await start({ rememberMe: { idleTimeout: '2h' } });
      await session.run(person, (s) => s.login(ada, { rememberMe: true }));
      clock.advance(2 * HOUR - 1);
      const before = await code('/account');
      clock.advance(2 * HOUR);
      expect({ never, before, after: await code('/account') }).toEqual({
        never: 'account',
        before: 'account',
        after: 'SESSION_LOCKED',
      });
    });

    it('ends an impersonation: elevate() brings the real principal back', async () => {
      await session.run(person, (s) => {
        s.actAs({ id: 9 });
      });
      await session.run(person, (s) => s.set('cart', ['theirs']));
      clock.advance(30 * MINUTE);
      const locked = await session.ask(person, (s) => [s.locked?.id, s.principal, s.actor]);
      await session.run(person, (s) => s.elevate());
      const after = await session.ask(person, (s) => [s.principal?.id, s.actor, s.get('cart')]);
      expect({ locked, after }).toEqual({ locked: ['7', null, null], after: ['7', null, ['pear']] });
      expect(events.map(({ type }) => type)).toContain('stoppedActing');
    });
  });
});

describe.each(platforms)('the last use of a login that locks on %s', (platform) => {
  let clock: ManualClock;
  let store: WatchedStore;
  let session: Scripted;
  let person: Visitor;

  beforeEach(async () => {
    clock = manualClock();
    store = new WatchedStore(new MemorySessionStore());
    session = scripted();
    const app = await startApp({
      platform,
      options: { store, clock, onIdle: 'lock', idleTimeout: '30m' },
      controllers: [PagesController, PollController, session.controller],
    });
    person = await visitor(app);
    await session.run(person, (s) => s.login(ada));
    store.take();
  });
  afterEach(() => closeApps());

  it('E3: is written when it is a tenth of the idle timeout later, and not with each request', async () => {
    for (let i = 0; i < 40; i++) {
      clock.advance(MINUTE);
      await person.get('/account');
    }
    const calls = store.take();
    const writes = calls.filter((call) => call !== 'find');
    expect({ finds: calls.length - writes.length, writes }).toEqual({
      finds: 40,
      writes: Array.from({ length: 10 }, () => 'update'),
    });
    clock.advance(30 * MINUTE - 1);
    const before = (await person.get('/account')).status;
    clock.advance(30 * MINUTE);
    expect({ before, after: (await person.get('/account')).status }).toEqual({ before: 200, after: 401 });
  });

  it('E3: is not moved by requests with touch: false, whatever they change', async () => {
    for (let i = 0; i < 10; i++) {
      clock.advance(3 * MINUTE - 1);
      await person.get('/poll');
    }
    clock.advance(10);
    expect((await person.get('/account')).json()).toMatchObject({ code: 'SESSION_LOCKED' });
  });

  it('is not written by requests to a locked login', async () => {
    clock.advance(30 * MINUTE);
    await person.get('/account');
    clock.advance(30 * MINUTE);
    await person.get('/account');
    expect(store.take()).toEqual(['find', 'find']);
  });
});
