import { setTimeout as pause } from 'node:timers/promises';
import { RedisSessionStore, type RedisClient } from 'nestjs-tessera/redis';
import * as redis5 from 'redis';
import * as redis6 from 'redis-6';
import { newSessionId } from '../../lib/core/session-token';
import { DeadlineClient } from '../../lib/testing/store-suite/deadline-client';
import { aRecord } from '../../lib/testing/store-suite/records';
import { call } from '../../lib/testing/store-suite/store-suite';
import { describeSome } from '../support/long';
import { describeWithPrivate, TcpProxy } from '../support/servers';
import { belongs } from './redis-black-hole';
import { opened, type OpenClient, type RedisClientKind, redisClients } from './redis-clients';
import { until } from './redis-until';

/** Time for four looks at a connection; two find it silent. */
const FOUR_LOOKS = 4000;

const kinds: readonly RedisClientKind[] = [
  ...redisClients,
  { name: 'a pool of redis 5', open: ([url]) => opened(redis5.createClientPool({ url })) },
  { name: 'a pool of redis 6', open: ([url]) => opened(redis6.createClientPool({ url })) },
];

describeSome(kinds, belongs, 'RedisSessionStore that closes', ({ open }) => {
  describeWithPrivate('redis', 'on a network that loses connections', (server) => {
    let proxy: TcpProxy;
    let connected: OpenClient;
    let store: RedisSessionStore;

    beforeEach(async () => {
      proxy = await TcpProxy.open(server().port);
      connected = await open([proxy.through(server().url)]);
      store = new RedisSessionStore(connected.client, { prefix: 'p:', closeClient: true });
      await store.prepare();
    });
    afterEach(async () => {
      await connected.close().catch(() => {}); // redis 5 rejects when it is closed already
      await proxy.close();
    });

    /** Waits for an answer that never comes. */
    const strandACall = async () => {
      proxy.strand();
      const client = new DeadlineClient(store, 300, FOUR_LOOKS);
      await expect(client.find(newSessionId())).rejects.toThrow('no answer within 300 ms');
    };

    it('W4: ends its connections, black-holed or not', async () => {
      await strandACall();
      await store.close!();
      await until(() => proxy.clients === 0 && isClosed(connected.client), 'its connections end');
    });

    it('W4: lets the commands under way be answered', async () => {
      const record = aRecord();
      await store.insert(record, call);
      proxy.delay(300);
      const found = store.find(record.id, call);
      await store.close!();
      expect({ found: await found, isClosed: isClosed(connected.client) }).toEqual({
        found: record,
        isClosed: true,
      });
    });

    it('F8: does not open again what the application closes meanwhile', async () => {
      await strandACall();
      close(connected.client).catch(() => {});
      await pause(FOUR_LOOKS);
      const before = isClosed(connected.client);
      await store.close!();
      expect({ before, after: isClosed(connected.client) }).toEqual({ before: true, after: true });
    });
  });
});

interface Closable {
  readonly isOpen?: boolean;
  readonly status?: string;
  close?(): Promise<unknown>;
  quit(): Promise<unknown>;
}

function isClosed(client: RedisClient): boolean {
  const { isOpen, status } = client as unknown as Closable;
  return isOpen === undefined ? status === 'end' : !isOpen;
}

/** As an application does it that waits for its commands. */
function close(client: RedisClient): Promise<unknown> {
  const closable = client as unknown as Closable;
  return closable.close === undefined ? closable.quit() : closable.close();
}
