import { Redis } from 'ioredis';
import type { SessionId, SessionRecord } from 'nestjs-tessera';
import { RedisSessionStore } from 'nestjs-tessera/redis';
import { newSessionId } from '../../lib/core/session-token';
import { aRecord, MINUTE, nextOf, START } from '../../lib/testing/store-suite/records';
import { call } from '../../lib/testing/store-suite/store-suite';
import { describeWithPrivate, TcpProxy } from '../support/servers';
import { type OpenClient, redisClients } from './redis-clients';
import { until } from './redis-until';

const HOUR = 60 * MINUTE;
/** The name of a command, as clients write it: an array that begins with a string. */
const COMMAND = /\*\d+\r\n\$\d+\r\n([a-z]+)\r\n/gi;

describeWithPrivate('redis', 'RedisSessionStore on the wire', (server) => {
  let proxy: TcpProxy;
  let inspector: Redis;
  let said: string[];

  beforeAll(async () => {
    proxy = await TcpProxy.open(server().port);
    inspector = new Redis(server().url);
  });
  beforeEach(() => inspector.flushall());
  afterAll(async () => {
    inspector.disconnect();
    await proxy.close();
  });

  const entriesOf = (principal: string) => inspector.zrange(`p:principal:${principal}`, 0, -1);

  describe.each(redisClients)('through $name', ({ open }) => {
    let opened: OpenClient;
    let store: RedisSessionStore;

    beforeAll(async () => {
      opened = await open([proxy.through(server().url)]);
    });
    afterAll(() => opened.close());
    beforeEach(async () => {
      store = new RedisSessionStore(opened.client, { prefix: 'p:' });
      const warm = aRecord({ principal: 'a:warm' });
      await store.insert(warm, call);
      await store.update(nextOf(warm), 1, call);
      await store.extend(warm.id, 2, START + 2 * HOUR, call);
      await store.find(warm.id, call);
      await store.delete(warm.id, call);
      await store.find(warm.id, call);
      await store.findByPrincipal('a:warm', call);
      await until(async () => (await entriesOf('a:warm')).length === 0, 'the entry is forgotten');
      proxy.onClientData = (chunk) =>
        said.push(
          ...Array.from(chunk.toString('latin1').matchAll(COMMAND), ([, name]) => name!.toLowerCase()),
        );
      said = [];
    });
    afterEach(() => {
      proxy.onClientData = () => {};
    });

    const commandsOf = async (act: () => Promise<unknown>): Promise<string[]> => {
      said = [];
      await act();
      return said;
    };

    it('takes one command for each call about a visitor, and a second to be sure that there is none', async () => {
      const record = aRecord();
      const { id } = record;
      expect(await commandsOf(() => store.insert(record, call))).toEqual(['evalsha']);
      expect(await commandsOf(() => store.find(id, call))).toEqual(['get']);
      expect(await commandsOf(() => store.update(nextOf(record), 1, call))).toEqual(['evalsha']);
      expect(await commandsOf(() => store.extend(id, 2, START + 2 * HOUR, call))).toEqual(['evalsha']);
      expect(await commandsOf(() => store.delete(id, call))).toEqual(['evalsha']);
      expect(await commandsOf(() => store.find(id, call))).toEqual(['get', 'evalsha']);
    });

    it('takes the index besides for a login, and nothing besides for what follows', async () => {
      const visitor = aRecord();
      await store.insert(visitor, call);
      const ada = nextOf(visitor, { principal: 'a:ada' });
      expect(await commandsOf(() => store.update(ada, 1, call))).toEqual(['evalsha', 'evalsha']);
      expect(await commandsOf(() => store.find(ada.id, call))).toEqual(['get']);
      expect(await commandsOf(() => store.update(nextOf(ada), 2, call))).toEqual(['evalsha']);
      expect(await commandsOf(() => store.extend(ada.id, 3, START + 90 * MINUTE, call))).toEqual(['evalsha']);
      expect(await commandsOf(() => store.insert(aRecord({ principal: 'a:ada' }), call))).toHaveLength(2);
    });

    it('F4: takes one command more when the server has forgotten the scripts', async () => {
      const record = aRecord();
      await inspector.script('FLUSH');
      expect(await commandsOf(() => store.insert(record, call))).toEqual(['evalsha', 'eval']);
      expect(await commandsOf(() => store.insert(aRecord(), call))).toEqual(['evalsha']);
      await inspector.script('FLUSH');
      const ids = [record.id, record.id, record.id];
      const found = await Promise.all(ids.map((id) => store.find(id, call)));
      expect(found).toEqual([record, record, record]);
    });

    it('leaves an entry without a session when it ends between the two, which reading prunes in time', async () => {
      const record = aRecord({ principal: 'a:ada' });
      proxy.onServerData = () => proxy.hang(); // what it says to the index is the last that arrives
      const controller = new AbortController();
      const insertion = store.insert(record, { signal: controller.signal });
      insertion.catch(() => {});
      await until(async () => (await entriesOf('a:ada')).length === 1, 'the entry is there');
      controller.abort();
      proxy.onServerData = () => {};
      await proxy.heal();
      await expect(insertion).rejects.toMatchObject({ code: 'SESSION_STORE_UNAVAILABLE' });
      expect(await inspector.keys('p:session:*')).toEqual([]);

      expect(await store.findByPrincipal('a:ada', call)).toEqual([]);
      expect(await store.deleteByPrincipal('a:ada', call)).toBe(0);
      expect(await entriesOf('a:ada')).toHaveLength(1); // its session might be on its way

      const aMinuteAgo = String(Date.now() - MINUTE - 1).padStart(16, '0');
      await inspector.del('p:principal:a:ada');
      await inspector.zadd('p:principal:a:ada', START + HOUR, record.id + aMinuteAgo);
      expect(await store.findByPrincipal('a:ada', call)).toEqual([]);
      await until(async () => (await entriesOf('a:ada')).length === 0, 'the entry is pruned');
    });
  });

  describe('in Redis', () => {
    let store: RedisSessionStore;
    beforeEach(() => {
      store = new RedisSessionStore(inspector, { prefix: 'p:' });
    });

    const keyOf = (id: SessionId) => `p:session:${id}`;
    const expiryOf = (key: string) => inspector.pexpiretime(key);

    it('keeps a session until its expiry, whichever call set it', async () => {
      /** The clocks agree, but the command takes a while to arrive. */
      const expectExpiry = async (id: SessionId, expiresAt: number) => {
        const late = (await expiryOf(keyOf(id))) - expiresAt;
        expect({ early: late < 0, tooLate: late > 5000 }).toEqual({ early: false, tooLate: false });
      };
      const record = aRecord({ principal: 'a:ada', expiresAt: START + HOUR });
      await store.insert(record, call);
      await expectExpiry(record.id, START + HOUR);
      await store.extend(record.id, 1, START + 2 * HOUR, call);
      await expectExpiry(record.id, START + 2 * HOUR);
      await store.update(nextOf(record, { expiresAt: START + MINUTE }), 1, call);
      await expectExpiry(record.id, START + MINUTE);
    });

    it.each([0, -1, -MINUTE, 1, START - MINUTE, 1.5])(
      'E5: forgets at once what expires at %p',
      async (expiresAt) => {
        const dead = [
          aRecord({ expiresAt }),
          aRecord({ principal: 'a:ada' }),
          aRecord({ principal: 'a:ada' }),
        ];
        for (const record of dead) await store.insert(record, call);
        expect(await store.update(nextOf(dead[1]!, { expiresAt }), 1, call)).toBe(true);
        expect(await store.extend(dead[2]!.id, 1, expiresAt, call)).toBe(true);
        expect(await inspector.exists(...dead.map(({ id }) => keyOf(id)))).toBe(0);
      },
    );

    it('lets an index live until its last session is sure to be gone', async () => {
      const [short, long] = [START + MINUTE, START + 10 * HOUR];
      await store.insert(aRecord({ principal: 'a:ada', expiresAt: long }), call);
      await store.insert(aRecord({ principal: 'a:ada', expiresAt: short }), call);
      const lastUntil = Number((await inspector.zrange('p:principal:a:ada', -1, -1, 'WITHSCORES'))[1]);
      expect(lastUntil).toBeGreaterThanOrEqual(long);
      expect(await expiryOf('p:principal:a:ada')).toBe(lastUntil);
    });

    it('renews the place in the index of a session that is extended again and again', async () => {
      const record = aRecord({ principal: 'a:ada', expiresAt: START + HOUR });
      await store.insert(record, call);
      for (let hours = 2; hours < 40; hours++) {
        expect(await store.extend(record.id, 1, START + hours * HOUR, call)).toBe(true);
        const scores = await inspector.zrange('p:principal:a:ada', 0, -1, 'WITHSCORES');
        expect(scores).toHaveLength(2); // one entry
        expect(Number(scores[1])).toBeGreaterThanOrEqual(START + hours * HOUR);
      }
      const last = { ...record, expiresAt: START + 39 * HOUR };
      expect(await store.findByPrincipal('a:ada', call)).toEqual([last]);
    });

    it('has a place in the index for a session that is updated again and again', async () => {
      let record = aRecord({ principal: 'a:ada', expiresAt: START + HOUR });
      await store.insert(record, call);
      for (let hours = 2; hours < 40; hours++) {
        record = nextOf(record, { expiresAt: START + hours * HOUR });
        expect(await store.update(record, record.version - 1, call)).toBe(true);
        const [, until] = await inspector.zrange('p:principal:a:ada', -1, -1, 'WITHSCORES');
        expect(Number(until)).toBeGreaterThanOrEqual(record.expiresAt);
      }
      expect(await store.findByPrincipal('a:ada', call)).toEqual([record]);
    });

    it('notices a place in the index that another process has let run out', async () => {
      const other = new RedisSessionStore(inspector, { prefix: 'p:' });
      const record = aRecord({ principal: 'a:ada' });
      await store.insert(record, call);
      await other.update(nextOf(record, { principal: 'a:bob' }), 1, call);
      const back = nextOf(record, { version: 3, principal: 'a:ada', expiresAt: START + 50 * HOUR });
      expect(await store.update(back, 2, call)).toBe(true); // it believed to know
      expect(await store.findByPrincipal('a:ada', call)).toEqual([back]);
      expect(await store.findByPrincipal('a:bob', call)).toEqual([]);
    });

    it('drops what is past from an index that is written to', async () => {
      await inspector.zadd('p:principal:a:ada', 1, `${newSessionId()}0000000000000001`);
      await store.insert(aRecord({ principal: 'a:ada' }), call);
      expect(await entriesOf('a:ada')).toHaveLength(1);
    });

    it('forgets the entry of a session that ends', async () => {
      const records = Array.from({ length: 3 }, () => aRecord({ principal: 'a:ada' }));
      for (const record of records) await store.insert(record, call);
      await store.delete(records[0]!.id, call);
      await until(async () => (await entriesOf('a:ada')).length === 2, 'one entry is forgotten');
      expect(await store.deleteByPrincipal('a:ada', call)).toBe(2);
      await until(async () => (await entriesOf('a:ada')).length === 0, 'all entries are forgotten');
    });

    const broken: Record<string, (key: string, text: string) => Promise<unknown>> = {
      empty: (key) => inspector.set(key, ''),
      'cut in its line': (key, text) => inspector.set(key, text.slice(0, 60)),
      'of another program': (key) => inspector.set(key, '{"cart":[]}'),
      'of a newer format': (key, text) => inspector.set(key, `2${text.slice(1)}`),
      'with a principal that is no text': (key, text) => inspector.set(key, text.replace('"a:ada"', '{}')),
      'a list': (key) => inspector.rpush(key, 'x'),
    };
    it.each(Object.entries(broken))('D4: takes a value that is %s for no session', async (_, make) => {
      const record = aRecord({ principal: 'a:ada' });
      await store.insert(record, call);
      const id = newSessionId();
      await make(keyOf(id), (await inspector.get(keyOf(record.id)))!);
      const before = await inspector.dump(keyOf(id));
      expect(await store.find(id, call)).toBeNull();
      expect(await store.update(nextOf({ ...record, id }), 1, call)).toBe(false);
      expect(await store.extend(id, 1, START + HOUR, call)).toBe(false);
      await expect(store.insert({ ...record, id }, call)).rejects.toMatchObject({
        code: 'SESSION_DUPLICATE_ID',
      });
      expect(await inspector.dump(keyOf(id))).toEqual(before);
    });

    it.each(Object.entries(broken))('D4: lists the others beside a value that is %s', async (_, make) => {
      const record = aRecord({ principal: 'a:ada' });
      await store.insert(record, call);
      await make(keyOf(newSessionId()), (await inspector.get(keyOf(record.id)))!);
      const all: SessionRecord[] = [];
      for await (const one of store.records(call)) all.push(one);
      expect(all).toEqual([record]);
      expect(await store.findByPrincipal('a:ada', call)).toEqual([record]);
    });

    it.each(['p*', 'p?[x]', 'p\\', '{p}', 'p{', 'é🦊 '])('keeps to a prefix such as %p', async (prefix) => {
      const [mine, other] = [prefix, 'pxx'].map((own) => new RedisSessionStore(inspector, { prefix: own }));
      const record = aRecord({ principal: 'a:{x}' });
      await mine!.insert(record, call);
      await other!.insert(aRecord({ principal: 'a:{x}' }), call);
      const all: SessionRecord[] = [];
      for await (const one of mine!.records(call)) all.push(one);
      expect(all).toEqual([record]);
      expect(await mine!.findByPrincipal('a:{x}', call)).toEqual([record]);
    });
  });
});
