import { MemorySessionStore, SessionError, type SessionRecord, type SessionStore } from 'nestjs-tessera';
import { TieredSessionStore, type TieredSessionStoreOptions } from 'nestjs-tessera/tiered';
import { aRecord, nextOf } from '../../lib/testing/store-suite/records';
import { TIER_STATE_ID } from '../../lib/stores/tiered/tier-state';
import { door } from '../support/watched-store';
import {
  LEASE,
  MAX_AGE,
  Tier,
  advance,
  call,
  isSettled,
  processes,
  startOver,
  stored,
  turns,
  useStandingTime,
  type Process,
} from './tiered-processes';

useStandingTime();

describe('a fast tier that is not what it should be', () => {
  it.each(['hang', 'fail'] as const)(
    'F1: that does %s costs the first read its timeout, and the others nothing',
    async (fault) => {
      const [one] = await processes(1);
      const record = await stored(one!);
      one!.fast[fault]();
      const reading = one!.store.find(record.id, call);
      await advance(250);
      expect(await reading).toEqual(record);
      one!.fast.take();
      for (let n = 0; n < 100; n++) expect(await one!.store.find(record.id, call)).toEqual(record);
      expect(one!.fast.take().length).toBeLessThanOrEqual(1);
    },
  );

  it('F1: is looked at by one read at a time, ever more seldom, until it is back', async () => {
    const [one] = await processes(1);
    const record = await stored(one!);
    one!.fast.fail();
    const looks: number[] = [];
    for (let second = 0; second < 60; second++) {
      for (let n = 0; n < 10; n++) await one!.store.find(record.id, call);
      looks.push(one!.fast.take().length);
      await advance(1000);
    }
    expect(looks.reduce((sum, n) => sum + n)).toBeLessThan(20);
    one!.fast.heal();
    await advance(12_500);
    await one!.store.find(record.id, call);
    await one!.store.find(record.id, call);
    one!.durable.take();
    await one!.store.find(record.id, call);
    expect(one!.durable.take()).toEqual([]);
  });

  it('F1: is looked at by one of many reads at once', async () => {
    const [one] = await processes(1);
    const record = await stored(one!);
    one!.fast.fail();
    await one!.store.find(record.id, call);
    await advance(400);
    one!.fast.hang();
    one!.fast.take();
    const reads = Array.from({ length: 10 }, () => one!.store.find(record.id, call));
    await turns();
    expect(one!.fast.take()).toEqual(['find']);
    await advance(250);
    await Promise.all(reads);
  });

  it('is not taken to fail because two fill it at once', async () => {
    const [one, two] = await processes(2);
    const record = await stored(one!);
    await one!.fast.forget();
    const held = door();
    one!.fast.before = (operation) => (operation === 'insert' ? held.opened : undefined);
    const reading = one!.store.find(record.id, call);
    await turns();
    await two!.store.find(record.id, call);
    held.open();
    await reading;
    one!.durable.take();
    await one!.store.find(record.id, call);
    expect(one!.durable.take()).toEqual([]);
  });

  it('F1: that forgets everything is filled again', async () => {
    const [one] = await processes(1);
    const record = await stored(one!);
    await one!.fast.forget();
    expect(await one!.store.update(nextOf(record), 1, call)).toBe(true);
    await one!.fast.forget();
    expect(await one!.store.find(record.id, call)).toEqual(nextOf(record));
    one!.durable.take();
    expect(await one!.store.find(record.id, call)).toEqual(nextOf(record));
    expect(one!.durable.take()).toEqual([]);
  });

  it('that has gone back in time is found out by the first write', async () => {
    const [one] = await processes(1);
    const record = await stored(one!);
    const before = await one!.fast.snapshot();
    await one!.store.update(nextOf(record), 1, call);
    await one!.fast.rollBackTo(before);
    expect(await one!.store.find(record.id, call)).toEqual(record);
    expect(await one!.store.update(nextOf(record, { body: '{"stale":1}' }), 1, call)).toBe(false);
    expect(await one!.store.find(record.id, call)).toEqual(nextOf(record));
  });

  it('that has gone back in time shows nothing that is older than maxAge', async () => {
    const [one] = await processes(1);
    const record = await stored(one!);
    const before = await one!.fast.snapshot();
    await one!.store.delete(record.id, call);
    await one!.fast.rollBackTo(before);
    await advance(MAX_AGE);
    expect(await one!.store.find(record.id, call)).toBeNull();
  });

  it('E5: a clock that steps back makes no copy last longer', async () => {
    let offset = 0;
    const [one] = await processes(1, { clock: () => Date.now() - offset });
    const record = await stored(one!);
    const before = await one!.fast.snapshot();
    await one!.store.delete(record.id, call);
    await one!.fast.rollBackTo(before);
    offset = 3_600_000;
    await advance(2 * MAX_AGE);
    expect(await one!.store.find(record.id, call)).toBeNull();
  });

  it('E1: a copy that says its session is dead is not believed: it may have been extended', async () => {
    const [one] = await processes(1);
    const record = await stored(one!, { expiresAt: Date.now() + 10_000 });
    const before = await one!.fast.snapshot();
    await one!.store.extend(record.id, 1, record.expiresAt + 60_000, call);
    await one!.fast.rollBackTo(before);
    await advance(10_000);
    expect(await one!.store.find(record.id, call)).toEqual({
      ...record,
      expiresAt: record.expiresAt + 60_000,
    });
  });

  it.each(['', 'x', '1,2', 'reader 12', 'writer x y', '{"n":1}', `NaN,NaN,,${aRecord().body}`])(
    'a copy that cannot be understood is replaced: %j',
    async (body) => {
      const [one] = await processes(1);
      const record = await stored(one!);
      await one!.fast.rollBackTo([{ ...record, body }]);
      expect(await one!.store.find(record.id, call)).toEqual(record);
      one!.durable.take();
      expect(await one!.store.find(record.id, call)).toEqual(record);
      expect(one!.durable.take()).toEqual([]);
    },
  );

  it('a reservation that was left behind keeps a session out of the fast tier for seconds, not for good', async () => {
    const [one, two] = await processes(2);
    const record = await stored(one!);
    await one!.fast.forget();
    one!.durable.hang();
    void one!.store.find(record.id, call);
    await turns();
    expect(await two!.store.find(record.id, call)).toEqual(record);
    await advance(5000);
    await two!.store.find(record.id, call);
    two!.durable.take();
    await two!.store.find(record.id, call);
    expect(two!.durable.take()).toEqual([]);
  });

  it('F1: is believed no longer than a lease when the durable tier cannot be asked', async () => {
    const [one] = await processes(1);
    const record = await stored(one!);
    one!.durable.fail();
    expect(await one!.store.find(record.id, call)).toEqual(record);
    await advance(LEASE);
    await expect(one!.store.find(record.id, call)).rejects.toThrow('connection refused');
  });
});

