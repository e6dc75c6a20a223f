import { Redis as Ioredis5 } from 'ioredis';
import { Redis as Ioredis6 } from 'ioredis-6';
import * as redis5 from 'redis';
import * as redis6 from 'redis-6';
import { newSessionId } from '../../lib/core/session-token';
import type { DeadlineClient } from '../../lib/testing/store-suite/deadline-client';
import { describeSome } from '../support/long';
import { describeWithPrivate, TcpProxy } from '../support/servers';
import { belongs, clientOf, nodeRedis, sharingClientOf, socketTimeout } from './redis-black-hole';
import { opened, openedIoredis, type OpenClient, type RedisClientKind, redisClients } from './redis-clients';
import { until } from './redis-until';

const kinds: readonly RedisClientKind[] = [
  ...redisClients,
  { name: 'a pool of redis 5', open: ([url]) => opened(redis5.createClientPool({ url }, { maximum: 2 })) },
  { name: 'a pool of redis 6', open: ([url]) => opened(redis6.createClientPool({ url }, { maximum: 2 })) },
];

const kindsThatHelpThemselves: readonly RedisClientKind[] = [
  { name: 'redis 5', open: ([url]) => opened(redis5.createClient({ url, ...nodeRedis })) },
  { name: 'redis 6', open: ([url]) => opened(redis6.createClient({ url, ...nodeRedis })) },
  { name: 'a pool of redis 5', open: ([url]) => opened(redis5.createClientPool({ url, ...nodeRedis })) },
  { name: 'a pool of redis 6', open: ([url]) => opened(redis6.createClientPool({ url, ...nodeRedis })) },
  { name: 'ioredis 5', open: async ([url]) => openedIoredis(new Ioredis5(url!, { socketTimeout })) },
  { name: 'ioredis 6', open: async ([url]) => openedIoredis(new Ioredis6(url!, { socketTimeout })) },
];

const reconnectStrategy = false;

const kindsThatNeverReconnect: readonly RedisClientKind[] = [
  { name: 'redis 5', open: ([url]) => opened(redis5.createClient({ url, socket: { reconnectStrategy } })) },
  { name: 'redis 6', open: ([url]) => opened(redis6.createClient({ url, socket: { reconnectStrategy } })) },
];

/** Clients that give a command up before the store does. */
const hasty = (commandTimeout: number): readonly RedisClientKind[] => [
  {
    name: 'ioredis 5 with a commandTimeout',
    open: async ([url]) => openedIoredis(new Ioredis5(url!, { commandTimeout })),
  },
  {
    name: 'ioredis 6 with a commandTimeout',
    open: async ([url]) => openedIoredis(new Ioredis6(url!, { commandTimeout })),
  },
];

describeWithPrivate('redis', 'RedisSessionStore on a network that loses connections', (server) => {
  let proxy: TcpProxy;
  beforeEach(async () => (proxy = await TcpProxy.open(server().port)));
  afterEach(() => proxy.close());

  const comesBack = async (connected: OpenClient, client: DeadlineClient): Promise<void> => {
    try {
      await client.recovered();
      proxy.strand();
      await client.recovered();
      await client.settled();
    } finally {
      await connected.close();
    }
  };

  describeSome([...kinds, ...hasty(1000)], belongs, 'with a client of its own,', ({ open }) => {
    it('F8, W22: is back within 10 seconds when its connections are black-holed', async () => {
      const connected = await open([proxy.through(server().url)]);
      await comesBack(connected, clientOf(connected));
    }, 30_000);
  });

  describeSome(
    kindsThatHelpThemselves,
    belongs,
    'with a client that ends silent connections,',
    ({ open }) => {
      it('F8, W22: is back within 10 seconds when its connections are black-holed', async () => {
        const connected = await open([proxy.through(server().url)]);
        await comesBack(connected, sharingClientOf(connected));
      }, 30_000);
    },
  );

  describeSome(redisClients, belongs, 'with a client that other code uses too,', ({ open }) => {
    it('W22: leaves the connection alone, so that commands of that code are executed once', async () => {
      const admin = new Ioredis5(server().url);
      const connected = await open([proxy.through(server().url)]);
      try {
        const client = sharingClientOf(connected, 1000);
        await client.recovered();
        proxy.onServerData = () => proxy.hang();
        const counted = Promise.allSettled([increment(connected), increment(connected)]);
        await unanswered(client, 7);
        await proxy.heal();
        expect({ counted: await counted, total: await admin.getdel('total') }).toEqual({
          counted: [1, 2].map((value) => ({ status: 'fulfilled', value })),
          total: '2',
        });
      } finally {
        await connected.close();
        admin.disconnect();
      }
    }, 30_000);
  });

  describeSome([...redisClients, ...hasty(200)], belongs, 'with a client of its own,', ({ open }) => {
    it('W22: keeps a connection that answers, however late', async () => {
      const admin = new Ioredis5(server().url);
      const connected = await open([proxy.through(server().url)]);
      try {
        const client = clientOf(connected, 300);
        await client.recovered();
        const before = await connectionsOf(admin);
        proxy.delay(900);
        await unanswered(client, 15);
        expect(await connectionsOf(admin)).toBe(before);
        proxy.delay(0);
        await client.recovered();
      } finally {
        await connected.close();
        admin.disconnect();
      }
    });
  });

  describeSome(kindsThatNeverReconnect, belongs, 'with a client that never reconnects,', ({ open }) => {
    it('W22: leaves the connection alone, because the client would be closed if it could not connect at once', async () => {
      const admin = new Ioredis5(server().url);
      const connected = await open([proxy.through(server().url)]);
      try {
        const client = clientOf(connected, 1000);
        await client.recovered();
        const before = await connectionsOf(admin);
        proxy.strand();
        await unanswered(client, 4);
        expect(await connectionsOf(admin)).toBe(before);
      } finally {
        await connected.close();
        admin.disconnect();
      }
    }, 30_000);
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

/** Lets as many calls fail for want of an answer. */
async function unanswered(client: DeadlineClient, calls: number): Promise<void> {
  for (let failures = 0; failures < calls; failures++) {
    const failure: unknown = await client.find(newSessionId()).catch((error: unknown) => error);
    // The client's own timeout is the cause of an error, when it comes before the deadline.
    const { message, cause } = failure as Error;
    expect(`${message} ${(cause as Error | undefined)?.message}`).toMatch(
      /no answer within|Command timed out/,
    );
  }
}

/** A command of the application. */
function increment({ client }: OpenClient): Promise<unknown> {
  const { call, sendCommand } = client as unknown as Record<
    string,
    (...parameters: unknown[]) => Promise<unknown>
  >;
  return call === undefined
    ? sendCommand!.call(client, ['INCR', 'total'])
    : call.call(client, 'INCR', 'total');
}

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
