import { Controller, Get } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import {
  AuthGuard,
  Public,
  RequireRoles,
  SessionEvents,
  SessionRegistry,
  type SessionEvent,
} from 'nestjs-tessera';
import { closeApps, startApp, type Platform } from '../support/app';
import { scripted, type Scripted } from '../support/scripted';
import '../support/session-data';
import { describeStores, memory, type StoreUnderTest } from '../support/stores';
import { visitor, type Visitor } from '../support/visitor';
import { door } from '../support/watched-store';

const ADA = { id: 7 };
const BOB = { id: 8 };

@Controller('reports')
class Reports {
  @RequireRoles('admin')
  @Get()
  read() {
    return 'reports';
  }
}

function proves(platform: Platform, create: () => Promise<StoreUnderTest>): void {
  let under: StoreUnderTest;
  let session: Scripted;
  let registry: SessionRegistry;
  let events: SessionEvent[];
  let laptop: Visitor;
  let phone: Visitor;

  beforeEach(async () => {
    under = await create();
    session = scripted();
    Public()(session.controller);
    const app = await startApp({
      platform,
      options: { store: under.store },
      controllers: [session.controller, Reports],
      providers: [{ provide: APP_GUARD, useClass: AuthGuard }],
    });
    registry = app.get(SessionRegistry);
    events = [];
    app.get(SessionEvents).subscribe((event) => events.push(event));
    [laptop, phone] = [await visitor(app), await visitor(app)];
  });
  afterEach(async () => {
    await closeApps();
    await under.close();
  });

  const rolesOf = (who: Visitor) => session.ask(who, (s) => (s.principal ?? s.pending)?.roles ?? null);
  const reports = async (who: Visitor): Promise<number> => (await who.get('/reports')).status;

  it('changes what every session of the principal may, at its next request', async () => {
    await session.run(laptop, (s) => s.login({ ...ADA, roles: ['reader'] }));
    await session.run(phone, (s) => s.login({ ...ADA, roles: ['reader'] }, { pending: true }));
    const before = await reports(laptop);
    const token = await laptop.token();
    const changed = await registry.setRoles(ADA, ['admin']);
    const promoted = { changed, laptop: await reports(laptop), pending: await rolesOf(phone) };
    await registry.setRoles(ADA, []);
    expect({
      ...{ before, promoted, demoted: await reports(laptop), isSameToken: (await laptop.token()) === token },
      roles: await rolesOf(laptop),
      events: events
        .filter(({ type }) => type === 'rolesChanged')
        .map(({ id, principal }) => ({ id, principal })),
    }).toEqual({
      before: 403,
      promoted: { changed: 2, laptop: 200, pending: ['admin'] },
      ...{ demoted: 403, isSameToken: true, roles: [] },
      events: Array(2).fill({ id: null, principal: 'default:7' }),
    });
  });

  it('changes no session of another principal, and counts none where there is none', async () => {
    await session.run(laptop, (s) => s.login({ ...BOB, roles: ['admin'] }));
    expect({
      changed: await registry.setRoles(ADA, ['reader']),
      ofAnotherRealm: await registry.setRoles({ id: 8, realm: 'staff' }, []),
      roles: await rolesOf(laptop),
    }).toEqual({ changed: 0, ofAnotherRealm: 0, roles: ['admin'] });
  });

  it('R6: keeps what a request writes that began before, and the new roles', async () => {
    await session.run(laptop, (s) => s.login({ ...ADA, roles: ['admin'] }));
    const [begun, changed] = [door(), door()];
    const writing = session.run(laptop, async (s) => {
      begun.open();
      await changed.opened;
      s.set('cart', ['pear']);
    });
    await begun.opened;
    await registry.setRoles(ADA, ['reader']);
    changed.open();
    await writing;
    expect(await session.ask(laptop, (s) => [s.get('cart'), s.principal?.roles])).toEqual([
      ['pear'],
      ['reader'],
    ]);
  });

  it.each([
    { what: 'more', roles: ['reader', 'admin'] },
    { what: 'fewer', roles: [] },
  ])('L3: a second factor under way keeps the $what roles given meanwhile', async ({ roles }) => {
    await session.run(laptop, (s) => s.login({ ...ADA, roles: ['reader'] }));
    const [begun, changed] = [door(), door()];
    const elevating = session.run(laptop, async (s) => {
      s.elevate({ amr: ['otp'] });
      begun.open();
      await changed.opened;
    });
    await begun.opened;
    await registry.setRoles(ADA, roles);
    changed.open();
    await elevating;
    expect(await session.ask(laptop, (s) => [s.amr, s.principal?.roles])).toEqual([['otp'], roles]);
  });

  it('L1: takes the former roles from old tokens too that are still good for a while', async () => {
    await session.run(laptop, (s) => s.login({ ...ADA, roles: ['admin'] }));
    const old = await laptop.twin();
    await session.run(laptop, (s) => s.elevate());
    const before = await reports(old);
    await registry.setRoles(ADA, ['reader']);
    expect({
      before,
      old: await reports(old),
      oldRoles: await rolesOf(old),
      roles: await rolesOf(laptop),
    }).toEqual({ before: 200, old: 403, oldRoles: ['reader'], roles: ['reader'] });
  });

  it('W18: refuses a login under way that may bring the former roles, and no later one', async () => {
    const checkedAt = Date.now();
    await registry.setRoles(ADA, ['reader']);
    const early = await session.run(laptop, (s) => s.login({ ...ADA, roles: ['admin'] }, { checkedAt }));
    while (Date.now() <= checkedAt + 1) await new Promise((resolve) => setImmediate(resolve));
    const late = await session.run(phone, (s) =>
      s.login({ ...ADA, roles: ['reader'] }, { checkedAt: Date.now() }),
    );
    expect({
      early: { status: early.status, code: early.json<{ code: string }>().code },
      late: late.status,
      roles: [await rolesOf(laptop), await rolesOf(phone)],
    }).toEqual({
      early: { status: 401, code: 'SESSION_LOGIN_OUTDATED' },
      late: 201,
      roles: [null, ['reader']],
    });
  });

  it('L13: changes the real principal of an acting session, and not the one that is acted as', async () => {
    await session.run(laptop, (s) => s.login({ ...ADA, roles: ['support'] }));
    await session.run(laptop, (s) => s.actAs({ ...BOB, roles: ['customer'] }));
    const changed = {
      actor: await registry.setRoles(ADA, ['reader']),
      subject: await registry.setRoles(BOB, ['admin']),
    };
    const acting = await session.ask(laptop, (s) => [s.principal?.roles, s.actor?.roles]);
    await session.run(laptop, (s) => s.stopActing());
    expect({ changed, acting, after: await rolesOf(laptop) }).toEqual({
      changed: { actor: 1, subject: 0 },
      acting: [['customer'], ['reader']],
      after: ['reader'],
    });
  });

  it('leaves an ended session ended that it had found', async () => {
    await session.run(laptop, (s) => s.login({ ...ADA, roles: ['admin'] }));
    const id = (await laptop.token())!.slice(0, 22);
    await Promise.all([registry.setRoles(ADA, ['reader']), registry.end(id), registry.setRoles(ADA, [])]);
    expect({ roles: await rolesOf(laptop), count: await registry.count(ADA) }).toEqual({
      roles: null,
      count: 0,
    });
  });
}

describeStores('roles set from outside with', ({ create }) => proves('fastify', create));

describe('roles set from outside on express', () => proves('express', memory.create));

it.each([{ roles: 'admin' }, { roles: [7] }, { roles: null }])(
  'refuses $roles for roles',
  async ({ roles }) => {
    const app = await startApp({ platform: 'express' });
    await expect(app.get(SessionRegistry).setRoles(ADA, roles as never)).rejects.toMatchObject({
      code: 'PRINCIPAL_INVALID',
    });
    await closeApps();
  },
);