describe('a fast tier that is not shared', () => {
  const MEMORY = { shared: false };
  const overOneDatabase = async (count: number, options = {}): Promise<Process[]> => {
    const durable = new Tier();
    const started = [];
    for (let n = 0; n < count; n++)
      started.push(await startOver(new Tier(), durable.elsewhere(), { ...MEMORY, ...options }));
    return started;
  };

  it('R3: is used by one process at a time, and a destroy in another is seen there', async () => {
    const [one, two] = await overOneDatabase(2);
    const record = await stored(one!);
    expect(two!.fast.inner.size).toBe(0);
    expect(await two!.store.find(record.id, call)).toEqual(record);
    expect(two!.fast.take()).toEqual([]);
    const deleting = two!.store.delete(record.id, call);
    await advance(LEASE - 1);
    expect(await isSettled(deleting)).toBe(false);
    await advance(1);
    await deleting;
    expect(await one!.store.find(record.id, call)).toBeNull();
  });

  it('waits for nobody when there is one process', async () => {
    const [one] = await overOneDatabase(1);
    for (let n = 0; n < 20; n++) {
      const record = await stored(one!);
      await one!.store.update(nextOf(record), 1, call);
      await one!.store.extend(record.id, 2, record.expiresAt + 1, call);
      await one!.store.delete(record.id, call);
      await advance(MAX_AGE / 3);
    }
    const record = await stored(one!);
    await advance(3 * MAX_AGE);
    expect(await isSettled(one!.store.delete(record.id, call))).toBe(true);
  });

  it('R3: is reckoned with by processes that have another fast tier', async () => {
    const [one] = await overOneDatabase(1);
    const record = await stored(one!);
    const other = await startOver(new Tier(), one!.durable.elsewhere());
    const deleting = other.store.delete(record.id, call);
    expect(await isSettled(deleting)).toBe(false);
    await advance(LEASE);
    await deleting;
    expect(await one!.store.find(record.id, call)).toBeNull();
  });

  it('R3: is not believed for what it held before another process had its turn', async () => {
    const [one, two] = await overOneDatabase(2, { maxAge: 600_000 });
    await advance(290_000);
    const record = await stored(one!);
    await advance(325_000);
    await stored(two!);
    expect(two!.fast.inner.size).toBe(1);
    await two!.store.delete(record.id, call);
    await two!.store.close();
    expect(await one!.store.find(record.id, call)).toBeNull();
    expect(one!.fast.take()).not.toEqual([]);
  });

  it('is left to another process at the end', async () => {
    const [one] = await overOneDatabase(1);
    const record = await stored(one!);
    await one!.store.close();
    const next = await startOver(new Tier(), one!.durable.elsewhere(), MEMORY);
    await next.store.find(record.id, call);
    expect(next.fast.inner.size).toBe(1);
  });

  it('is what memory is, unless said otherwise', async () => {
    const durable = new Tier();
    const fast = new MemorySessionStore();
    const stores = [0, 1].map(() => new TieredSessionStore({ fast, durable: durable.elsewhere() }));
    for (const store of stores) await store.prepare();
    expect((await durable.inner.find(TIER_STATE_ID))?.body).toMatch(/^\d+ \S{22}$/);
  });
});

