import { Injectable } from '@nestjs/common';
import {
  MemorySessionStore,
  SessionError,
  SessionEvents,
  SessionModule,
  SessionRegistry,
  SessionService,
  sessionRegistryToken,
  sessionServiceToken,
  type SessionEvent,
} from 'nestjs-tessera';
import { SealedSessions } from 'nestjs-tessera/sealed';
import { KEY } from '../sealed/sealed';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { scripted, type Scripted } from '../support/scripted';
import '../support/session-data';
import { visitor, type Visitor } from '../support/visitor';
import { door, WatchedStore } from '../support/watched-store';

const ADA = { id: 7 };

const idOf = async (who: Visitor): Promise<string> => (await who.token())!.slice(0, 22);

/** A provider that no request has made, such as a job. */
@Injectable()
class NightlyJob {
  constructor(readonly registry: SessionRegistry) {}
}

describe.each(platforms)('the registry in a request on %s', (platform) => {
  let store: WatchedStore;
  let session: Scripted;
  let app: App;
  let registry: SessionRegistry;
  let events: SessionEvent[];
  let ada: Visitor;

  beforeEach(async () => {
    store = new WatchedStore(new MemorySessionStore());
    session = scripted();
    app = await startApp({
      platform,
      options: { store },
      controllers: [session.controller],
      providers: [NightlyJob],
    });
    registry = app.get(SessionRegistry);
    events = [];
    app.get(SessionEvents).subscribe((event) => events.push(event));
    ada = await visitor(app);
    await session.run(ada, (s) => (s.set('visits', 1), s.login(ADA_AS_READER)));
    store.take();
    events.length = 0;
  });
  afterEach(closeApps);

  const ADA_AS_READER = { ...ADA, roles: ['reader'] };

  it('L10: ends the current session, drops what the request changes afterwards, and leaves its cookie alone', async () => {
    const id = await idOf(ada);
    const answer = await session.run(ada, async (s) => {
      s.set('visits', 2);
      const isEnded = await registry.end(s.id, { principal: s.principal!, reason: 'goodbye' });
      s.set('visits', 3);
      return { isEnded, found: await registry.get(s.id) };
    });
    const after = await session.ask(ada, (s) => [s.endedBecause, s.get('visits') ?? null]);
    expect({ status: answer.status, cookies: answer.cookies, ...answer.json<object>(), after }).toEqual({
      ...{ status: 201, cookies: [], result: { isEnded: true, found: null } },
      after: ['goodbye', null],
    });
    expect(events).toMatchObject([
      { type: 'destroyed', id, reason: 'goodbye' },
      { type: 'rejected', id, reason: 'superseded' },
      { type: 'rejected', id, reason: 'revoked' },
    ]);
  });

  it('begins a session of its own for a login after the current one was ended', async () => {
    const before = await idOf(ada);
    await session.run(ada, async (s) => {
      await registry.end(s.id);
      s.login({ id: 7, roles: ['editor'] });
    });
    const after = await session.ask(ada, (s) => [s.principal?.roles, s.get('visits') ?? null]);
    expect({ after, isSame: (await idOf(ada)) === before, count: await registry.count(ADA) }).toEqual({
      ...{ after: [['editor'], null], isSame: false, count: 1 },
    });
  });

  it('T4: asks no store for an id that has not the form of one', async () => {
    const ids = [
      '',
      'A',
      'A'.repeat(23),
      '../../etc/passwd',
      '*',
      'A'.repeat(21) + '\0',
      'A'.repeat(10_000),
      7,
    ];
    const answers = await Promise.all(
      [...ids, undefined, null, {}].map(async (id) => [
        await registry.get(id as string),
        await registry.end(id as string),
      ]),
    );
    expect({ answers, calls: store.take() }).toEqual({ answers: Array(11).fill([null, false]), calls: [] });
  });

  it.each([{ principal: undefined }, { principal: null }, { principal: {} }, { principal: { id: '' } }])(
    'L11: takes no missing principal for any: $principal',
    async (options) => {
      const id = await idOf(ada);
      const refusal = { code: 'PRINCIPAL_INVALID' };
      await expect(registry.end(id, options as never)).rejects.toMatchObject(refusal);
      await expect(registry.list(options.principal as never)).rejects.toMatchObject(refusal);
      expect({ calls: store.take(), found: (await registry.get(id))?.id }).toEqual({ calls: [], found: id });
    },
  );

  it.each([{ reason: '' }, { reason: 'x'.repeat(101) }, { reason: 7 }])(
    'ends nothing for the reason $reason',
    async ({ reason }) => {
      const end = registry.end(await idOf(ada), { reason: reason as string });
      await expect(end).rejects.toMatchObject({ code: 'SESSION_OPTIONS_INVALID' });
      expect(await registry.count(ADA)).toBe(1);
    },
  );

  it('lists without the login that is not committed yet, and with it afterwards', async () => {
    const bob = await visitor(app);
    const counts = await session.ask(bob, async (s) => {
      s.login(ADA);
      const before = await registry.count(ADA);
      await app.get(SessionService).commit();
      const current = (await registry.list(ADA)).filter(({ isCurrent }) => isCurrent);
      return [before, await registry.count(ADA), current.map(({ id }) => id)];
    });
    expect(counts).toEqual([1, 2, [await idOf(bob)]]);
  });

  it('needs a login to end the others', async () => {
    const errors: unknown[] = [];
    const attempt = (who: Visitor, prepare?: Parameters<Scripted['run']>[1]) =>
      session.run(who, async (s) => {
        await prepare?.(s);
        await registry.endOthers().catch((error: SessionError) => errors.push(error.code));
      });
    await attempt(await visitor(app));
    await attempt(await visitor(app), (s) => s.login(ADA, { pending: true }));
    await attempt(ada, (s) => s.logout());
    await registry.endOthers().catch((error: SessionError) => errors.push(error.code));
    expect(errors).toEqual([...Array(3).fill('SESSION_NOT_LOGGED_IN'), 'SESSION_REQUEST_MISSING']);
  });

  it('W12: keeps the cart of the request that ends all others', async () => {
    const phone = await visitor(app);
    await session.run(phone, (s) => s.login(ADA));
    await session.run(ada, async (s) => {
      s.set('cart', ['pear']);
      await registry.endAll(ADA, { except: 'current', reason: 'new password' });
      s.update('cart', (cart = []) => [...cart, 'fig']);
    });
    expect({
      cart: await session.ask(ada, (s) => s.get('cart')),
      phone: await session.ask(phone, (s) => s.endedBecause),
    }).toEqual({ cart: ['pear', 'fig'], phone: 'new password' });
  });

  it('works in a provider without a request', async () => {
    const { registry: injected } = app.get(NightlyJob);
    const [info] = await injected.list(ADA);
    expect({
      isSame: injected === registry && registry === app.get(SessionService).registry,
      info: { id: info?.id, isCurrent: info?.isCurrent },
      roles: await injected.setRoles(ADA, ['editor']),
      ended: await injected.end(info!.id, { principal: ADA }),
      count: await injected.count(ADA),
    }).toEqual({
      ...{ isSame: true, info: { id: await idOf(ada), isCurrent: false }, roles: 1, ended: true, count: 0 },
    });
  });

  it('asks the store as often as the guide says, for three sessions', async () => {
    for (const who of [await visitor(app), await visitor(app)]) await session.run(who, (s) => s.login(ADA));
    const callsOf = async (run: () => Promise<unknown>): Promise<string> => {
      store.take();
      await run();
      return store.take().toSorted().join(' ');
    };
    expect({
      list: await callsOf(() => registry.list(ADA)),
      count: await callsOf(() => registry.count(ADA)),
      get: await callsOf(async () => registry.get(await idOf(ada))),
      setRoles: await callsOf(() => registry.setRoles(ADA, [])),
      end: await callsOf(async () => registry.end(await idOf(ada))),
      endAll: await callsOf(() => registry.endAll(ADA)),
    }).toEqual({
      list: 'findByPrincipal',
      count: 'findByPrincipal',
      get: 'find',
      setRoles: 'find findByPrincipal findByPrincipal insert update update update',
      end: 'find update',
      // Two are left, and one update is that of the note.
      endAll: 'deleteByPrincipal find findByPrincipal findByPrincipal update update update',
    });
  });

  it('F1: answers 503 when the store fails, with the code for filters and none of its words', async () => {
    const id = await idOf(ada);
    const calls: Record<string, () => Promise<unknown>> = {
      list: () => registry.list(ADA),
      get: () => registry.get(id),
      end: () => registry.end(id),
      endOthers: () => registry.endOthers(),
      endAll: () => registry.endAll(ADA),
      count: () => registry.count(ADA),
      setRoles: () => registry.setRoles(ADA, []),
    };
    const answers: Record<string, unknown> = {};
    for (const [name, run] of Object.entries(calls)) {
      const answer = await session.run(ada, async () => {
        store.before = () => Promise.reject(new Error('password=hunter2'));
        try {
          return await run();
        } finally {
          store.before = () => {};
        }
      });
      answers[name] = { status: answer.status, body: answer.json() };
    }
    const body = { statusCode: 503, code: 'SESSION_STORE_UNAVAILABLE', message: 'Service Unavailable' };
    const expected = Object.keys(calls).map((name) => [name, { status: 503, body }]);
    expect(answers).toEqual(Object.fromEntries(expected));
    store.before = () => Promise.reject(new Error('down'));
    await expect(registry.list(ADA)).rejects.toMatchObject({ name: 'SessionStoreError' });
    store.before = () => {};
  });

  it('R8: lets exactly one of several calls end a session', async () => {
    const id = await idOf(ada);
    const { opened, open } = door();
    let waiting = 0;
    store.after = (operation) => {
      if (operation !== 'find') return;
      if (++waiting === 5) open();
      return opened;
    };
    const ended = await Promise.all(Array.from({ length: 5 }, () => registry.end(id, { principal: ADA })));
    store.after = () => {};
    expect({
      ended: ended.filter(Boolean).length,
      told: events.filter(({ type }) => type === 'destroyed').length,
    }).toEqual({ ended: 1, told: 1 });
  });
});

