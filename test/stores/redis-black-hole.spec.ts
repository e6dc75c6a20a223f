import { Cluster as Ioredis5Cluster, Redis as Ioredis5 } from 'ioredis';
import { Cluster as Ioredis6Cluster } from 'ioredis-6';
import { RedisSessionStore } from 'nestjs-tessera/redis';
import * as redis5 from 'redis';
import * as redis6 from 'redis-6';
import { newSessionId } from '../../lib/core/session-token';
import { DeadlineClient } from '../../lib/testing/store-suite/deadline-client';
import { describeSome } from '../support/long';
import { describeWithCluster, describeWithPrivate, TcpProxy } from '../support/servers';
import { opened, openedIoredis, type OpenClient, type RedisClientKind, redisClients } from './redis-clients';
import { MASTER, watchOver, type WatchedRedis } from './redis-sentinel';
import { until } from './redis-until';

/** Within this many milliseconds service must be back. */
const PATIENCE = 10_000;
const DEADLINE = 3000;

const clientOf = ({ client }: OpenClient, deadline = DEADLINE) =>
  new DeadlineClient(new RedisSessionStore(client, { prefix: 'p:' }), deadline, PATIENCE);

/** The others are as these. */
const belongs = ({ name }: { readonly name: string }) => /^(?:a pool of )?redis 6$|^ioredis 5$/.test(name);

const kinds: readonly RedisClientKind[] = [
  ...redisClients,
  { name: 'a pool of redis 5', open: ([url]) => opened(redis5.createClientPool({ url }, { maximum: 2 })) },
  { name: 'a pool of redis 6', open: ([url]) => opened(redis6.createClientPool({ url }, { maximum: 2 })) },
  {
    name: 'ioredis 5 with a socketTimeout',
    open: async ([url]) => openedIoredis(new Ioredis5(url!, { socketTimeout: 3000 })),
  },
];

describeWithPrivate('redis', 'RedisSessionStore on a network that loses connections', (server) => {
  let proxy: TcpProxy;
  beforeEach(async () => (proxy = await TcpProxy.open(server().port)));
  afterEach(() => proxy.close());

  describeSome(kinds, belongs, 'through', ({ open }) => {
    it('F8, W22: is back within 10 seconds when its connections are black-holed', async () => {
      const connected = await open([proxy.through(server().url)]);
      try {
        const client = clientOf(connected);
        await client.recovered();
        proxy.strand();
        await client.recovered();
        await client.settled();
      } finally {
        await connected.close();
      }
    }, 30_000);
  });

  describeSome(redisClients, belongs, 'through', ({ open }) => {
    it('W22: keeps a connection that answers, however late', async () => {
      const admin = new Ioredis5(server().url);
      const connected = await open([proxy.through(server().url)]);
      try {
        const client = clientOf(connected, 300);
        await client.recovered();
        const before = await connectionsOf(admin);
        proxy.delay(900);
        for (let failures = 0; failures < 15; failures++)
          await expect(client.find(newSessionId())).rejects.toThrow('no answer within 300 ms');
        expect(await connectionsOf(admin)).toBe(before);
        proxy.delay(0);
        await client.recovered();
      } finally {
        await connected.close();
        admin.disconnect();
      }
    });
  });

  const subscribers: readonly { name: string; create: (url: string) => Subscriber }[] = [
    { name: 'redis 5', create: (url) => redis5.createClient({ url, RESP: 3 }) },
    { name: 'redis 6', create: (url) => redis6.createClient({ url, RESP: 3 }) },
  ];
  describeSome(subscribers, belongs, 'through', ({ create }) => {
    it('W22: leaves the application its subscriptions', async () => {
      const admin = new Ioredis5(server().url);
      const connected = await opened(create(proxy.through(server().url)));
      try {
        const heard: string[] = [];
        await connected.client.subscribe('news', (message) => heard.push(message));
        const client = clientOf(connected);
        await client.recovered();
        proxy.strand();
        await client.recovered();
        await admin.publish('news', 'hello');
        await until(() => heard.length > 0, 'the message arrives');
        expect({ heard, reply: await connected.client.ping() }).toEqual({ heard: ['hello'], reply: 'PONG' });
      } finally {
        await connected.close();
        admin.disconnect();
      }
    }, 30_000);
  });
});

/** How many the server has accepted so far. */
async function connectionsOf(admin: Ioredis5): Promise<string> {
  return /total_connections_received:(\d+)/.exec(await admin.info('stats'))![1]!;
}

/** What the two versions share. */
interface Subscriber {
  readonly isOpen: boolean;
  sendCommand(...parameters: never[]): Promise<unknown>;
  on(event: 'error', listener: () => void): unknown;
  connect(): Promise<unknown>;
  destroy(): unknown;
  subscribe(channel: string, listener: (message: string) => void): Promise<void>;
  ping(): Promise<unknown>;
}

/** Where a client finds a server whose address it was told by another. */
type AddressMap = Record<string, { readonly host: string; readonly port: number }>;

const addressesOf = (proxies: ReadonlyMap<number, TcpProxy>): AddressMap =>
  Object.fromEntries(
    Array.from(proxies, ([port, proxy]) => [`127.0.0.1:${port}`, { host: '127.0.0.1', port: proxy.port }]),
  );

interface MappedClientKind {
  readonly name: string;
  open(map: AddressMap, root: number): Promise<OpenClient>;
}

const clusterOf = (nodeAddressMap: AddressMap, port: number) => ({
  rootNodes: [{ socket: { port } }],
  nodeAddressMap,
});

const sentinelOf = (nodeAddressMap: AddressMap, port: number) => ({
  name: MASTER,
  sentinelRootNodes: [{ host: '127.0.0.1', port }],
  nodeAddressMap,
});

describeWithCluster('RedisSessionStore on a Cluster whose network loses connections', (cluster) => {
  const clients: readonly MappedClientKind[] = [
    { name: 'redis 5', open: (map, port) => opened(redis5.createCluster(clusterOf(map, port))) },
    { name: 'redis 6', open: (map, port) => opened(redis6.createCluster(clusterOf(map, port))) },
    {
      name: 'ioredis 5',
      open: async (natMap, port) => openedIoredis(new Ioredis5Cluster([{ port }], { natMap })),
    },
    {
      name: 'ioredis 6',
      open: async (natMap, port) => openedIoredis(new Ioredis6Cluster([{ port }], { natMap })),
    },
  ];

  describeSome(clients, belongs, 'through', ({ open }) => {
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
        expect(await serves()).toBe(false);
        await until(serves, 'it serves again', PATIENCE - DEADLINE);
        await client.settled();
      } finally {
        await connected.close();
        for (const proxy of proxies.values()) await proxy.close();
      }
    }, 40_000);
  });
});

describeWithPrivate('redis', 'RedisSessionStore with Sentinel on a lossy network', (server) => {
  let watched: WatchedRedis;
  beforeAll(async () => {
    watched = await watchOver(server());
  }, 60_000);
  afterAll(() => watched?.stop(), 60_000);

  const clients: readonly MappedClientKind[] = [
    { name: 'redis 5', open: (map, port) => opened(redis5.createSentinel(sentinelOf(map, port))) },
    { name: 'redis 6', open: (map, port) => opened(redis6.createSentinel(sentinelOf(map, port))) },
    {
      name: 'ioredis 5',
      open: async (natMap, port) =>
        openedIoredis(new Ioredis5({ name: MASTER, sentinels: [{ host: '127.0.0.1', port }], natMap })),
    },
  ];

  describeSome(clients, belongs, 'through', ({ open }) => {
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
  });
});
