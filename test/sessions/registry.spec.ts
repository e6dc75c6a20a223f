import { inspect } from 'node:util';
import {
  SessionEvents,
  SessionRegistry,
  type SessionEvent,
  type SessionInfo,
  type SessionModuleOptions,
  type SessionRecord,
} from 'nestjs-tessera';
import { manualClock, type ManualClock } from 'nestjs-tessera/testing';
import { closeApps, startApp, type Platform } from '../support/app';
import { HOUR, MINUTE } from '../support/core';
import { scripted, type Scripted } from '../support/scripted';
import '../support/session-data';
import { describeStores, memory, type StoreUnderTest } from '../support/stores';
import { visitor, type Visitor } from '../support/visitor';

const ADA = { id: 7 };
const BOB = { id: 8 };
const call = { signal: new AbortController().signal };

/** An application with three visitors who are not logged in yet. */
interface Scene {
  readonly under: StoreUnderTest;
  readonly clock: ManualClock;
  readonly session: Scripted;
  readonly registry: SessionRegistry;
  readonly events: SessionEvent[];
  readonly laptop: Visitor;
  readonly phone: Visitor;
  readonly other: Visitor;
}

async function scene(
  platform: Platform,
  create: () => Promise<StoreUnderTest>,
  options: SessionModuleOptions = {},
): Promise<Scene> {
  const under = await create();
  const clock = manualClock();
  const session = scripted();
  const app = await startApp({
    platform,
    options: { store: under.store, clock, ...options },
    controllers: [session.controller],
  });
  const events: SessionEvent[] = [];
  app.get(SessionEvents).subscribe((event) => events.push(event));
  const [laptop, phone, other] = [await visitor(app), await visitor(app), await visitor(app)];
  const registry = app.get(SessionRegistry);
  return { under, clock, session, registry, events, laptop, phone, other };
}

const idOf = async (who: Visitor): Promise<string> => (await who.token())!.slice(0, 22);
const idsOf = (infos: readonly SessionInfo[]): string[] => infos.map(({ id }) => id);
const endOf = ({ principal, endedBecause }: { principal: unknown; endedBecause: string | null }) => ({
  principal: (principal as { id: string } | null)?.id ?? null,
  endedBecause,
});

