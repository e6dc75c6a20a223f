import { Cluster as Ioredis5Cluster, Redis as Ioredis5 } from 'ioredis';
import { Redis as Ioredis6 } from 'ioredis-6';
import { SessionStoreError, type SessionRecord } from 'nestjs-tessera';
import { RedisSessionStore, type RedisClient } from 'nestjs-tessera/redis';
import * as redis5 from 'redis';
import * as redis6 from 'redis-6';
import { newSessionId } from '../../lib/core/session-token';
import { aRecord, nextOf } from '../../lib/testing/store-suite/records';
import { call } from '../../lib/testing/store-suite/store-suite';
import { describeWith, describeWithPrivate } from '../support/servers';
import { opened, openedIoredis, type OpenClient } from './redis-clients';

const options = { prefix: 'p:' };

/** What the store recognizes a client of redis 6.2 or newer by. */
const asNewest = { isOpen: true, _keyPrefix: undefined, sDiffCard: () => {} };

/** On whose slot clients and servers would not agree, and which looks like the end of a line to some. */
const ODD = 'a:{}{🦊}%\u2028';

/** The calls that differ most in what they send and are answered. */
async function worksOn(store: RedisSessionStore): Promise<void> {
  await store.prepare();
  const record = aRecord({ principal: ODD, body: '"🦊 naïve"' });
  await store.insert(record, call);
  expect(await store.find(record.id, call)).toEqual(record);
  const next = nextOf(record, { body: '"2"' });
  expect(await store.update(next, 1, call)).toBe(true);
  expect(await store.update(next, 1, call)).toBe(false);
  expect(await store.extend(record.id, 2, record.expiresAt + 10_000_000, call)).toBe(true);
  const last = { ...next, expiresAt: record.expiresAt + 10_000_000 };
  expect(await store.findByPrincipal(ODD, call)).toEqual([last]);
  const all = [];
  for await (const one of store.records(call)) all.push(one);
  expect(all).toEqual([last]);
  expect(await store.deleteByPrincipal(ODD, call)).toBe(1);
  expect(await store.find(record.id, call)).toBeNull();
  await store.delete(record.id, call);
}

