import { Redis } from 'ioredis';
import { SessionStoreError } from 'nestjs-tessera';
import { RedisSessionStore } from 'nestjs-tessera/redis';
import { DeadlineClient } from '../../lib/testing/store-suite/deadline-client';
import { aRecord, nextOf } from '../../lib/testing/store-suite/records';
import { call } from '../../lib/testing/store-suite/store-suite';
import { describeWithPrivate, startRedis, type Server, TcpProxy } from '../support/servers';
import { type OpenClient, type RedisClientKind, redisClients } from './redis-clients';
import { until } from './redis-until';

describe.each(redisClients)('RedisSessionStore through $name', ({ open }) => {
  describeWithPrivate('redis', 'on a server in trouble', (server) => {
    let admin: Redis;
    let proxy: TcpProxy;
    let opened: OpenClient;
    let store: RedisSessionStore;
    let heard = '';

    beforeAll(async () => {
      admin = new Redis(server().url);
      proxy = await TcpProxy.open(server().port);
      proxy.onServerData = (chunk) => (heard += chunk.toString('latin1'));
      opened = await open([proxy.through(server().url)]);
    });
    afterAll(async () => {
      await opened.close();
      await proxy.close();
      admin.disconnect();
    });
    beforeEach(() => {
      store = new RedisSessionStore(opened.client, { prefix: 'p:' });
      heard = '';
    });

    const hears = (answer: string) => until(() => heard.includes(answer), `the server answers ${answer}`);

    it('F4: says at once that memory is full, reads and ends sessions meanwhile, and goes on afterwards', async () => {
      const record = aRecord({ principal: 'a:ada' });
      await store.insert(record, call);
      await admin.config('SET', 'maxmemory', '1');
      try {
        const begun = performance.now();
        const refusals = {
          visit: await store.insert(aRecord(), call).catch((error: unknown) => error),
          login: await store.insert(aRecord({ principal: 'a:ada' }), call).catch((error: unknown) => error),
          update: await store.update(nextOf(record), 1, call).catch((error: unknown) => error),
        };
        expect(performance.now() - begun).toBeLessThan(1000);
        const type = expect.any(SessionStoreError) as SessionStoreError;
        expect(refusals).toEqual({ visit: type, login: type, update: type });
        const message = expect.stringMatching(/OOM.*raise maxmemory/) as string;
        expect(refusals).toMatchObject({ visit: { message }, login: { message }, update: { message } });
        expect(await store.find(record.id, call)).toEqual(record);
        await store.delete(record.id, call);
        expect(await store.find(record.id, call)).toBeNull();
      } finally {
        await admin.config('SET', 'maxmemory', '0');
      }
      await store.insert(record, call);
    });

    it('F4: waits while the server is a replica, and writes when it is a master again', async () => {
      const record = aRecord();
      await store.insert(record, call);
      await admin.replicaof('127.0.0.1', '1');
      const update = store.update(nextOf(record), 1, call);
      update.catch(() => {});
      await hears('READONLY');
      await admin.replicaof('NO', 'ONE');
      expect(await update).toBe(true);
      expect(await store.find(record.id, call)).toEqual(nextOf(record));
    });

    it('F4: says that the server is a replica when it stays one', async () => {
      const record = aRecord();
      await store.insert(record, call);
      await admin.replicaof('127.0.0.1', '1');
      try {
        await expect(store.delete(record.id, call)).rejects.toThrow(/READONLY.*Sentinel/);
      } finally {
        await admin.replicaof('NO', 'ONE');
      }
      expect(await store.find(record.id, call)).toEqual(record);
    });

    it('F4: waits while the server is busy with a script', async () => {
      const record = aRecord();
      await store.insert(record, call);
      await admin.config('SET', 'lua-time-limit', '1');
      const endless = new Redis(server().url);
      const script = endless.eval('while true do end', 0).catch(() => 'killed');
      await until(async () => (await admin.ping().catch(String)).includes('BUSY'), 'the script runs');
      const found = store.find(record.id, call);
      await hears('BUSY');
      await admin.script('KILL');
      expect(await found).toEqual(record);
      expect(await script).toBe('killed');
      endless.disconnect();
    });

    it('F1: serves again after a silence in which more was said than the network holds', async () => {
      const straight = await open([server().url]); // a proxy holds anything
      const client = new DeadlineClient(
        new RedisSessionStore(straight.client, { prefix: 'p:' }),
        300,
        20_000,
      );
      server().freeze();
      const body = 'x'.repeat(65_536);
      const waves: Promise<void>[] = [];
      for (let wave = 0; wave < 10; wave++) {
        for (let n = 0; n < 30; n++) waves.push(client.insert(aRecord({ body })));
        await Promise.allSettled(wave % 3 === 2 ? waves : []);
      }
      const outcomes = await Promise.allSettled(waves);
      server().thaw();
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toEqual([]);
      await client.recovered();
      await client.settled();
      await straight.close();
    });

    it('gives a call up when nobody waits for it any more', async () => {
      await admin.replicaof('127.0.0.1', '1');
      try {
        const begun = performance.now();
        const signal = AbortSignal.timeout(100);
        await expect(store.insert(aRecord(), { signal })).rejects.toThrow(/aborted/);
        expect(performance.now() - begun).toBeLessThan(1000);
      } finally {
        await admin.replicaof('NO', 'ONE');
      }
    });
  });
});

/** Long enough for a client to be told that the server is loading. */
const loadingSlowly = () =>
  startRedis(['--key-load-delay', '1000', '--loading-process-events-interval-bytes', '1024']);

describe.each(redisClients)('RedisSessionStore through $name', ({ open }) => {
  const body = (server: () => Server) => describeLoading(open, server);
  describeWithPrivate('redis', 'on a server that starts again', body, loadingSlowly);
});

function describeLoading(open: RedisClientKind['open'], server: () => Server): void {
  let proxy: TcpProxy;
  let opened: OpenClient;

  beforeAll(async () => {
    proxy = await TcpProxy.open(server().port);
    opened = await open([proxy.through(server().url)]);
  });
  afterAll(async () => {
    await opened?.close();
    await proxy?.close();
  });

  it('F4: waits while the server loads what it had written down', async () => {
    const store = new RedisSessionStore(opened.client, { prefix: 'p:' });
    const records = Array.from({ length: 700 }, () => aRecord());
    await Promise.all(records.map((record) => store.insert(record, call)));
    const [first] = records;
    const admin = new Redis(server().url, { retryStrategy: () => null });
    admin.on('error', () => {});
    await admin.save();
    await server().kill();
    let heard = '';
    proxy.onServerData = (chunk) => (heard += chunk.toString('latin1'));
    const started = server().start();
    const deadline = performance.now() + 20_000;
    let found = null;
    while (found === null) {
      found = await store.find(first!.id, call).catch((error: unknown) => {
        if (!(error instanceof SessionStoreError) || performance.now() > deadline) throw error;
        return null;
      });
    }
    expect(found).toEqual(first);
    expect(heard).toMatch(/LOADING|loading:1/);
    await started;
    admin.disconnect();
  });
}
