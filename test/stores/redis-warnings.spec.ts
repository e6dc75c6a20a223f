import { Cluster as Ioredis5Cluster, Redis as Ioredis5 } from 'ioredis';
import { Cluster as Ioredis6Cluster, Redis as Ioredis6 } from 'ioredis-6';
import { RedisSessionStore, type RedisClient } from 'nestjs-tessera/redis';
import * as redis5 from 'redis';
import * as redis6 from 'redis-6';
import { describeWith } from '../support/servers';
import { nodeRedis, socketTimeout } from './redis-black-hole';
import { opened, openedIoredis, type OpenClient } from './redis-clients';

type Open = (urls: readonly string[], settings: boolean) => Promise<OpenClient>;

const settingsOf = (settings: boolean) => (settings ? nodeRedis : {});
const rootsOf = (urls: readonly string[]) => urls.map((url) => ({ url }));

/** Each without settings that end silent connections, or with them. */
const singles: Record<string, Open> = {
  'redis 5': ([url], settings) => opened(redis5.createClient({ url, ...settingsOf(settings) })),
  'redis 6': ([url], settings) => opened(redis6.createClient({ url, ...settingsOf(settings) })),
  'a pool of redis 5': ([url], settings) => opened(redis5.createClientPool({ url, ...settingsOf(settings) })),
  'a pool of redis 6': ([url], settings) => opened(redis6.createClientPool({ url, ...settingsOf(settings) })),
  'ioredis 5': async ([url], settings) =>
    openedIoredis(new Ioredis5(url!, settings ? { socketTimeout } : {})),
  'ioredis 6': async ([url], settings) =>
    openedIoredis(new Ioredis6(url!, settings ? { socketTimeout } : {})),
};

const clusters: Record<string, Open> = {
  'redis 5': (urls, settings) =>
    opened(redis5.createCluster({ rootNodes: rootsOf(urls), defaults: settingsOf(settings) })),
  'redis 6': (urls, settings) =>
    opened(redis6.createCluster({ rootNodes: rootsOf(urls), defaults: settingsOf(settings) })),
  'ioredis 5': async (urls, settings) =>
    openedIoredis(new Ioredis5Cluster([...urls], { redisOptions: settings ? { socketTimeout } : {} })),
  'ioredis 6': async (urls, settings) =>
    openedIoredis(new Ioredis6Cluster([...urls], { redisOptions: settings ? { socketTimeout } : {} })),
};

/** What a store warns of when it is prepared twice. */
async function warningsOf(client: RedisClient, prefix: string, closeClient: boolean): Promise<string[]> {
  const store = new RedisSessionStore(client, { prefix, closeClient });
  const warnings: string[] = [];
  const warn = (message: string) => warnings.push(message);
  await store.prepare({ clock: Date.now, warn });
  await store.prepare({ clock: Date.now, warn });
  return warnings;
}

const bothWaysOut = [expect.stringMatching(/socketTimeout.* closeClient: true, or set .*socketTimeout: \d+/)];

const rows = [
  { whose: 'the application’s', settings: false, closeClient: false, expected: bothWaysOut },
  { whose: 'the application’s', settings: true, closeClient: false, expected: [] },
  { whose: 'the store’s', settings: false, closeClient: true, expected: [] },
];

describeWith('redis', 'RedisSessionStore that starts', (service) => {
  describe.each(Object.entries(singles))('with a client of %s', (_, open) => {
    it.each(rows)(
      'W22: warns, once, of silent connections: $whose client, settings $settings',
      async ({ settings, closeClient, expected }) => {
        const { client, close } = await open([service().url], settings);
        expect(await warningsOf(client, service().prefix, closeClient)).toEqual(expected);
        await close();
      },
    );
  });

  it.each<[string, string, () => Promise<OpenClient>]>([
    ['redis 5', 'reconnectStrategy', () => opened(redis5.createClient(withoutReconnect(service().url)))],
    ['redis 6', 'reconnectStrategy', () => opened(redis6.createClient(withoutReconnect(service().url)))],
    [
      'a pool of redis 5',
      'reconnectStrategy',
      () => opened(redis5.createClientPool(withoutReconnect(service().url))),
    ],
    [
      'a pool of redis 6',
      'reconnectStrategy',
      () => opened(redis6.createClientPool(withoutReconnect(service().url))),
    ],
    [
      'ioredis 5',
      'retryStrategy',
      async () => openedIoredis(new Ioredis5(service().url, { retryStrategy: null })),
    ],
    [
      'ioredis 6',
      'retryStrategy',
      async () => openedIoredis(new Ioredis6(service().url, { retryStrategy: null })),
    ],
  ])('W22: warns, once, of a client of its own that never reconnects: %s', async (_, strategy, open) => {
    const { client, close } = await open();
    expect(await warningsOf(client, service().prefix, true)).toEqual([
      expect.stringMatching(new RegExp(`never reconnects.* Set a ${strategy}`)),
    ]);
    await close();
  });

  it('W22: does not warn of an ioredis that ends with its connection', async () => {
    const { client, close } = openedIoredis(
      new Ioredis5(service().url, { retryStrategy: null, socketTimeout }),
    );
    expect(await warningsOf(client, service().prefix, true)).toEqual([]);
    await close();
  });
});

describeWith('redis-cluster', 'RedisSessionStore that starts on a Cluster', (service) => {
  describe.each(Object.entries(clusters))('with a client of %s', (_, open) => {
    it.each(rows)(
      'W22: warns, once, of silent connections: $whose client, settings $settings',
      async ({ settings, closeClient, expected }) => {
        const { client, close } = await open(service().urls, settings);
        expect(await warningsOf(client, service().prefix, closeClient)).toEqual(expected);
        await close();
      },
    );
  });
});

function withoutReconnect(url: string) {
  return { url, socket: { reconnectStrategy: false } } as const;
}
