import { RedisSessionStore } from 'nestjs-tessera/redis';
import { describeSessionStore } from 'nestjs-tessera/testing';
import { describeWithPrivate, startRedis, type PrivateServer, TcpProxy } from '../support/servers';
import { type OpenClient, redisClients } from './redis-clients';

describe.each(redisClients)('RedisSessionStore through $name', ({ name, open }) => {
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

const [ioredis] = redisClients.filter(({ name }) => name === 'ioredis 5');

/** On a server of its own kind: with one that writes everything down before it answers. */
describeWithPrivate('redis', 'RedisSessionStore with appendfsync always', () => {
  let server: PrivateServer;
  let opened: OpenClient;
  let stores = 0;

  beforeAll(async () => {
    server = await startRedis(['--appendonly', 'yes', '--appendfsync', 'always']);
    opened = await ioredis!.open([server.url]);
  }, 60_000);
  afterAll(async () => {
    await opened?.close();
    await server?.stop();
  }, 60_000);

  describeSessionStore('RedisSessionStore', {
    create: () => new RedisSessionStore(opened.client, { prefix: `${++stores}:` }),
    without: ['sweeping'],
    faults: { kill: () => server.kill(), restart: () => server.start(), durable: true },
  });
});