describe('the registry of a named instance', () => {
  afterEach(closeApps);

  it('knows the sessions of that instance only', async () => {
    const [session, admin] = [scripted(), scripted('admin')];
    const app = await startApp({
      platform: 'express',
      imports: [SessionModule.forRoot({ name: 'admin', store: new MemorySessionStore() })],
      controllers: [session.controller, admin.controller],
    });
    const who = await visitor(app);
    await session.run(who, (s) => s.login(ADA));
    await admin.run(who, (s) => s.login({ id: 1 }));
    const registry = app.get<SessionRegistry>(sessionRegistryToken('admin'));
    const counts = [await registry.count(ADA), await registry.count({ id: 1 })];
    const current = await admin.ask(who, async () => (await registry.list({ id: 1 }))[0]?.isCurrent);
    expect({
      counts,
      current,
      isSame: registry === app.get<SessionService>(sessionServiceToken('admin')).registry,
      isOther: registry !== app.get(SessionRegistry),
    }).toEqual({ counts: [0, 1], current: true, isSame: true, isOther: true });
  });
});

/** The five calls of a store alone. */
class PlainStore extends WatchedStore {
  override readonly findByPrincipal = undefined as never;
  override readonly deleteByPrincipal = undefined as never;
  override readonly records = undefined as never;
}

