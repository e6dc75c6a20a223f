import { RedisSessionStore } from 'nestjs-tessera/redis';
import { describeSessionStore } from 'nestjs-tessera/testing';
import { describeLong, describeSome } from '../support/long';
import { describeWithPrivate, startRedis, type Server, TcpProxy } from '../support/servers';
import { type OpenClient, type RedisClientKind, redisClients } from './redis-clients';

const isIoredis5 = ({ name }: RedisClientKind) => name === 'ioredis 5';

describeSome(redisClients, isIoredis5, 'RedisSessionStore through', ({ name, open }) => {
  describeWithPrivate('redis', 'on a server with faults', (server) => {
    let proxy: TcpProxy;
    let stores = 0;
    let opened: OpenClient;

    beforeAll(async () => {
      proxy = await TcpProxy.open(server().port);
      opened = await open([proxy.through(server().url)]);
    });
    afterAll(async () => {
      await opened.close();
      await proxy.close();
    });

    describeSessionStore('RedisSessionStore', {
      create: () => new RedisSessionStore(opened.client, { prefix: `${++stores}:` }),
      without: ['sweeping'],
      faults: {
        kill: () => server().kill(),
        restart: () => server().start(),
        refuse: () => proxy.refuse(),
        heal: () => proxy.heal(),
        // To a server that is silent the newer versions are as the older ones.
        ...(name.endsWith('5') && {
          freeze: () => server().freeze(),
          thaw: () => server().thaw(),
          hang: () => proxy.hang(),
          slow: (milliseconds: number) => proxy.delay(milliseconds),
        }),
      },
    });
  });
});

const [ioredis] = redisClients.filter(isIoredis5);

/** On a server of its own kind: with one that writes everything down before it answers. */
describeLong('RedisSessionStore with appendfsync always', () =>
  describeWithPrivate('redis', 'on a server of its own', describeDurableRedis, () =>
    startRedis(['--appendonly', 'yes', '--appendfsync', 'always']),
  ),
);

function describeDurableRedis(server: () => Server): void {
  let opened: OpenClient;
  let stores = 0;

  beforeAll(async () => {
    opened = await ioredis!.open([server().url]);
  });
  afterAll(() => opened?.close());

  describeSessionStore('RedisSessionStore', {
    create: () => new RedisSessionStore(opened.client, { prefix: `${++stores}:` }),
    without: ['sweeping'],
    faults: { kill: () => server().kill(), restart: () => server().start(), durable: true },
  });
}
