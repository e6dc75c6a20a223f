import { Cluster as Ioredis5Cluster, Redis as Ioredis5 } from 'ioredis';
import { Cluster as Ioredis6Cluster, Redis as Ioredis6 } from 'ioredis-6';
import { RedisSessionStore } from 'nestjs-tessera/redis';
import * as redis5 from 'redis';
import * as redis6 from 'redis-6';
import { newSessionId } from '../../lib/core/session-token';
import { DeadlineClient } from '../../lib/testing/store-suite/deadline-client';
import { describeSome } from '../support/long';
import { describeWithCluster, describeWithPrivate, TcpProxy } from '../support/servers';
import {
  belongs,
  clientOf,
  DEADLINE,
  nodeRedis,
  PATIENCE,
  sharingClientOf,
  socketTimeout,
} from './redis-black-hole';
import { opened, openedIoredis, type OpenClient } from './redis-clients';
import { MASTER, watchOver, type WatchedRedis } from './redis-sentinel';
import { until } from './redis-until';

/** Where a client finds a server whose address it was told by another. */
type AddressMap = Record<string, { readonly host: string; readonly port: number }>;

const addressesOf = (proxies: ReadonlyMap<number, TcpProxy>): AddressMap =>
  Object.fromEntries(
    Array.from(proxies, ([port, proxy]) => [`127.0.0.1:${port}`, { host: '127.0.0.1', port: proxy.port }]),
  );

interface MappedClientKind {
  readonly name: string;
  readonly clientOf: (connected: OpenClient) => DeadlineClient;
  open(map: AddressMap, root: number): Promise<OpenClient>;
}

/** Without settings, and with those with which a client that other code uses too ends silent connections. */
const bothWays = (
  name: string,
  open: (map: AddressMap, root: number, settings: boolean) => Promise<OpenClient>,
): readonly MappedClientKind[] => [
  { name, clientOf, open: (map, root) => open(map, root, false) },
  {
    name: `${name} with settings of its own`,
    clientOf: sharingClientOf,
    open: (map, root) => open(map, root, true),
  },
];

const clusterOf = (nodeAddressMap: AddressMap, port: number, settings: boolean) => ({
  rootNodes: [{ socket: { port } }],
  nodeAddressMap,
  ...(settings && { defaults: nodeRedis }),
});

const ioredisClusterOf = (natMap: AddressMap, settings: boolean) => ({
  natMap,
  ...(settings && { redisOptions: { socketTimeout } }),
});

const sentinelOf = (nodeAddressMap: AddressMap, port: number, settings: boolean) => ({
  name: MASTER,
  sentinelRootNodes: [{ host: '127.0.0.1', port }],
  nodeAddressMap,
  ...(settings && { nodeClientOptions: nodeRedis }),
});

const ioredisSentinelOf = (natMap: AddressMap, port: number, settings: boolean) => ({
  name: MASTER,
  sentinels: [{ host: '127.0.0.1', port }],
  natMap,
  ...(settings && { socketTimeout }),
});

/** Closes a store with a call that waits for an answer that never comes. */
async function endsConnections({ client, close }: OpenClient, proxies: readonly TcpProxy[]): Promise<void> {
  const store = new RedisSessionStore(client, { prefix: 'p:', closeClient: true });
  try {
    await store.prepare();
    for (const proxy of proxies) proxy.strand();
    const find = new DeadlineClient(store, 300, PATIENCE).find(newSessionId());
    await expect(find).rejects.toThrow('no answer within 300 ms');
    await store.close!();
    await until(() => proxies.every(({ clients }) => clients === 0), 'its connections end');
  } finally {
    await close().catch(() => {}); // redis 5 rejects when it is closed already
    for (const proxy of proxies) await proxy.close();
  }
}