describe('the sessions of a principal', () => {
  it('L1: go with their copies, those that logged in while they were being removed too', async () => {
    const [one, two] = await processes(2);
    const ada = { principal: 'default:ada' };
    const [first, visitor] = [await stored(one!, ada), await stored(two!)];
    const held = door();
    one!.durable.after = (operation) => (operation === 'findByPrincipal' ? held.opened : undefined);
    const removing = one!.store.deleteByPrincipal!('default:ada', call);
    await turns();
    await two!.store.update(nextOf(visitor, ada), 1, call);
    expect(await two!.store.find(visitor.id, call)).not.toBeNull();
    held.open();
    await removing;
    const leftOf = async ({ id }: SessionRecord) => ({
      shown: await two!.store.find(id, call),
      kept: await two!.durable.inner.find(id),
    });
    expect(await leftOf(first)).toEqual({ shown: null, kept: null });
    expect(await leftOf(visitor)).toEqual({ shown: null, kept: null });
  });

  it('leave alone who is somebody else by then', async () => {
    const [one, two] = await processes(2);
    const record = await stored(one!, { principal: 'default:ada' });
    const bob = nextOf(record, { principal: 'default:bob' });
    const held = door();
    one!.durable.after = (operation) => (operation === 'findByPrincipal' ? held.opened : undefined);
    const removing = one!.store.deleteByPrincipal!('default:ada', call);
    await turns();
    await two!.store.update(bob, 1, call);
    held.open();
    expect(await removing).toBe(0);
    expect(await two!.store.find(record.id, call)).toEqual(bob);
  });
});

