import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';
import { fromKeyv } from 'nestjs-tessera/bridges';
import { describeSessionStore } from 'nestjs-tessera/testing';
import { describeWithPrivate, TcpProxy } from '../support/servers';

const shared = { without: ['principals', 'sweeping', 'watching'], unmet: ['conditional-writes'] } as const;

describeWithPrivate('redis', 'fromKeyv on a Redis with faults', (server) => {
  let proxy: TcpProxy;
  let stores = 0;
  let adapter: KeyvRedis<string>;

  beforeAll(async () => {
    proxy = await TcpProxy.open(server().port);
  });
  afterAll(() => proxy.close());

  describeSessionStore('fromKeyv', {
    ...shared,
    create() {
      adapter = new KeyvRedis(proxy.through(server().url));
      return fromKeyv(new Keyv(adapter, { namespace: `${++stores}` }));
    },
    destroy: () => adapter.disconnect(true),
    // Not `refuse`: the client that the adapter brings does not always recover from a connection that breaks twice.
    faults: {
      freeze: () => server().freeze(),
      thaw: () => server().thaw(),
      kill: () => server().kill(),
      restart: () => server().start(),
      hang: () => proxy.hang(),
      slow: (milliseconds) => proxy.delay(milliseconds),
      heal: () => proxy.heal(),
    },
  });
});