describeWithCluster('RedisSessionStore on a Cluster whose network loses connections', (cluster) => {
  const clients = [
    ...bothWays('redis 5', (map, port, settings) =>
      opened(redis5.createCluster(clusterOf(map, port, settings))),
    ),
    ...bothWays('redis 6', (map, port, settings) =>
      opened(redis6.createCluster(clusterOf(map, port, settings))),
    ),
    ...bothWays('ioredis 5', async (map, port, settings) =>
      openedIoredis(new Ioredis5Cluster([{ port }], ioredisClusterOf(map, settings))),
    ),
    ...bothWays('ioredis 6', async (map, port, settings) =>
      openedIoredis(new Ioredis6Cluster([{ port }], ioredisClusterOf(map, settings))),
    ),
  ];

  describeSome(clients, belongs, 'through', ({ open, clientOf }) => {
    it('F8, W22: is back within 10 seconds when those to one master are black-holed', async () => {
      const proxies = new Map<number, TcpProxy>();
      for (const { port } of cluster().nodes) proxies.set(port, await TcpProxy.open(port));
      const [first, second] = await cluster().masters();
      const connected = await open(addressesOf(proxies), second!.port);
      const client = clientOf(connected);
      /** Enough for every master, so that answers of the others are heard all the time. */
      const serves = async (): Promise<boolean> => {
        const finds = Array.from({ length: 30 }, () => client.find(newSessionId()));
        return (await Promise.allSettled(finds)).every(({ status }) => status === 'fulfilled');
      };
      try {
        await until(serves, 'it serves');
        proxies.get(first!.port)!.strand();
        const begun = performance.now();
        await serves();
        expect(performance.now() - begun).toBeGreaterThan(2000);
        await until(serves, 'it serves again', PATIENCE - DEADLINE);
        await client.settled();
      } finally {
        await connected.close();
        for (const proxy of proxies.values()) await proxy.close();
      }
    }, 40_000);

    it('W4: ends its connections, black-holed or not', async () => {
      const proxies = new Map<number, TcpProxy>();
      for (const { port } of cluster().nodes) proxies.set(port, await TcpProxy.open(port));
      const [, second] = await cluster().masters();
      const connected = await open(addressesOf(proxies), second!.port);
      await endsConnections(connected, [...proxies.values()]);
    }, 40_000);
  });
});

describeWithPrivate('redis', 'RedisSessionStore with Sentinel on a lossy network', (server) => {
  let watched: WatchedRedis;
  beforeAll(async () => {
    watched = await watchOver(server());
  }, 60_000);
  afterAll(() => watched?.stop(), 60_000);

  const clients = [
    ...bothWays('redis 5', (map, port, settings) =>
      opened(redis5.createSentinel(sentinelOf(map, port, settings))),
    ),
    ...bothWays('redis 6', (map, port, settings) =>
      opened(redis6.createSentinel(sentinelOf(map, port, settings))),
    ),
    ...bothWays('ioredis 5', async (map, port, settings) =>
      openedIoredis(new Ioredis5(ioredisSentinelOf(map, port, settings))),
    ),
    ...bothWays('ioredis 6', async (map, port, settings) =>
      openedIoredis(new Ioredis6(ioredisSentinelOf(map, port, settings))),
    ),
  ];

  describeSome(clients, belongs, 'through', ({ open, clientOf }) => {
    it('F8, W22: is back within 10 seconds when those to the master are black-holed', async () => {
      const proxies = new Map<number, TcpProxy>();
      for (const { port } of watched.servers) proxies.set(port, await TcpProxy.open(port));
      const connected = await open(addressesOf(proxies), watched.sentinel.port);
      const client = clientOf(connected);
      try {
        await client.recovered();
        for (const proxy of proxies.values()) proxy.strand();
        await client.recovered();
        await client.settled();
      } finally {
        await connected.close();
        for (const proxy of proxies.values()) await proxy.close();
      }
    }, 40_000);

    it('W4: ends its connections, black-holed or not', async () => {
      const proxies = new Map<number, TcpProxy>();
      for (const { port } of watched.servers) proxies.set(port, await TcpProxy.open(port));
      const connected = await open(addressesOf(proxies), watched.sentinel.port);
      await endsConnections(connected, [...proxies.values()]);
    }, 40_000);
  });
});
