import { Redis } from 'ioredis';
import { RedisSessionStore } from 'nestjs-tessera/redis';
import * as redis5 from 'redis';
import * as redis6 from 'redis-6';
import { BusyWriters } from '../../lib/testing/store-suite/busy-writers';
import { eventually, DeadlineClient } from '../../lib/testing/store-suite/deadline-client';
import { WriteHistory } from '../../lib/testing/store-suite/write-history';
import { describeWithPrivate, type Server } from '../support/servers';
import { redisCommand } from '../support/servers/programs';
import { opened, openedIoredis, type RedisClientKind } from './redis-clients';
import { MASTER, watchOver, type WatchedRedis } from './redis-sentinel';
import { until } from './redis-until';

const rootsOf = (urls: readonly string[]) =>
  urls.map((url) => ({ host: new URL(url).hostname, port: Number(new URL(url).port) }));

const clients: readonly RedisClientKind[] = [
  {
    name: 'redis 5',
    open: (urls) => opened(redis5.createSentinel({ name: MASTER, sentinelRootNodes: rootsOf(urls) })),
  },
  {
    name: 'redis 6',
    open: (urls) => opened(redis6.createSentinel({ name: MASTER, sentinelRootNodes: rootsOf(urls) })),
  },
  {
    name: 'ioredis 5',
    open: async (urls) => openedIoredis(new Redis({ name: MASTER, sentinels: rootsOf(urls) })),
  },
];

describeWithPrivate('redis', 'RedisSessionStore with Sentinel', (server) => {
  let watched: WatchedRedis;
  beforeAll(async () => {
    watched = await watchOver(server());
  }, 60_000);
  afterAll(() => watched?.stop(), 60_000);

  const said = async (fact: RegExp): Promise<string | undefined> =>
    fact.exec(String(await redisCommand(watched.sentinel.url, 'INFO', 'sentinel')))?.[1];

  it.each(clients)(
    'F4: serves again within seconds when the master is killed under load, through $name',
    async ({ open }) => {
      for (const { url } of watched.servers)
        await redisCommand(url, 'CONFIG', 'SET', 'repl-diskless-sync-delay', '0');
      await until(async () => (await said(/status=ok,.*slaves=(1)/)) !== undefined, 'a successor is known');
      const master = await said(/address=127\.0\.0\.1:(\d+)/);
      const victim = watched.servers.find(({ port }) => String(port) === master)!;
      const { client: redis, close } = await open([watched.sentinel.url]);
      const client = new DeadlineClient(new RedisSessionStore(redis, { prefix: 'p:' }), 1000, 20_000);
      try {
        const history = await historyOf(client, victim);
        await client.settled();
        await history.compare((id) => eventually(() => client.find(id)));
        expect(history.violations).toEqual([]);
      } finally {
        await close();
      }
    },
    60_000,
  );
});

/** Writers who live through the end of a master, until a while after. */
async function historyOf(client: DeadlineClient, master: Server): Promise<WriteHistory> {
  const history = new WriteHistory();
  const writers = new BusyWriters(client, history);
  try {
    await until(() => history.acknowledgements > 100, 'writes are acknowledged');
    history.lose();
    await master.kill();
    await until(() => writers.failures > 0, 'a call fails');
    const before = history.acknowledgements;
    await until(() => history.acknowledgements > before + 100, 'writes are acknowledged again');
    return history;
  } finally {
    await writers.stop();
    await master.start();
  }
}