describeWith('redis', 'RedisSessionStore takes a client as the application set it up', (service) => {
  const kinds: Record<string, (url: string, prefix: string) => Promise<OpenClient>> = {
    'redis 5 with RESP3': (url) => opened(redis5.createClient({ url, RESP: 3 })),
    'redis 6 with RESP2': (url) => opened(redis6.createClient({ url, RESP: 2 })),
    'redis 5 that hands out Buffers': async (url) => {
      const { client, close } = await opened(redis5.createClient({ url }));
      const typeMapping = { [redis5.RESP_TYPES.BLOB_STRING]: Buffer, [redis5.RESP_TYPES.NUMBER]: String };
      return { client: client.withTypeMapping(typeMapping), close };
    },
    'redis 6 that hands out Buffers': (url) => {
      const typeMapping = { [redis6.RESP_TYPES.BLOB_STRING]: Buffer, [redis6.RESP_TYPES.NUMBER]: String };
      return opened(redis6.createClient({ url, commandOptions: { typeMapping } }));
    },
    'redis 6 with a client-side cache': (url) =>
      opened(
        redis6.createClient({ url, RESP: 3, clientSideCache: { ttl: 0, maxEntries: 0, evictPolicy: 'LRU' } }),
      ),
    'redis 6 with keyPrefix': (url, keyPrefix) => opened(redis6.createClient({ url, keyPrefix })),
    'a pool of redis 5': (url) => opened(redis5.createClientPool({ url })),
    'a pool of redis 6': (url) => opened(redis6.createClientPool({ url })),
    'ioredis 5 with keyPrefix': async (url, keyPrefix) => openedIoredis(new Ioredis5(url, { keyPrefix })),
    'ioredis 6 with keyPrefix': async (url, keyPrefix) => openedIoredis(new Ioredis6(url, { keyPrefix })),
    'ioredis 5 that connects when it has to': async (url) =>
      openedIoredis(new Ioredis5(url, { lazyConnect: true })),
    'ioredis 5 with pipelines of its own': async (url) =>
      openedIoredis(new Ioredis5(url, { enableAutoPipelining: true, stringNumbers: true })),
    'ioredis 6 with pipelines of its own': async (url) =>
      openedIoredis(new Ioredis6(url, { enableAutoPipelining: true })),
  };

  it.each(Object.entries(kinds))('%s', async (name, open) => {
    const prefix = `${service().prefix}${name} [*]:`;
    const { client, close } = await open(service().url, prefix);
    const inspector = new Ioredis5(service().url);
    try {
      await worksOn(new RedisSessionStore(client, name.includes('keyPrefix') ? options : { prefix }));
      if (name.includes('keyPrefix')) {
        await new RedisSessionStore(client, options).insert(aRecord(), call);
        const own = prefix.replace(/[[*]/g, '\\$&');
        expect(await inspector.keys(`${own}p:session:*`)).toHaveLength(1);
      }
    } finally {
      inspector.disconnect();
      await close();
    }
  });

  it('waits for a server that a client has not reached yet', async () => {
    const client = new Ioredis5(service().url, { lazyConnect: true });
    client.on('error', () => {});
    const store = new RedisSessionStore(client, { prefix: service().prefix });
    expect(await store.find(aRecord().id, call)).toBeNull();
    client.disconnect();
  });

  it.each<[string, () => RedisClient]>([
    ['redis 5', () => redis5.createClient({ url: service().url })],
    ['redis 6', () => redis6.createClient({ url: service().url })],
    ['redis 5, a Cluster', () => redis5.createCluster({ rootNodes: [{ url: service().url }] })],
  ])('says so when the client is not connected: %s', async (_, create) => {
    const store = new RedisSessionStore(create(), options);
    await expect(store.prepare()).rejects.toThrow(/closed; connect it before the application starts/);
    await expect(store.find(aRecord().id, call)).rejects.toThrow(SessionStoreError);
  });

  it.each<[string, () => RedisClient & { isOpen?: boolean; status?: string }]>([
    ['redis 5', () => redis5.createClient({ url: service().url })],
    ['redis 6', () => redis6.createClient({ url: service().url })],
    ['a pool of redis 5', () => redis5.createClientPool({ url: service().url })],
    ['a pool of redis 6', () => redis6.createClientPool({ url: service().url })],
    ['ioredis 5', () => new Ioredis5(service().url, { lazyConnect: true })],
    ['ioredis 6', () => new Ioredis6(service().url, { lazyConnect: true })],
  ])('W4, W37: opens and closes a client that is its own, again and again: %s', async (_, create) => {
    const client = create();
    (client as { on?(event: string, listener: () => void): void }).on?.('error', () => {});
    const store = new RedisSessionStore(client, { prefix: service().prefix, closeClient: true });
    for (const visits of [1, 2]) {
      await store.prepare();
      await store.insert(aRecord({ body: `${visits}` }), call);
      await store.close!();
      expect(client.isOpen ?? client.status).toBe(client.isOpen === undefined ? 'end' : false);
    }
  });

  it('W1: refuses a client of redis 4 in words', () => {
    const client = {
      isOpen: true,
      sendCommand: async () => null,
      quit: async () => 'OK',
      disconnect: () => {},
    };
    expect(() => new RedisSessionStore(client, options)).toThrow(
      expect.objectContaining({
        code: 'SESSION_OPTIONS_INVALID',
        message: expect.stringContaining('needs redis 5 or newer'),
      }),
    );
  });

  it('W4: leaves the client of the application open', async () => {
    const { close } = new RedisSessionStore(new Ioredis5(service().url, { lazyConnect: true }), options);
    expect(close).toBeUndefined();
  });

  it('W41: waits for a client that is not ready and queues nothing: ioredis', async () => {
    const client = new Ioredis5(service().url, { enableOfflineQueue: false });
    const store = new RedisSessionStore(client, { prefix: service().prefix, closeClient: true });
    await store.prepare();
    expect(client.status).toBe('ready');
    await store.close!();
  });

  it('says so when the client is closed: ioredis 5', async () => {
    const client = new Ioredis5(service().url);
    await client.quit();
    await expect(new RedisSessionStore(client, options).find(aRecord().id, call)).rejects.toThrow(/closed/);
  });

  describe('through a client that hands out', () => {
    const record = aRecord();
    const other = aRecord();
    let real: Ioredis5;
    beforeAll(async () => {
      real = new Ioredis5(service().url);
      const store = new RedisSessionStore(real, { prefix: service().prefix });
      await store.insert(record, call);
      await store.insert(other, call);
    });
    afterAll(() => real.disconnect());

    const keyOf = ({ id }: SessionRecord) => `${service().prefix}session:${id}`;
    const storeOf = (sendCommand: (command: string[]) => Promise<unknown>) =>
      new RedisSessionStore({ ...asNewest, sendCommand }, { prefix: service().prefix });
    const sent = ([name, ...parameters]: string[]) => real.call(name!, ...parameters);

    it.each<[string, () => unknown]>([
      ["another session's text", () => real.get(keyOf(other))],
      ['nothing', () => null],
      ['an acknowledgement', () => 'OK'],
      ['a number', () => 1],
      ['a list', () => ['word', 'text']],
      ['an error of its own', () => JSON.parse('no JSON') as unknown],
    ])('F4: finds a session although it hands out %s for what is there', async (_, answer) => {
      const store = storeOf(async (command) => (command[0] === 'get' ? answer() : sent(command)));
      expect(await store.find(record.id, call)).toEqual(record);
      expect(await store.find(newSessionId(), call)).toBeNull();
    });

    it('takes for nobody’s what is no text', async () => {
      const id = newSessionId();
      await real.rpush(keyOf({ ...record, id }), 'a list');
      expect(await storeOf(sent).find(id, call)).toBeNull();
      await real.del(keyOf({ ...record, id }));
    });
  });
});

describeWith('redis-cluster', 'RedisSessionStore takes a Cluster as the application set it up', (service) => {
  const roots = () => service().urls.map((url) => ({ url }));
  const kinds: Record<string, (prefix: string) => Promise<OpenClient>> = {
    'redis 5 that reads from replicas': () =>
      opened(redis5.createCluster({ rootNodes: roots(), useReplicas: true })),
    'redis 6 that reads from replicas': () =>
      opened(redis6.createCluster({ rootNodes: roots(), useReplicas: true })),
    'redis 5 that connects when it has to': () =>
      opened(redis5.createCluster({ rootNodes: roots(), minimizeConnections: true })),
    'redis 6 with keyPrefix': (keyPrefix) => opened(redis6.createCluster({ rootNodes: roots(), keyPrefix })),
    'ioredis 5 that reads from replicas': async () =>
      openedIoredis(new Ioredis5Cluster([...service().urls], { scaleReads: 'slave' })),
    'ioredis 5 with keyPrefix': async (keyPrefix) =>
      openedIoredis(new Ioredis5Cluster([...service().urls], { keyPrefix })),
    'ioredis 5 with pipelines of its own': async () =>
      openedIoredis(new Ioredis5Cluster([...service().urls], { enableAutoPipelining: true })),
    'ioredis 5 that connects when it has to': async () =>
      openedIoredis(new Ioredis5Cluster([...service().urls], { lazyConnect: true })),
  };

  it.each(Object.entries(kinds))('%s', async (name, open) => {
    const prefix = `${service().prefix}${name} [*]:`;
    const { client, close } = await open(prefix);
    try {
      for (let round = 0; round < 5; round++)
        await worksOn(new RedisSessionStore(client, name.includes('keyPrefix') ? options : { prefix }));
    } finally {
      await close();
    }
  });
});

describeWithPrivate('redis', 'RedisSessionStore before the application starts', (server) => {
  let admin: Ioredis5;
  beforeAll(() => {
    admin = new Ioredis5(server().url);
  });
  afterAll(() => admin.disconnect());

  it.each(['allkeys-lru', 'volatile-lru'])('refuses a server that evicts sessions: %s', async (policy) => {
    await admin.config('SET', 'maxmemory', '100mb', 'maxmemory-policy', policy);
    await expect(new RedisSessionStore(admin, options).prepare()).rejects.toMatchObject({
      code: 'SESSION_SCHEMA_INVALID',
      message: expect.stringMatching(`${policy}.*noeviction.*allowEviction`),
    });
    await new RedisSessionStore(admin, { ...options, allowEviction: true }).prepare();
    await admin.config('SET', 'maxmemory', '0');
    await new RedisSessionStore(admin, options).prepare();
    await admin.config('SET', 'maxmemory-policy', 'noeviction');
  });

  it('asks for no more than the user of the client may', async () => {
    const rights = ['on', '>secret', '~p:*', '+evalsha', '+eval', '+get', '+getrange', '+set', '+setrange'];
    const more = [
      '+del',
      '+pexpireat',
      '+zadd',
      '+zrem',
      '+zrange',
      '+zremrangebyscore',
      '+time',
      '+scan',
      '+client',
    ];
    await admin.call('ACL', 'SETUSER', 'app', ...rights, ...more);
    const client = new Ioredis5(server().url, {
      username: 'app',
      password: 'secret',
      enableReadyCheck: false,
    });
    await worksOn(new RedisSessionStore(client, options));
    await expect(new RedisSessionStore(client, { prefix: 'q:' }).prepare()).rejects.toThrow(/NOPERM/);
    client.disconnect();
  });

  it('says that nobody is logged in when that is so', async () => {
    await admin.config('SET', 'requirepass', 'secret');
    const client = new Ioredis5(server().url, { enableReadyCheck: false });
    client.on('error', () => {});
    await expect(new RedisSessionStore(client, options).prepare()).rejects.toThrow(/NOAUTH/);
    client.disconnect();
    await admin.config('SET', 'requirepass', '');
  });
});

describe('RedisSessionStore', () => {
  const client = new Ioredis5({ lazyConnect: true });
  const storeOver = (sendCommand: (command: string[]) => Promise<unknown>) =>
    new RedisSessionStore({ ...asNewest, sendCommand }, options);

  it.each([undefined, null, '', ' ', '\n', 7, {}])('refuses the prefix %p in words', (prefix) => {
    expect(() => new RedisSessionStore(client, { prefix: prefix as string })).toThrow(
      expect.objectContaining({
        code: 'SESSION_OPTIONS_INVALID',
        message: expect.stringContaining("prefix: 'myapp:sessions:'"),
      }),
    );
  });

  it('refuses missing options in words', () => {
    expect(() => new RedisSessionStore(client, undefined as never)).toThrow(
      /prefix of RedisSessionStore must be a text, got undefined/,
    );
  });

  it.each([
    [undefined, 'undefined'],
    ['redis://:secret@host', 'a string'],
    [Promise.resolve(client), 'a promise (await it first)'],
    [{ get: () => 'x' }, 'an object'],
    [class Redis {}, 'a function'],
  ])('refuses %p for a client in words', (given, name) => {
    const make = () => new RedisSessionStore(given as unknown as RedisClient, options);
    expect(make).toThrow(expect.objectContaining({ code: 'SESSION_OPTIONS_INVALID' }));
    expect(make).toThrow(`was given ${name}`);
    expect(make).not.toThrow(/secret/);
  });

  it('F4: sends nothing when the call has been given up before', async () => {
    const sendCommand = jest.fn();
    const unused = { ...asNewest, sendCommand };
    const store = new RedisSessionStore(unused, options);
    const call = { signal: AbortSignal.abort() };
    await expect(store.insert(aRecord(), call)).rejects.toThrow(SessionStoreError);
    await expect(store.deleteByPrincipal('a:1', call)).rejects.toThrow(SessionStoreError);
    expect(sendCommand).not.toHaveBeenCalled();
  });

  it.each([
    ['redis 6 that withdraws the command', 'The command was aborted'],
    ['a client that was disconnected', 'The client is offline'],
    ['a server that is full', 'OOM command not allowed when used memory > maxmemory'],
  ])('F1: says that the call was aborted, whatever it hears afterwards from %s', async (_, message) => {
    const controller = new AbortController();
    const store = storeOver(async () => {
      controller.abort();
      throw new Error(message);
    });
    await expect(store.insert(aRecord(), controller)).rejects.toThrow(
      new SessionStoreError('insert', 'the call was aborted'),
    );
  });

  it.each([
    { version: '5.12', members: {}, isWithdrawn: false },
    { version: '6.1', members: { _keyPrefix: undefined }, isWithdrawn: false },
    { version: '6.2', members: asNewest, isWithdrawn: true },
  ])(
    'F1: withdraws the command of an aborted call only from clients that survive it: redis $version',
    ({ members, isWithdrawn }) => {
      const controller = new AbortController();
      const sendCommand = jest.fn(
        (_: unknown, _options: { abortSignal: AbortSignal }) => new Promise(() => {}),
      );
      const client = { isOpen: true, isReady: true, on: () => {}, sendCommand, ...members };
      void new RedisSessionStore(client, options).find(newSessionId(), controller);
      controller.abort();
      const [, { abortSignal }] = sendCommand.mock.calls[0]!;
      expect({ isWithdrawn: abortSignal.aborted }).toEqual({ isWithdrawn });
    },
  );

  it.each(['findByPrincipal', 'deleteByPrincipal'] as const)(
    'F1: stops when the call is aborted during %s, and says so',
    async (operation) => {
      const controller = new AbortController();
      const entry = newSessionId() + '0'.repeat(16);
      const sent: string[] = [];
      const store = storeOver(async ([name, ...parameters]) => {
        sent.push(name!);
        controller.abort();
        return [parameters.at(-1), [entry]];
      });
      await expect(store[operation]('a:1', controller)).rejects.toThrow(
        new SessionStoreError(operation, 'the call was aborted'),
      );
      expect(sent).toEqual(['evalsha']);
    },
  );

  it.each([
    ['slave', ['evalsha']],
    ['all', ['evalsha']],
    ['master', ['get', 'evalsha']],
  ])('F4: asks no replica through an ioredis Cluster that reads from %s', async (scaleReads, names) => {
    const asked: string[] = [];
    const cluster = {
      isCluster: true,
      status: 'ready',
      options: { scaleReads },
      call: async (name: string, ...parameters: string[]) => {
        asked.push(name);
        return name === 'get' ? null : [parameters.at(-1), null];
      },
    };
    expect(await new RedisSessionStore(cluster as never, options).find(newSessionId(), call)).toBeNull();
    expect(asked).toEqual(names);
  });

  it.each(['OK', 1, null, [], ['another word', 1], [null, null]])(
    'F4: takes %p, the answer to some other command, for no answer',
    async (answer) => {
      let asked = 0;
      const mixedUp = { ...asNewest, sendCommand: async () => (asked++, answer) };
      const store = new RedisSessionStore(mixedUp, options);
      const signal = AbortSignal.timeout(100);
      const record = aRecord();
      await Promise.all(
        [
          () => store.find(record.id, { signal }),
          () => store.insert(record, { signal }),
          () => store.update(record, 1, { signal }),
          () => store.extend(record.id, 1, 1, { signal }),
          () => store.delete(record.id, { signal }),
          () => store.findByPrincipal('a:1', { signal }),
          () => store.deleteByPrincipal('a:1', { signal }),
        ].map((act) => expect(act()).rejects.toThrow(SessionStoreError)),
      );
      expect(asked).toBeGreaterThan(7);
    },
  );
});