function proves(platform: Platform, create: () => Promise<StoreUnderTest>): void {
  let at: Scene;

  const start = async (options?: SessionModuleOptions): Promise<void> => {
    at = await scene(platform, create, options);
  };
  afterEach(async () => {
    await closeApps();
    await at.under.close();
  });

  it('L11: lists the sessions of a principal, the last used first, with the current one marked', async () => {
    await start();
    const { session, clock, registry, laptop, phone, other } = at;
    const start0 = clock();
    await session.run(laptop, (s) => (s.set('cart', ['pear']), s.login({ id: 7, roles: ['editor'] })));
    clock.advance(MINUTE);
    await session.run(phone, (s) => s.login(ADA, { rememberMe: true, amr: ['pwd'], level: 2 }));
    await session.run(other, (s) => s.login(BOB));
    clock.advance(10 * MINUTE);
    const infos: SessionInfo[] = [];
    await session.run(laptop, async (s) => {
      s.set('visits', 1);
      infos.push(...(await registry.list(ADA)));
    });
    const shown = infos.map(({ data: _, ...info }) => info);
    expect(shown).toEqual([
      {
        ...{ id: await idOf(phone), isCurrent: false, isPending: false, isLocked: false, actor: null },
        principal: { id: '7', realm: 'default', roles: [] },
        ...{ createdAt: start0 + MINUTE, lastSeenAt: start0 + MINUTE, authenticatedAt: start0 + MINUTE },
        ...{ amr: ['pwd'], level: 2, remembered: true, device: null },
        expiresAt: start0 + MINUTE + 30 * 24 * HOUR,
      },
      {
        ...{ id: await idOf(laptop), isCurrent: true, isPending: false, isLocked: false, actor: null },
        principal: { id: '7', realm: 'default', roles: ['editor'] },
        ...{ createdAt: start0, lastSeenAt: start0, authenticatedAt: start0 },
        ...{ amr: [], level: 1, remembered: false, device: null },
        expiresAt: start0 + 30 * MINUTE,
      },
    ]);
    // The request of the list was a use, which its commit has written.
    expect(idsOf(await registry.list(ADA))).toEqual([await idOf(laptop), await idOf(phone)]);
    expect((await registry.list(ADA))[0]).toMatchObject({ isCurrent: false, lastSeenAt: clock() });
    expect(infos[1]!.data('cart')).toEqual(['pear']);
    expect(infos[0]!.data('cart')).toBeUndefined();
  });

  it('L11, T3: shows no token and no hash of one, in whatever form it is looked at', async () => {
    await start();
    const { session, registry, under, laptop } = at;
    await session.run(laptop, (s) => s.login(ADA));
    await session.run(laptop, (s) => s.elevate());
    const token = (await laptop.token())!;
    const infos = [...(await registry.list(ADA)), (await registry.get(token.slice(0, 22)))!];
    infos[0]!.data('cart');
    const { secretHash } = (await under.store.find(infos[0]!.id, call)) as SessionRecord;
    const text = [
      JSON.stringify(infos),
      inspect(infos, { depth: null, showHidden: true, getters: true }),
      String(infos[0]!.data),
      infos.map(String).join(),
    ].join('\n');
    const secrets = [token, token.slice(23), secretHash, secretHash.slice(0, 22)];
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
  });

  it('L11, L14: leaves out a pending login until its second factor', async () => {
    await start();
    const { session, registry, laptop } = at;
    await session.run(laptop, (s) => s.login(ADA, { pending: true }));
    const before = { list: await registry.list(ADA), count: await registry.count(ADA) };
    const pending = await registry.get(await idOf(laptop));
    await session.run(laptop, (s) => s.elevate());
    expect({ ...before, isPending: pending?.isPending, after: await registry.count(ADA) }).toEqual({
      ...{ list: [], count: 0, isPending: true, after: 1 },
    });
  });

  it('L11: marks a locked login, and leaves out an expired one', async () => {
    await start({ onIdle: 'lock', lifetime: '2h' });
    const { session, registry, clock, laptop, phone } = at;
    await session.run(laptop, (s) => s.login(ADA));
    clock.advance(HOUR);
    await session.run(phone, (s) => s.login(ADA));
    expect((await registry.list(ADA)).map(({ isLocked }) => isLocked)).toEqual([false, true]);
    clock.advance(HOUR);
    expect(idsOf(await registry.list(ADA))).toEqual([await idOf(phone)]);
    expect({ gone: await registry.get(await idOf(laptop)), count: await registry.count(ADA) }).toEqual({
      gone: null,
      count: 1,
    });
  });

  it('D4: lists the others when one session is corrupt, and shows the rest of one whose data is', async () => {
    await start();
    const { session, registry, under, laptop, phone, other } = at;
    for (const who of [laptop, phone, other]) await session.run(who, (s) => s.login(ADA));
    const damage = async (who: Visitor, damaged: (body: string) => string): Promise<void> => {
      const record = (await under.store.find((await idOf(who)) as never, call))!;
      const body = damaged(record.body);
      await under.store.update({ ...record, version: record.version + 1, body }, record.version, call);
    };
    await damage(laptop, () => 'rubbish');
    await damage(phone, (body) => `${body.slice(0, body.lastIndexOf('\n') + 1)}rubbish`);
    const infos = await registry.list(ADA);
    expect(idsOf(infos).sort()).toEqual([await idOf(phone), await idOf(other)].sort());
    expect(await registry.get(await idOf(laptop))).toBeNull();
    const phones = (await registry.get(await idOf(phone)))!;
    expect(() => phones.data('cart')).toThrow(expect.objectContaining({ code: 'SESSION_RECORD_UNREADABLE' }));
    const seen: string[] = [];
    for await (const each of registry.all()) seen.push(each.id);
    expect({ seen, count: await registry.count() }).toEqual({ seen: [await idOf(other)], count: 2 });
    // Nobody keeps a role because the rest of a session cannot be read.
    await registry.setRoles(ADA, ['reader']);
    expect((await registry.get(await idOf(phone)))!.principal!.roles).toEqual(['reader']);
  });

  it('L10, L11: ends a session of its owner, who is told why, and none of another principal', async () => {
    await start();
    const { session, registry, events, laptop, phone, other } = at;
    await session.run(laptop, (s) => s.login(ADA));
    await session.run(phone, (s) => s.login(ADA));
    await session.run(other, (s) => s.login(BOB));
    events.length = 0;
    const [mine, foreign] = [await idOf(phone), await idOf(other)];
    const answers = await session.ask(laptop, async (s) => ({
      foreign: await registry.end(foreign, { principal: s.principal! }),
      sameIdOfAnotherRealm: await registry.end(mine, { principal: { id: 7, realm: 'staff' } }),
      unknown: await registry.end('A'.repeat(22), { principal: s.principal! }),
      mine: await registry.end(mine, { principal: s.principal!, reason: 'lost phone' }),
      again: await registry.end(mine, { principal: s.principal! }),
    }));
    expect(answers).toEqual({
      ...{ foreign: false, sameIdOfAnotherRealm: false, unknown: false, mine: true, again: false },
    });
    expect(events).toMatchObject([
      { type: 'destroyed', id: mine, principal: 'default:7', reason: 'lost phone' },
    ]);
    expect({
      laptop: await session.ask(laptop, endOf),
      phone: await session.ask(phone, endOf),
      other: await session.ask(other, endOf),
    }).toEqual({
      laptop: { principal: '7', endedBecause: null },
      phone: { principal: null, endedBecause: 'lost phone' },
      other: { principal: '8', endedBecause: null },
    });
  });

  it('R3: ends a session although its visitor keeps writing to it', async () => {
    await start();
    const { session, registry, laptop } = at;
    await session.run(laptop, (s) => s.login(ADA));
    const id = await idOf(laptop);
    const writes = Array.from({ length: 20 }, () =>
      session.run(laptop, (s) => s.update('visits', (n = 0) => n + 1)),
    );
    expect(await registry.end(id)).toBe(true);
    await Promise.all(writes);
    // A write that came later has begun a session without a login.
    expect({
      principal: await session.ask(laptop, (s) => s.principal),
      ended: await registry.get(id),
      count: await registry.count(ADA),
    }).toEqual({ principal: null, ended: null, count: 0 });
  });

  it('W12: ends all other sessions of the principal and keeps the cart of this one', async () => {
    await start();
    const { session, registry, events, laptop, phone, other } = at;
    await session.run(laptop, (s) => (s.set('cart', ['pear']), s.login(ADA)));
    await session.run(phone, (s) => s.login(ADA));
    await session.run(other, (s) => s.login(BOB));
    events.length = 0;
    const before = await laptop.token();
    await session.run(laptop, async (s) => {
      s.update('cart', (cart = []) => [...cart, 'fig']);
      await registry.endOthers({ reason: 'everywhere else' });
    });
    expect({
      cart: await session.ask(laptop, (s) => s.get('cart')),
      isRenewed: (await laptop.token()) !== before,
      phone: await session.ask(phone, endOf),
      other: await session.ask(other, endOf),
      events: events
        .filter(({ type }) => type === 'destroyed')
        .map(({ principal, reason }) => ({ principal, reason })),
    }).toEqual({
      cart: ['pear', 'fig'],
      isRenewed: true,
      phone: { principal: null, endedBecause: 'everywhere else' },
      other: { principal: '8', endedBecause: null },
      events: [{ principal: 'default:7', reason: 'everywhere else' }],
    });
  });

  it('L13: ends the other sessions of the real principal while it acts as another', async () => {
    await start();
    const { session, registry, laptop, phone, other } = at;
    await session.run(laptop, (s) => s.login(ADA));
    await session.run(phone, (s) => s.login(ADA));
    await session.run(other, (s) => s.login(BOB));
    await session.run(laptop, (s) => s.actAs(BOB));
    expect(await registry.list(ADA)).toContainEqual(
      expect.objectContaining({
        id: await idOf(laptop),
        principal: expect.objectContaining({ id: '8' }),
        actor: expect.objectContaining({ id: '7' }),
      }),
    );
    expect(idsOf(await registry.list(BOB))).toEqual([await idOf(other)]);
    await session.run(laptop, () => registry.endOthers());
    expect({
      laptop: await session.ask(laptop, (s) => [s.principal?.id, s.actor?.id]),
      phone: await session.ask(phone, endOf),
      other: await session.ask(other, endOf),
    }).toEqual({
      laptop: ['8', '7'],
      phone: { principal: null, endedBecause: 'revoked' },
      other: { principal: '8', endedBecause: null },
    });
  });

  it('L10: ends all sessions of a principal with a reason, also outside a request', async () => {
    await start();
    const { session, registry, laptop, phone, other } = at;
    await session.run(laptop, (s) => s.login(ADA));
    await session.run(phone, (s) => s.login(ADA));
    await session.run(other, (s) => s.set('cart', ['pear']));
    expect({ ada: await registry.count(ADA), all: await registry.count() }).toEqual({ ada: 2, all: 3 });
    await registry.endAll(ADA, { reason: 'new password' });
    // What tells the reason is no session.
    expect({ ada: await registry.count(ADA), all: await registry.count() }).toEqual({ ada: 0, all: 1 });
    expect({
      laptop: await session.ask(laptop, endOf),
      phone: await session.ask(phone, endOf),
      cart: await session.ask(other, (s) => s.get('cart')),
    }).toEqual({
      laptop: { principal: null, endedBecause: 'new password' },
      phone: { principal: null, endedBecause: 'new password' },
      cart: ['pear'],
    });
  });

  it('E6: sweeps what has expired and nothing else', async () => {
    await start({ sweepEvery: false });
    const { session, registry, clock, under, laptop, phone } = at;
    await session.run(laptop, (s) => s.login(ADA));
    clock.advance(HOUR);
    await session.run(phone, (s) => s.login(ADA));
    const gone = await idOf(laptop);
    const swept = await registry.sweep();
    const isLeft = (await under.store.find(gone as never, call)) !== null;
    // Redis removes it at its own time, and finds nothing to sweep.
    expect([
      { swept: 1, isLeft: false },
      { swept: 0, isLeft: true },
    ]).toContainEqual({ swept, isLeft });
    expect(idsOf(await registry.list(ADA))).toEqual([await idOf(phone)]);
  });
}

describeStores('the registry of sessions with', ({ create }) => proves('fastify', create));

describe('the registry of sessions on express', () => proves('express', memory.create));