describe('a tiered store', () => {
  it('hides its tier state', async () => {
    const [one] = await processes(1);
    const record = await stored(one!);
    one!.fast.fail();
    const deleting = one!.store.delete(record.id, call);
    await advance(LEASE);
    await deleting;
    expect(await one!.durable.inner.find(TIER_STATE_ID)).not.toBeNull();
    expect(await one!.store.find(TIER_STATE_ID, call)).toBeNull();
    for await (const { id } of one!.store.records!(call)) throw new Error(`shows ${id}`);
    expect(await one!.store.sweep!(Date.now() + 1e12, 10, call)).toBe(0);
  });

  it('E6: sweeps copies that nobody asks for any more', async () => {
    const [one] = await processes(1);
    await stored(one!);
    await advance(MAX_AGE);
    expect(await one!.store.sweep!(Date.now(), 10, call)).toBe(0);
    expect({ copies: one!.fast.inner.size, sessions: one!.durable.inner.size }).toEqual({
      copies: 0,
      sessions: 1,
    });
  });

  it('has the capabilities of its durable store, and no others', () => {
    const durable = new MemorySessionStore();
    const bare: SessionStore = {
      find: (id) => durable.find(id),
      insert: (record) => durable.insert(record),
      update: (record, expected) => durable.update(record, expected),
      extend: (id, expected, expiresAt) => durable.extend(id, expected, expiresAt),
      delete: (id) => durable.delete(id),
    };
    const store = new TieredSessionStore({ fast: bare, durable: { ...bare } });
    const capabilities = ['findByPrincipal', 'deleteByPrincipal', 'records', 'sweep'] as const;
    expect(capabilities.filter((capability) => store[capability] !== undefined)).toEqual([]);
  });

  it('W40: gives both tiers the clock of the application', async () => {
    const given: unknown[] = [];
    const tier = () =>
      Object.assign(new Tier(), { prepare: async (context: unknown) => void given.push(context) });
    const context = { clock: () => 0, warn: () => {} };
    await new TieredSessionStore({ fast: tier(), durable: tier() }).prepare(context);
    expect(given).toEqual([context, context]);
  });

  const prepared = (store: Tier, refusal?: Error) =>
    Object.assign(store, { prepare: async () => (refusal ? Promise.reject(refusal) : undefined) });

  it('F1: starts while the fast tier cannot be reached', async () => {
    const unavailable = new SessionError('SESSION_STORE_UNAVAILABLE', 'refused');
    const fast = prepared(new Tier(), unavailable);
    const preparing = new TieredSessionStore({ fast, durable: new Tier() }).prepare();
    await expect(preparing).resolves.toBeUndefined();
  });

  it('F1: starts while the fast tier does not answer', async () => {
    const hanging = Object.assign(new Tier(), { prepare: () => new Promise<void>(() => {}) });
    const preparing = new TieredSessionStore({ fast: hanging, durable: new Tier() }).prepare();
    await advance(3000);
    expect(await isSettled(preparing)).toBe(true);
  });

  it('F7: does not start when either tier is not fit for sessions', async () => {
    const unfit = new SessionError('SESSION_SCHEMA_INVALID', 'no table');
    const code = { code: 'SESSION_SCHEMA_INVALID' };
    const [fast, durable] = [new Tier(), new Tier()];
    await expect(
      new TieredSessionStore({ fast: prepared(new Tier(), unfit), durable }).prepare(),
    ).rejects.toMatchObject(code);
    await expect(
      new TieredSessionStore({ fast, durable: prepared(new Tier(), unfit) }).prepare(),
    ).rejects.toMatchObject(code);
  });

  it('F6: closes both tiers', async () => {
    const [one] = await processes(1);
    await one!.store.close();
    expect({ fast: one!.fast.isClosed, durable: one!.durable.isClosed }).toEqual({
      fast: true,
      durable: true,
    });
  });

  const [fast, durable] = [new MemorySessionStore(), new MemorySessionStore()];
  const limited = Object.assign(new MemorySessionStore(), { limits: ['conditional-writes'] });
  const refused: [string, object, RegExp][] = [
    ['no fast tier', { durable }, /fast must be a SessionStore/],
    ['one store twice', { fast, durable: fast }, /same store/],
    ['a lease of 0', { fast, durable, lease: 0 }, /lease must be a whole number/],
    ['a lease beyond maxAge', { fast, durable, lease: 2000, maxAge: 1000 }, /longer than maxAge/],
    ['a negative skew', { fast, durable, clockSkew: -1 }, /clockSkew/],
    ['a duration in words', { fast, durable, maxAge: '1m' }, /maxAge/],
    ['an unknown option', { fast, durable, ttl: 1 }, /ttl is not an option/],
    ['a switch that is none', { fast, durable, writeBehind: 1 }, /writeBehind must be true or false/],
    ['a clock that is none', { fast, durable, clock: 1 }, /clock must be a function/],
    ['a lazy flush', { fast, durable, writeBehind: true, flushEvery: 20_000 }, /quarter of maxAge/],
    [
      'a shared fast tier without conditional writes',
      { fast: limited, durable, shared: true },
      /out of date/,
    ],
  ];
  it.each(refused)('refuses in words: %s', (_, options, message) => {
    const create = () => new TieredSessionStore(options as TieredSessionStoreOptions);
    expect(create).toThrow(
      expect.objectContaining({
        code: 'SESSION_OPTIONS_INVALID',
        message: expect.stringMatching(message) as string,
      }),
    );
  });

  it('states the limits of its durable store, and its own', () => {
    const limits = (options: object) => new TieredSessionStore({ fast, durable, ...options }).limits;
    expect(limits({})).toEqual([]);
    expect(limits({ durable: limited })).toEqual(['conditional-writes']);
    expect(limits({ writeBehind: true, shared: true })).toEqual([]);
    expect(limits({ writeBehind: true })).toEqual(['conditional-writes']);
  });

  const bodies = ['', '{}', '1,2,3,x', 'reader', '🦊'];
  const principals = [null, '', 'a:1', 'a:1,2', 'a:🦊', 'a:{"n":1}', 'reader', `a:${'x'.repeat(253)}`];
  it.each(principals.flatMap((principal) => bodies.map((body) => ({ principal, body }))))(
    'D1: keeps principal and body apart, whatever is in them: %j',
    async (given) => {
      const [one] = await processes(1);
      const record: SessionRecord = { ...aRecord(given), expiresAt: Date.now() + 1e6 };
      await one!.store.insert(record, call);
      one!.durable.take();
      expect(await one!.store.find(record.id, call)).toEqual(record);
      expect(one!.durable.take()).toEqual([]);
    },
  );
});
