import { HttpException } from '@nestjs/common';
import { MemorySessionStore, SessionRegistry, type Session } from 'nestjs-tessera';
import { manualClock, type ManualClock } from 'nestjs-tessera/testing';
import { closeApps, startApp, type App, type Platform } from '../support/app';
import { HOUR } from '../support/core';
import { scripted, type Scripted } from '../support/scripted';
import '../support/session-data';
import { describeStores, memory, type StoreUnderTest } from '../support/stores';
import { visitor, type Visitor } from '../support/visitor';
import { door } from '../support/watched-store';

const ADA = { id: 7 };

const idOf = async (who: Visitor): Promise<string> => (await who.token())!.slice(0, 22);

function proves(platform: Platform, create: () => Promise<StoreUnderTest>): void {
  let under: StoreUnderTest;
  let clock: ManualClock;
  let session: Scripted;
  let app: App;
  let registry: SessionRegistry;
  let visitors: Visitor[];

  beforeEach(async () => {
    under = await create();
    clock = manualClock();
    session = scripted();
    app = await startApp({
      platform,
      options: { store: under.store, clock, onIdle: 'lock' },
      controllers: [session.controller],
    });
    registry = app.get(SessionRegistry);
    visitors = [await visitor(app), await visitor(app), await visitor(app)];
    for (const who of visitors) await session.run(who, (s) => s.set('visits', 1));
  });
  afterEach(async () => {
    await closeApps();
    await under.close();
  });

  /** Does this to each session, in a loop. */
  const walk = async (work: (each: Session) => unknown): Promise<void> => {
    for await (const each of registry.all()) await work(each);
  };
  const all = (work: (s: Session) => unknown) => Promise.all(visitors.map((who) => session.ask(who, work)));

  it('reads and changes every session, also in place, and is no use of one', async () => {
    clock.advance(60_000);
    const before = await registry.get(await idOf(visitors[0]!));
    const seen: string[] = [];
    await walk((each) => {
      seen.push(each.id);
      each.set('cart', ['pear']);
    });
    await walk((each) => each.get('cart')!.push('fig'));
    const after = await registry.get(await idOf(visitors[0]!));
    expect({
      seen: seen.toSorted(),
      carts: await all((s) => s.get('cart')),
      times: [after?.lastSeenAt, after?.expiresAt],
    }).toEqual({
      seen: (await Promise.all(visitors.map(idOf))).toSorted(),
      carts: Array(3).fill(['pear', 'fig']),
      times: [before!.lastSeenAt, before!.expiresAt],
    });
  });

  it('writes nothing for a session that it only reads', async () => {
    const versions = async () =>
      Promise.all(
        visitors.map(async (who) => {
          const call = { signal: new AbortController().signal };
          return (await under.store.find((await idOf(who)) as never, call))!.version;
        }),
      );
    const before = await versions();
    await walk((each) => each.get('visits'));
    expect(await versions()).toEqual(before);
  });

  it('R6: loses neither its own change nor that of a request meanwhile', async () => {
    await walk(async (each) => {
      each.update('visits', (visits = 0) => visits + 10);
      await all((s) => s.update('visits', (visits = 0) => visits + 1));
    });
    expect(await all((s) => s.get('visits'))).toEqual([14, 14, 14]);
  });

  it('R7: revives no session that ends meanwhile', async () => {
    await walk(async (each) => {
      each.set('theme', 'dark');
      await registry.end(each.id);
    });
    expect({ found: await registry.count(), data: await all((s) => s.keys()) }).toEqual({
      found: 0,
      data: [[], [], []],
    });
  });

  it('R3: ends sessions, whose slow requests do not bring them back', async () => {
    const [begun, ended] = [door(), door()];
    const slow = session.run(visitors[0]!, async (s) => {
      begun.open();
      await ended.opened;
      s.set('theme', 'dark');
    });
    await begun.opened;
    await walk((each) => each.destroy());
    ended.open();
    const { status, cookies } = await slow;
    expect({ status, cookies, found: await registry.count(), why: await all((s) => s.endedBecause) }).toEqual(
      {
        ...{ status: 201, cookies: [], found: 0 },
        why: ['revoked', 'revoked', 'revoked'],
      },
    );
  });

  it('shows a session again that has logged in since it was shown, and drops what was meant for the visitor', async () => {
    const [one, two] = [visitors[0]!, visitors[1]!];
    const [first, second] = [await idOf(one), await idOf(two)];
    const shown: string[] = [];
    await walk(async (each) => {
      const who = each.principal?.id ?? 'visitor';
      if (each.id === first) {
        shown.push(`first: ${who}`);
        each.set('value', who);
        if (each.principal === null) await session.run(one, (s) => s.login(ADA));
      }
      if (each.id === second) {
        shown.push(`second: ${who}`);
        if (each.principal !== null) return;
        each.destroy();
        await session.run(two, (s) => s.login(ADA));
      }
    });
    expect({
      shown: shown.toSorted(),
      first: await session.ask(one, (s) => [s.principal?.id, s.get('value')]),
      second: await session.ask(two, (s) => s.principal?.id),
    }).toEqual({
      shown: ['first: 7', 'first: visitor', 'second: 7', 'second: visitor'],
      first: ['7', '7'],
      second: '7',
    });
  });

  it('commits what it did last when the loop is left, by break or by an error', async () => {
    const changed: string[] = [];
    for await (const each of registry.all()) {
      each.set('theme', 'dark');
      changed.push(each.id);
      break;
    }
    const failing = walk((each) => {
      each.set('theme', 'light');
      changed.push(each.id);
      throw new Error('a fault of the loop');
    });
    await expect(failing).rejects.toThrow('a fault of the loop');
    const themes = new Map<string, unknown>();
    await walk((each) => themes.set(each.id, each.get('theme')));
    expect({ last: themes.get(changed[1]!), changed: [...themes.values()].filter(Boolean).length }).toEqual({
      last: 'light',
      changed: new Set(changed).size,
    });
  });

  it.each([
    { what: 'a login', work: (s: Session) => s.login(ADA) },
    { what: 'a new token', work: (s: Session) => s.renewToken() },
    { what: 'a change after a logout', work: (s: Session) => (s.logout(), s.set('visits', 2)) },
  ])('refuses $what, which needs a token that no client would learn', async ({ work }) => {
    await session.run(visitors[0]!, (s) => s.login({ id: 8 }));
    const before = await all((s) => [s.principal?.id ?? null, s.get('visits')]);
    await expect(walk(work)).rejects.toMatchObject({ code: 'SESSION_TOKEN_UNDELIVERABLE' });
    expect(await all((s) => [s.principal?.id ?? null, s.get('visits')])).toEqual(before);
  });

  it('H6: refuses a change after the loop has gone on', async () => {
    const seen: Session[] = [];
    await walk((each) => seen.push(each));
    expect(() => seen[0]!.set('visits', 2)).toThrow(
      expect.objectContaining({ code: 'SESSION_RESPONSE_STARTED' }),
    );
  });

  it('logs out, ends by a deadline, and shows a locked login as one', async () => {
    const [one, two, three] = visitors as [Visitor, Visitor, Visitor];
    for (const who of visitors) await session.run(who, (s) => s.login(ADA));
    const [first, second] = [await idOf(one), await idOf(two)];
    await walk((each) => {
      if (each.id === first) each.logout({ keepData: true });
      if (each.id === second) each.deadline = clock() - 1;
    });
    clock.advance(HOUR);
    const seen: unknown[] = [];
    await walk((each) => seen.push([each.id, each.principal, each.locked?.id]));
    expect({ seen, names: await all((s) => s.locked?.id ?? null) }).toEqual({
      seen: [[await idOf(three), null, '7']],
      names: [null, null, '7'],
    });
  });

  it('E4: sets an earlier deadline of locked logins, and no later one', async () => {
    for (const who of visitors) await session.run(who, (s) => s.login(ADA));
    clock.advance(HOUR);
    const soon = clock() + HOUR;
    await walk((each) => (each.deadline = soon));
    const later = walk((each) => (each.deadline = soon + 1));
    await expect(later).rejects.toMatchObject({ code: 'SESSION_NOT_LOGGED_IN' });
    const deadlines = await all((s) => [s.locked?.id, s.deadline]);
    clock.advance(HOUR);
    expect({ deadlines, left: await all((s) => s.locked) }).toEqual({
      deadlines: Array(3).fill(['7', soon]),
      left: [null, null, null],
    });
  });

  it('passes over what is no session: ended ones, and when a principal was revoked', async () => {
    await session.run(visitors[0]!, (s) => s.login(ADA));
    await session.run(visitors[1]!, (s) => s.login({ id: 8 }));
    await registry.endAll(ADA);
    await registry.end(await idOf(visitors[1]!));
    const seen: string[] = [];
    await walk((each) => seen.push(each.id));
    expect(seen).toEqual([await idOf(visitors[2]!)]);
  });

  it('changes a thousand sessions, page by page', async () => {
    const call = { signal: new AbortController().signal };
    const one = (await under.store.find((await idOf(visitors[0]!)) as never, call))!;
    const ids = Array.from({ length: 997 }, (_, n) => String(n).padStart(22, 'A'));
    for (let start = 0; start < ids.length; start += 50)
      await Promise.all(
        ids
          .slice(start, start + 50)
          .map((id) => under.store.insert({ ...one, id: id as never, version: 1 }, call)),
      );
    const seen = new Set<string>();
    await walk((each) => {
      seen.add(each.id);
      each.update('visits', (visits = 0) => visits + 1);
    });
    const visits = new Set<unknown>();
    await walk((each) => visits.add(each.get('visits')));
    expect({ seen: seen.size, visits: [...visits] }).toEqual({ seen: 1000, visits: [2] });
  });
}

describeStores('all sessions, one after the other, with', ({ create }) => proves('fastify', create));

describe('all sessions, one after the other, on express', () => proves('express', memory.create));

it('F1: fails in a request with a 503 when the store does, in the middle of it too', async () => {
  const store = new MemorySessionStore();
  const session = scripted();
  const app = await startApp({ platform: 'fastify', options: { store }, controllers: [session.controller] });
  const registry = app.get(SessionRegistry);
  const visitors = [await visitor(app), await visitor(app)];
  for (const who of visitors) await session.run(who, (s) => s.set('visits', 1));
  store.update = () => Promise.reject(new Error('down'));
  const walk = async (): Promise<void> => {
    for await (const each of registry.all()) each.set('visits', 2);
  };
  const caught: unknown[] = [];
  const { status } = await session.run(await visitor(app), () =>
    walk().catch((error: unknown) => {
      caught.push(error);
      throw error;
    }),
  );
  expect({ status, isHttp: caught[0] instanceof HttpException }).toEqual({ status: 503, isHttp: true });
  await expect(walk()).rejects.toMatchObject({
    code: 'SESSION_STORE_UNAVAILABLE',
    name: 'SessionStoreError',
  });
  await closeApps();
});
