import { Controller, Get, UseGuards } from '@nestjs/common';
import {
  Actor,
  AuthGuard,
  Principal,
  RequireRoles,
  SessionEvents,
  SessionRegistry,
  SessionService,
  type Session,
  type SessionEvent,
} from 'nestjs-tessera';
import { manualClock, type ManualClock } from 'nestjs-tessera/testing';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { waysToKeep } from '../support/kept';
import { scripted, type Scripted } from '../support/scripted';
import '../support/session-data';
import { visitor, type Visitor } from '../support/visitor';

const MINUTE = 60_000;

const agent = { id: 'ada', realm: 'staff', roles: ['agent'] };
const customer = { id: 7, roles: ['customer'] };

@Controller()
class PagesController {
  @UseGuards(AuthGuard) @Get('me') me(@Principal() me: Principal, @Actor() actor: Principal | null) {
    return { me: me.id, actor: actor?.id ?? null };
  }
  @RequireRoles('agent') @Get('desk') desk() {
    return 'desk';
  }
  @RequireRoles('customer') @Get('shop') shop() {
    return 'shop';
  }
}

describe.each(platforms)('actAs() on %s', (platform) => {
  describe.each(waysToKeep)('%s', (name, kept) => {
    const isSealed = name === 'sealed';
    let app: App;
    let clock: ManualClock;
    let session: Scripted;
    let person: Visitor;
    let events: SessionEvent[];

    async function start(options = {}): Promise<void> {
      clock = manualClock();
      session = scripted();
      app = await startApp({
        platform,
        options: { ...kept(), clock, ...options },
        controllers: [PagesController, session.controller],
      });
      person = await visitor(app);
      events = [];
      app.get(SessionEvents).subscribe((event) => events.push(event));
      await session.run(person, (s) => s.login(agent, { amr: ['pwd', 'otp'], level: 2 }));
      events.splice(0);
    }
    beforeEach(() => start());
    afterEach(() => closeApps());

    const actAs = () => session.run(person, (s) => s.actAs(customer));
    const stopActing = () => session.run(person, (s) => s.stopActing());
    const seen = (s: Session) => ({
      principal: s.principal?.id ?? null,
      actor: s.actor?.id ?? null,
      keys: s.keys(),
    });
    const look = (who = person) => session.ask(who, seen);
    const codeOf = (work: (s: Session) => unknown): Promise<string> =>
      session.ask(person, (s) => {
        try {
          work(s);
          return 'done';
        } catch (error) {
          return (error as { code: string }).code;
        }
      });

    it('L13: shows guards the other principal, and @Actor() the real one', async () => {
      const pages = async (): Promise<object> => ({
        me: (await person.get('/me')).json(),
        desk: (await person.get('/desk')).status,
        shop: (await person.get('/shop')).status,
      });
      const before = await pages();
      await actAs();
      const during = await pages();
      await stopActing();
      expect({ before, during, after: await pages() }).toEqual({
        before: { me: { me: 'ada', actor: null }, desk: 200, shop: 403 },
        during: { me: { me: '7', actor: 'ada' }, desk: 403, shop: 200 },
        after: { me: { me: 'ada', actor: null }, desk: 200, shop: 403 },
      });
    });

    it('L1, L13: renews the token both ways, and the old ones open nothing', async () => {
      const before = await person.twin();
      const first = (await actAs()).cookies.length;
      const during = await person.twin();
      const second = (await stopActing()).cookies.length;
      const nobody = { principal: null, actor: null, keys: [] };
      expect({ first, second, before: await look(before), during: await look(during) }).toEqual({
        ...{ first: 1, second: 1, before: nobody, during: nobody },
      });
    });

    it('L13: reports both ends with the real principal and the other one', async () => {
      await actAs();
      await stopActing();
      const told = events
        .filter(({ subject }) => subject !== null)
        .map(({ type, principal, subject }) => ({ type, principal, subject }));
      const who = { principal: 'staff:ada', subject: 'default:7' };
      expect(told).toEqual([
        { type: 'actedAs', ...who },
        { type: 'stoppedActing', ...who },
      ]);
    });

    it('sets aside what the session contains, and brings it back exactly', async () => {
      await session.run(person, (s) => {
        s.set('value', new Map([[1n, new Date(5)]])).set('cart', ['hers']);
        s.setConstant('tenant', 'acme');
        s.flash('notice', 'for her');
        s.grant('transfer');
      });
      const all = (s: Session) => ({
        value: s.get('value') instanceof Map,
        cart: s.get('cart') ?? null,
        theme: s.get('theme') ?? null,
        tenant: s.constant('tenant') ?? null,
        amr: s.amr,
        level: s.level,
      });
      const during = await session.ask(person, (s) => {
        s.get('cart')!.push('changed in place');
        s.actAs(customer);
        const at = { ...all(s), messages: s.messages() };
        s.set('theme', 'dark').set('cart', ['his']);
        s.setConstant('tenant', 'other');
        s.flash('notice', 'for him');
        return at;
      });
      const later = await session.ask(person, (s) => ({ ...all(s), messages: s.messages() }));
      await stopActing();
      const granted = await session.run(person, async (s) => {
        return [await app.get(SessionService).takeGrant('transfer'), s.messages()];
      });
      const after = await session.ask(person, all);
      const proof = { amr: ['pwd', 'otp'], level: 2 };
      expect({ during, later, after, granted: granted.json() }).toEqual({
        during: { value: false, cart: null, theme: null, tenant: null, messages: [], ...proof },
        later: {
          ...{ value: false, cart: ['his'], theme: 'dark', tenant: 'other', ...proof },
          messages: [{ kind: 'notice', message: 'for him' }],
        },
        after: { value: true, cart: ['hers', 'changed in place'], theme: null, tenant: 'acme', ...proof },
        granted: { result: [true, [{ kind: 'notice', message: 'for her' }]] },
      });
    });

    it('does not give the other principal what is changed in place after it', async () => {
      await session.run(person, (s) => s.set('cart', ['hers']));
      await session.run(person, (s) => {
        const hers = s.get('cart')!;
        s.actAs(customer);
        hers.push('late');
        s.set('cart', ['his']);
        const his = s.get('cart')!;
        s.stopActing();
        his.push('late');
      });
      expect(await session.ask(person, (s) => s.get('cart'))).toEqual(['hers']);
    });

    it('L13: is refused within itself, as the same principal, and without a login', async () => {
      const same = await codeOf((s) => s.actAs(agent));
      await actAs();
      const refused = {
        same,
        nested: await codeOf((s) => s.actAs({ id: 8 })),
        back: await codeOf((s) => s.actAs(agent)),
        elevate: await codeOf((s) => s.elevate()),
      };
      const unchanged = await look();
      await session.run(person, (s) => s.logout());
      const nobody = await codeOf((s) => s.actAs(customer));
      const stop = await codeOf((s) => s.stopActing());
      expect({ ...refused, unchanged, nobody, stop }).toEqual({
        same: 'SESSION_ACTING_REFUSED',
        nested: 'SESSION_ACTING_REFUSED',
        back: 'SESSION_ACTING_REFUSED',
        elevate: 'SESSION_ACTING_REFUSED',
        unchanged: { principal: '7', actor: 'ada', keys: [] },
        nobody: 'SESSION_NOT_LOGGED_IN',
        stop: 'done',
      });
    });

    it('L7: may be of the same id in another realm', async () => {
      await session.run(person, (s) => s.actAs({ id: 'ada' }));
      expect(await session.ask(person, (s) => [s.principal?.realm, s.actor?.realm])).toEqual([
        'default',
        'staff',
      ]);
    });

    it.each([true, false])('L5: a logout ends both, whatever is to be kept (%s)', async (keepData) => {
      await session.run(person, (s) => s.set('cart', ['hers']));
      await actAs();
      events.splice(0);
      await session.run(person, (s) => s.logout({ keepData }));
      const told = events.filter(({ type }) => type === 'loggedOut').map(({ principal }) => principal);
      expect({ ...(await look()), told }).toEqual({
        principal: null,
        actor: null,
        keys: [],
        told: ['staff:ada'],
      });
    });

    it.each([
      ['the other principal', customer, '7'],
      ['the real one', agent, 'ada'],
    ])('a login as %s ends it, with the data of both', async (_who, who, id) => {
      await session.run(person, (s) => s.set('cart', ['hers']));
      await actAs();
      await session.run(person, (s) => s.set('cart', ['his']));
      const before = await session.ask(person, (s) => s.id);
      await session.run(person, (s) => s.login(who));
      expect({ ...(await look()), isNew: before !== (await session.ask(person, (s) => s.id)) }).toEqual({
        principal: id,
        actor: null,
        keys: [],
        isNew: true,
      });
    });

    it('L8: ends with all sessions of the real principal, and not with those of the other one', async () => {
      await actAs();
      const sessions = app.get(SessionService);
      await sessions.endAll(customer);
      const first = await look();
      await sessions.endAll(agent);
      expect({ first: first.actor, second: (await look()).actor }).toEqual({ first: 'ada', second: null });
    });

    it('E1 E2: ends when the session does', async () => {
      await actAs();
      clock.advance(30 * MINUTE - 1);
      const before = await look();
      clock.advance(30 * MINUTE);
      expect({ before: before.actor, after: await look() }).toEqual({
        before: 'ada',
        after: { principal: null, actor: null, keys: [] },
      });
    });

    it('E4: leaves the absolute end, and the proof of the real principal, as they were', async () => {
      clock.advance(MINUTE);
      const limits = (s: Session) => [s.deadline, s.authenticatedAt, s.createdAt, s.remembered];
      const before = await session.ask(person, limits);
      await actAs();
      const during = await session.ask(person, limits);
      await stopActing();
      expect({ during, after: await session.ask(person, limits) }).toEqual({ during: before, after: before });
    });

    it('is taken back by a rollback, both ways', async () => {
      await session.run(person, (s) => s.set('cart', ['hers']));
      const rolledBack = (work: (s: Session) => void) =>
        session.ask(person, (s) => {
          work(s);
          s.rollback();
          return seen(s);
        });
      const first = await rolledBack((s) => s.actAs(customer));
      await actAs();
      const second = await rolledBack((s) => s.stopActing());
      expect({ first, second, stored: await look() }).toEqual({
        first: { principal: 'ada', actor: null, keys: ['cart'] },
        second: { principal: '7', actor: 'ada', keys: [] },
        stored: { principal: '7', actor: 'ada', keys: [] },
      });
    });

    it('may be begun in the request of the login, and ended in that of its beginning', async () => {
      person = await visitor(app);
      await session.run(person, (s) => {
        s.login(agent);
        s.actAs(customer);
      });
      const first = await look();
      await session.run(person, (s) => {
        s.stopActing();
        s.actAs({ id: 8 });
        s.stopActing();
      });
      expect({ first, second: await look() }).toEqual({
        first: { principal: '7', actor: 'ada', keys: [] },
        second: { principal: 'ada', actor: null, keys: [] },
      });
    });

    it('L13: goes over rotations and renewals with its rights', async () => {
      await actAs();
      for (const work of ['rotateToken', 'renewToken'] as const) await session.run(person, (s) => s[work]());
      expect(await look()).toEqual({ principal: '7', actor: 'ada', keys: [] });
    });

    if (isSealed) return;

    it('L11, L13: is listed among the sessions of the real principal, with both', async () => {
      await actAs();
      const registry = app.get(SessionRegistry);
      const [listed] = await registry.list(agent);
      expect({
        principal: listed?.principal?.id,
        actor: listed?.actor?.id,
        ofOther: await registry.list(customer),
      }).toEqual({ principal: '7', actor: 'ada', ofOther: [] });
    });

    it('takes new roles of the real principal, which show when it ends', async () => {
      await actAs();
      const registry = app.get(SessionRegistry);
      await registry.setRoles(agent, ['boss']);
      await registry.setRoles(customer, ['owner']);
      const roles = (s: Session) => [s.principal?.roles, s.actor?.roles ?? null];
      const during = await session.ask(person, roles);
      await stopActing();
      expect({ during, after: await session.ask(person, roles) }).toEqual({
        during: [['customer'], ['boss']],
        after: [['boss'], null],
      });
    });

    it('D3: is refused when what is set aside makes the session too large, and changes nothing', async () => {
      await closeApps();
      await start({ maxBytes: 1000 });
      await session.run(person, (s) => s.set('value', '"'.repeat(380)));
      const { status } = await actAs();
      const unchanged = await look();
      const thrown = await session.ask(person, async (s) => {
        s.actAs(customer);
        const error = await app
          .get(SessionService)
          .commit()
          .catch((reason: Error) => reason);
        s.rollback();
        return (error as Error).message;
      });
      expect({ status, unchanged, thrown }).toEqual({
        status: 500,
        unchanged: { principal: 'ada', actor: null, keys: ['value'] },
        thrown: expect.stringContaining('the largest part is the data that actAs() has set aside'),
      });
    });
  });
});
