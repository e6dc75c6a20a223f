import type { SessionRecord } from 'nestjs-tessera';
import { RedisSessionStore } from 'nestjs-tessera/redis';
import { describeSessionStore } from 'nestjs-tessera/testing';
import { TieredSessionStore, type TieredSessionStoreOptions } from 'nestjs-tessera/tiered';
import { CreateSessionTable, TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import { createClient } from 'redis';
import { DataSource } from 'typeorm';
import { newToken } from '../../lib/core/session-token';
import { aRecord, nextOf } from '../../lib/testing/store-suite/records';
import { describeLong, describeSome, often } from '../support/long';
import {
  describeWith,
  describeWithPrivate,
  startRedis,
  TcpProxy,
  type Server,
  type Service,
} from '../support/servers';
import { opened, type OpenClient } from './redis-clients';
import { application, openApplication } from './server-database';
import { call } from './tiered-processes';

/** A fast tier that does not answer in time may lose what is on its way to the durable one; here the machine alone is slow. */
const UNHURRIED = { lease: 2000, fastTimeout: 5000 };

const connect = (url: string): Promise<OpenClient> => opened(createClient({ url }));

describeWith('redis', 'Redis', (redis) => {
  describeWith('postgres', 'over PostgreSQL', (postgres) => {
    let clients: OpenClient[];
    let database: DataSource;
    let stores = 0;

    beforeAll(async () => {
      clients = [await connect(redis().url), await connect(redis().url)];
      database = new DataSource({ type: 'postgres', url: postgres().url, migrations: [CreateSessionTable] });
      await database.initialize();
      await database.runMigrations();
    });
    afterAll(() => Promise.all([...clients.map((client) => client.close()), database.destroy()]));

    const ways = [
      { name: 'through', writeBehind: false },
      { name: 'behind', writeBehind: true },
    ];
    const belongs = ({ writeBehind }: { writeBehind: boolean }) => writeBehind;
    describeSome(ways, belongs, 'writing', ({ writeBehind }) => {
      const tiers = (client: number) => {
        const durable = new TypeOrmSessionStore(database);
        const fast = new RedisSessionStore(clients[client]!.client, {
          prefix: `${redis().prefix}${stores}:`,
        });
        return new TieredSessionStore({
          fast,
          durable,
          writeBehind,
          ...(writeBehind ? UNHURRIED : { lease: 50 }),
        });
      };

      describeSessionStore('TieredSessionStore', {
        async create() {
          stores++;
          await database.query('TRUNCATE TABLE tessera_sessions');
          return tiers(0);
        },
        peer: () => tiers(1),
        volume: often(300, 1000),
      });
    });
  });
});

/** Short enough to see what comes after. Both processes run on one machine, by one clock. */
const TIMES = { lease: 300, maxAge: 1500, clockSkew: 20, fastTimeout: 100 };

describeLong('two tiers of which one fails', () =>
  describeWith('postgres', 'a Redis that fails over PostgreSQL', describeFailingRedis),
);

function describeFailingRedis(postgres: () => Service): void {
  let durables: TypeOrmSessionStore[];
  let ends: (() => Promise<unknown>)[];
  let processes: TieredSessionStore[];

  beforeEach(async () => {
    const url = postgres().url;
    ends = [];
    processes = [];
    const first = new TypeOrmSessionStore(await openApplication('postgres', url));
    durables = [first, new TypeOrmSessionStore(application('postgres', url))];
  });
  afterEach(async () => {
    for (const store of processes) await store.close();
    for (const end of ends) await end();
  });

  /** One more process, whose Redis is at this address. */
  const start = async (url: string, options: Partial<TieredSessionStoreOptions> = {}) => {
    const { client, close } = await connect(url);
    const fast = new RedisSessionStore(client, { prefix: 'tiers:' });
    const durable = durables[processes.length]!;
    const store = new TieredSessionStore({ ...TIMES, ...options, fast, durable });
    await store.prepare();
    processes.push(store);
    ends.push(close);
    return { store, fast, durable };
  };

  /** A session with a copy. */
  const stored = async (store: TieredSessionStore): Promise<SessionRecord> => {
    const record = aRecord();
    await store.insert(record, call);
    expect(await store.find(record.id, call)).toEqual(record);
    return record;
  };

  /** Until long after every earlier copy and the mark have expired. */
  const expectForLong = async (record: Pick<SessionRecord, 'id'>, expected: SessionRecord | null) => {
    const end = performance.now() + 2 * TIMES.maxAge;
    while (performance.now() < end) {
      for (const store of processes) expect(await store.find(record.id, call)).toEqual(expected);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  const renewalOf = (record: SessionRecord) =>
    nextOf(record, { secretHash: newToken(record.id, 'suite').secretHash });

  describeWithPrivate('redis', 'and is frozen', (redis) => {
    afterEach(() => redis().thaw());

    it('R3, R8, R9 and F1: a destroy and a renewal are acknowledged, and stay when it is thawed', async () => {
      const [one, two] = [await start(redis().url), await start(redis().url)];
      const [gone, old] = [await stored(one.store), await stored(two.store)];
      redis().freeze();
      const began = performance.now();
      const renewed = renewalOf(old);
      await Promise.all([one.store.delete(gone.id, call), two.store.update(renewed, 1, call)]);
      expect(performance.now() - began).toBeLessThan(3000);
      redis().thaw();
      await expectForLong(gone, null);
      await expectForLong(old, renewed);
    });

    it('F1: every call is answered, and later by Redis again', async () => {
      const { store, fast } = await start(redis().url);
      const record = await stored(store);
      redis().freeze();
      expect(await store.update(nextOf(record), 1, call)).toBe(true);
      const fresh = aRecord();
      await store.insert(fresh, call);
      await store.delete(fresh.id, call);
      expect(await store.find(record.id, call)).toEqual(nextOf(record));
      redis().thaw();
      const end = performance.now() + 20_000;
      const isBack = async () => (await fast.find(record.id, call))?.version === 2;
      while (!(await isBack()) && performance.now() < end) {
        expect(await store.find(record.id, call)).toEqual(nextOf(record));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      expect(await isBack()).toBe(true);
    });
  });

  describeWithPrivate('redis', 'and is out of reach of one process', (redis) => {
    it.each(['hang', 'refuse'] as const)(
      'R3 and R9: a destroy there is seen by another, which reaches it with its old copy (%s)',
      async (fault) => {
        const proxy = await TcpProxy.open(redis().port);
        ends.push(() => proxy.close());
        const [one, two] = [await start(proxy.through(redis().url)), await start(redis().url)];
        const { id } = await stored(one.store);
        await two.store.find(id, call);
        await proxy[fault]();
        let acknowledged = false;
        const deleting = one.store.delete(id, call).then(() => (acknowledged = true));
        while (!acknowledged) await two.store.find(id, call);
        await deleting;
        expect(await two.store.find(id, call)).toBeNull();
        expect(await two.fast.find(id, call)).not.toBeNull();
        await expectForLong({ id }, null);
      },
    );
  });

  const writingAtOnce = () => startRedis(['--appendonly', 'yes', '--appendfsync', 'always']);
  const describeReturn = (redis: () => Server) =>
    it('R3, R8 and F2: a destroy and a renewal of meanwhile stay', async () => {
      const [one, two] = [await start(redis().url), await start(redis().url)];
      const [gone, old] = [await stored(one.store), await stored(one.store)];
      await redis().kill();
      const renewed = renewalOf(old);
      await Promise.all([two.store.delete(gone.id, call), one.store.update(renewed, 1, call)]);
      await redis().start();
      await expectForLong(gone, null);
      await expectForLong(old, renewed);
    });
  describeWithPrivate('redis', 'and comes back with what it had', describeReturn, writingAtOnce);

  describeWithPrivate('redis', 'and forgets what was not written yet', (redis) => {
    it('R3: nothing that was destroyed comes back, and what waits is written', async () => {
      const [one, two] = [
        await start(redis().url, { writeBehind: true, flushEvery: 300 }),
        await start(redis().url, { writeBehind: true, flushEvery: 300 }),
      ];
      const [kept, gone] = [await stored(one.store), await stored(one.store)];
      for (const record of [kept, gone]) await one.store.update(nextOf(record, { body: '{"n":1}' }), 1, call);
      await redis().kill();
      await redis().start();
      // Both are connected again.
      expect({ one: await one.fast.find(kept.id, call), two: await two.fast.find(kept.id, call) }).toEqual({
        one: null,
        two: null,
      });
      await two.store.delete(gone.id, call);
      await one.store.close();
      processes.shift();
      expect(await two.durable.find(kept.id, call)).toEqual(nextOf(kept, { body: '{"n":1}' }));
      expect(await two.durable.find(gone.id, call)).toBeNull();
    });
  });
}
