import { Redis } from 'ioredis';
import { createClient } from 'redis';
import {
  MemorySessionStore,
  isWatchable,
  type EndListener,
  type SessionId,
  type SessionStore,
} from 'nestjs-tessera';
import { RedisSessionStore } from 'nestjs-tessera/redis';
import { TieredSessionStore } from 'nestjs-tessera/tiered';
import { TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import { insertOne } from '../../lib/testing/store-suite/records';
import { call } from '../../lib/testing/store-suite/store-suite';
import { core, type Core } from '../support/core';
import { describeSome, itLong } from '../support/long';
import { describeWith, describeWithPrivate, TcpProxy, type Service } from '../support/servers';
import { door, WatchedStore } from '../support/watched-store';
import { redisClients, type RedisClientKind } from './redis-clients';
import { until } from './redis-until';
import { openApplication } from './server-database';

/** Within a second is the promise; the rest is for a busy machine. */
const PATIENCE = 2_000;

/** What is told of sessions, by one store. */
class Ears {
  readonly heard: (string | null)[] = [];
  readonly #subscription;

  constructor(store: SessionStore) {
    if (!isWatchable(store)) throw new Error('The store tells of no ends.');
    const listener: EndListener = (id) => this.heard.push(id);
    this.#subscription = store.watchEnds(listener);
  }

  get isActive(): boolean {
    return this.#subscription.isActive;
  }

  active(): Promise<void> {
    return until(() => this.isActive, 'the subscription is active');
  }

  inactive(): Promise<void> {
    return until(() => !this.isActive, 'the subscription is inactive');
  }

  hear(id: SessionId): Promise<void> {
    return until(() => this.heard.includes(id), 'the end is told', PATIENCE);
  }

  close(): void {
    this.#subscription.close();
  }
}

/** Watches a login, and resolves with how it ended. */
async function watch({ manager }: Core, token: string): Promise<{ ended: Promise<string>; stop(): void }> {
  const session = await manager.open(token);
  let end!: (how: string) => void;
  const ending = new Promise<string>((resolve) => (end = resolve));
  const stop = manager.watchEnd(session, end);
  let timer: NodeJS.Timeout | undefined;
  const late = () =>
    new Promise<string>((resolve) => (timer = setTimeout(() => resolve('not at all'), PATIENCE)));
  return {
    get ended() {
      return Promise.race([ending, late()]).finally(() => clearTimeout(timer));
    },
    stop,
  };
}

const login = (application: Core): Promise<string> =>
  application.issued(null, (session) => session.login({ id: 'ada' }));

/** Ends a session in the store, as another process does. */
async function endIn(store: SessionStore, token: string): Promise<void> {
  await store.delete(token.slice(0, 22) as SessionId, call);
}

// ioredis 6 and redis 6 are the same to the suite, which listens with each.
const belongs = ({ name }: RedisClientKind) => name === 'redis 5' || name === 'ioredis 5';

describeSome(redisClients, belongs, 'ends on Redis through', ({ open }) => {
  describeWithPrivate('redis', 'a private server', (server) => {
    const opened: { close(): Promise<void> }[] = [];
    const cleanups: (() => void)[] = [];
    let admin: Redis;
    let proxy: TcpProxy;

    beforeAll(async () => {
      admin = new Redis(server().url);
      proxy = await TcpProxy.open(server().port);
    });
    afterEach(async () => {
      await proxy.heal();
      for (const clean of cleanups.splice(0)) clean();
      await Promise.all(opened.splice(0).map((client) => client.close()));
    });
    afterAll(async () => {
      admin.disconnect();
      await proxy.close();
    });

    /** The store of one process. */
    async function process(prefix: string, url = server().url): Promise<RedisSessionStore> {
      const client = await open([url]);
      opened.push(client);
      return new RedisSessionStore(client.client, { prefix });
    }

    function earsOf(store: SessionStore): Ears {
      const ears = new Ears(store);
      cleanups.push(() => ears.close());
      return ears;
    }

    it('S2: are told again after the connection was killed, which says that some may be lost', async () => {
      const [here, there] = [await process('a:'), await process('a:')];
      const ears = earsOf(here);
      await ears.active();
      ears.heard.length = 0;
      await admin.client('KILL', 'TYPE', 'pubsub');
      await until(() => ears.heard.includes(null), 'it is told that hints may be lost');
      const { id } = await insertOne(there);
      await there.delete(id, call);
      await ears.hear(id);
    });

    it('S2: are found when they came while there was no connection', async () => {
      const there = await process('b:');
      const here = core({ store: await process('b:', proxy.through(server().url)) });
      const token = await login(here);
      const watching = await watch(here, token);
      const ears = earsOf(here.store.inner);
      await ears.active();
      await proxy.refuse();
      await ears.inactive();
      await endIn(there, token);
      await proxy.heal();
      expect(await watching.ended).toBe('ended');
      here.manager.close();
    });

    itLong(
      'S2: are known not to be told when a connection is lost that nobody has closed',
      async () => {
        const ears = earsOf(await process('c:', proxy.through(server().url)));
        await ears.active();
        proxy.strand();
        await ears.inactive();
      },
      20_000,
    );

    it('S2: are found where the user of the server may not publish or subscribe', async () => {
      await admin.acl('SETUSER', 'mute', 'on', '>pw', '~*', 'resetchannels', '+@all');
      const url = server().url.replace('redis://', 'redis://mute:pw@');
      const [here, there] = [core({ store: await process('d:', url) }), await process('d:', url)];
      const [token, other] = [await login(here), await login(here)];
      const [watching, earlier] = [await watch(here, token), await watch(here, other)];
      await endIn(there, other);
      await earlier.ended;
      await endIn(there, token);
      expect(await watching.ended).toBe('ended');
      here.manager.close();
    });

    it('are told to those of the same prefix only', async () => {
      const [here, there, other] = [await process('e:'), await process('e:'), await process('e2:')];
      const [ears, others] = [earsOf(here), earsOf(other)];
      await Promise.all([ears.active(), others.active()]);
      const { id } = await insertOne(there);
      await there.delete(id, call);
      await ears.hear(id);
      const another = await insertOne(other);
      await other.delete(another.id, call);
      await others.hear(another.id);
      expect({ one: ears.heard.includes(another.id), two: others.heard.includes(id) }).toEqual({
        one: false,
        two: false,
      });
    });

    it('take no connection of their own while nothing is watched', async () => {
      const store = await process('f:');
      const listening = async (): Promise<number> =>
        Number((await admin.pubsub('NUMSUB', 'f:session:ended'))[1]);
      const before = await listening();
      const ears = earsOf(store);
      await ears.active();
      const during = await listening();
      ears.close();
      await until(async () => (await listening()) === 0, 'the connection is closed');
      expect({ before, during }).toEqual({ before: 0, during: 1 });
    });
  });
});

describeWithPrivate('redis', 'ends on Redis', (server) => {
  it('are told through a connection that may be silent for longer than those of the application', async () => {
    const socket = { socketTimeout: 100, reconnectStrategy: 10 };
    const client = createClient({ url: server().url, socket });
    const timeouts: Error[] = [];
    client.on('error', (error: Error) => timeouts.push(error));
    await client.connect();
    const ears = new Ears(new RedisSessionStore(client, { prefix: 't:' }));
    await ears.active();
    const before = timeouts.length;
    await until(() => timeouts.length > before + 3, 'the application’s connection has timed out thrice');
    const { heard } = ears;
    ears.close();
    client.destroy();
    expect(heard).toEqual([null]);
  });
});

describe('ends on Redis behind Sentinels', () => {
  it('leave no client behind that goes on trying to connect', async () => {
    // Nothing listens there.
    const sentinels = [{ host: '127.0.0.1', port: 1 }];
    const client = new Redis({ sentinels, name: 'none', lazyConnect: true });
    client.on('error', () => {});
    const opened: Redis[] = [];
    const duplicate = client.duplicate.bind(client);
    client.duplicate = (options) => {
      opened.push(duplicate(options));
      return opened.at(-1)!;
    };
    const ears = new Ears(new RedisSessionStore(client, { prefix: 's:' }));
    await until(() => opened.some(({ status }) => status === 'connecting'), 'it tries to connect');
    ears.close();
    const givenUp = until(() => opened.every(({ status }) => status === 'end'), 'it gives up', PATIENCE);
    await givenUp.finally(() => client.disconnect());
    expect(opened).toHaveLength(1);
  });
});

/** The sockets that keep this process alive. */
function openSockets(): { readonly remotePort?: number }[] {
  return (
    process as unknown as { _getActiveHandles(): { readonly remotePort?: number }[] }
  )._getActiveHandles();
}

describeWith('postgres', 'ends on PostgreSQL', (service: () => Service) => {
  const cleanups: (() => unknown)[] = [];
  let proxy: TcpProxy;

  beforeAll(async () => {
    proxy = await TcpProxy.open(Number(new URL(service().url).port));
  });
  afterEach(async () => {
    await proxy.heal();
    for (const clean of cleanups.splice(0)) await clean();
  });
  afterAll(() => proxy.close());

  /** Two processes over one table. */
  async function two() {
    const app = await openApplication('postgres', service().url);
    const there = new TypeOrmSessionStore(app);
    Object.assign(app.options, { url: proxy.through(service().url) });
    const here = new TypeOrmSessionStore(app);
    const ears = new Ears(here);
    cleanups.push(
      () => ears.close(),
      () => here.close(),
      () => there.close(),
    );
    await ears.active();
    return { app, here, there, ears };
  }

  it('S2: are told again after the connection was killed, which says that some may be lost', async () => {
    const { app, there, ears } = await two();
    ears.heard.length = 0;
    await app.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'`);
    await until(() => ears.heard.includes(null), 'it is told that hints may be lost');
    const { id } = await insertOne(there);
    await there.delete(id, call);
    await ears.hear(id);
  });

  it('S2: are found when they came while there was no connection', async () => {
    const { here, there, ears } = await two();
    const application = core({ store: here });
    const token = await login(application);
    const watching = await watch(application, token);
    await proxy.refuse();
    await ears.inactive();
    await endIn(there, token);
    await proxy.heal();
    expect(await watching.ended).toBe('ended');
    application.manager.close();
  });

  itLong(
    'S2: are told again after a connection was lost that no one had closed',
    async () => {
      const { there, ears } = await two();
      ears.heard.length = 0;
      proxy.strand();
      await ears.inactive();
      await ears.active();
      const { id } = await insertOne(there);
      await there.delete(id, call);
      await ears.hear(id);
      expect(ears.heard[0]).toBeNull();
    },
    60_000,
  );

  it('keep no process alive whose server is gone without a farewell', async () => {
    const { app, here, ears } = await two();
    const port = Number(new URL((app.options as { url: string }).url).port);
    proxy.strand();
    ears.close();
    await here.close();
    expect(openSockets().filter(({ remotePort }) => remotePort === port)).toEqual([]);
  });

  it('are told to those of the same table only', async () => {
    const { app, there, ears } = await two();
    await app.query('CREATE TABLE others (LIKE tessera_sessions INCLUDING ALL)');
    const other = new TypeOrmSessionStore(app, { tableName: 'others' });
    cleanups.push(() => other.close());
    const foreign = await insertOne(other);
    await other.delete(foreign.id, call);
    const { id } = await insertOne(there);
    await there.delete(id, call);
    await ears.hear(id);
    expect(ears.heard).not.toContain(foreign.id);
  });

  it('are not told of changes of data and extensions', async () => {
    const { there, ears } = await two();
    const record = await insertOne(there, { principal: 'a:ada' });
    await there.find(record.id, call);
    await there.update({ ...record, version: 2, body: 'changed' }, 1, call);
    await there.update({ ...record, version: 3, body: 'again' }, 2, call);
    await there.extend(record.id, 3, record.expiresAt + 1, call);
    const { id } = await insertOne(there);
    await there.delete(id, call);
    await ears.hear(id);
    expect(ears.heard).not.toContain(record.id);
  });
});

describe('ends over two tiers', () => {
  it('S2: are found though a hint comes before the copy is removed', async () => {
    const [fast, durable] = [new WatchedStore(new MemorySessionStore()), new MemorySessionStore()];
    const open = () => new TieredSessionStore({ fast, durable, shared: true });
    const [here, there] = [core({ store: open() }), open()];
    const token = await login(here);
    const watching = await watch(here, token);
    await here.manager.open(token);
    const removing = door();
    let finds = 0;
    fast.before = async (operation) => {
      if (operation !== 'find') await removing.opened;
    };
    fast.after = (operation) => {
      if (operation === 'find' && ++finds === 2) removing.open();
    };
    await endIn(there, token);
    expect(await watching.ended).toBe('ended');
    here.manager.close();
  });
});