const walk = async (registry: SessionRegistry): Promise<void> => {
  for await (const _ of registry.all());
};

describe.each([
  {
    what: 'a store without the capability',
    store: () => new PlainStore(new MemorySessionStore()),
    names: 'PlainStore',
  },
  {
    what: 'sealed sessions',
    store: () => new SealedSessions({ keys: [KEY], revocations: new MemorySessionStore() }),
    names: 'Sealed sessions',
  },
])('the registry over $what', ({ store, names }) => {
  afterEach(closeApps);

  it.each<{ call: string; run: (registry: SessionRegistry) => Promise<unknown> }>([
    { call: 'list', run: (registry) => registry.list(ADA) },
    { call: 'count of a principal', run: (registry) => registry.count(ADA) },
    { call: 'count', run: (registry) => registry.count() },
    { call: 'setRoles', run: (registry) => registry.setRoles(ADA, []) },
    { call: 'all', run: walk },
  ])('names stores that can, at $call', async ({ run }) => {
    const session = scripted();
    const app = await startApp({
      ...{ platform: 'fastify', options: { store: store() }, controllers: [session.controller] },
    });
    const refusal = {
      code: 'SESSION_OPTIONS_INVALID',
      message: expect.stringMatching(`${names}.*memory, SQL, Redis, files, or tiers of these`),
    };
    await expect(run(app.get(SessionRegistry))).rejects.toMatchObject(refusal);
    const inRequest = await session.ask(await visitor(app), () =>
      run(app.get(SessionRegistry)).catch(({ code }: SessionError) => code),
    );
    expect(inRequest).toBe('SESSION_OPTIONS_INVALID');
  });
});

it('needs no more than the five calls of a store to find and to end a session by its id', async () => {
  const session = scripted();
  const app = await startApp({
    ...{
      platform: 'fastify',
      options: { store: new PlainStore(new MemorySessionStore()) },
      controllers: [session.controller],
    },
  });
  const registry = app.get(SessionRegistry);
  const ada = await visitor(app);
  await session.run(ada, (s) => s.login(ADA));
  const id = await idOf(ada);
  expect({
    found: (await registry.get(id))?.principal?.id,
    foreign: await registry.end(id, { principal: { id: 8 } }),
    ended: await registry.end(id, { principal: ADA }),
    why: await session.ask(ada, (s) => s.endedBecause),
  }).toEqual({ found: '7', foreign: false, ended: true, why: 'revoked' });
  await closeApps();
});

it.each([
  { call: 'get', run: (registry: SessionRegistry) => registry.get('A'.repeat(22)) },
  { call: 'end', run: (registry: SessionRegistry) => registry.end('A'.repeat(22)) },
])('says that sealed sessions have no $call by id, and what ends them', async ({ run }) => {
  const store = new SealedSessions({ keys: [KEY], revocations: new MemorySessionStore() });
  const app = await startApp({ platform: 'express', options: { store } });
  await expect(run(app.get(SessionRegistry))).rejects.toMatchObject({
    code: 'SESSION_OPTIONS_INVALID',
    message: expect.stringContaining('SealedSessions.revoke()'),
  });
  await closeApps();
});
