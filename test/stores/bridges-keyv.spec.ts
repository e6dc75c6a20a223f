import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';
import { fromKeyv } from 'nestjs-tessera/bridges';
import { describeSessionStore } from 'nestjs-tessera/testing';
import { describeLong } from '../support/long';
import { describeWith, type Service } from '../support/servers';

const shared = { without: ['principals', 'sweeping', 'watching'], unmet: ['conditional-writes'] } as const;

describe('fromKeyv on a Map', () => {
  let map: Map<string, unknown>;

  describeSessionStore('fromKeyv', {
    ...shared,
    create: () => fromKeyv(new Keyv((map = new Map()))),
    peer: () => fromKeyv(new Keyv(map)),
  });
});

// bridges-faults runs the same tests on a Redis, and disturbs it.
describeLong('fromKeyv undisturbed', () => describeWith('redis', 'on Redis', describeOnRedis));

function describeOnRedis(service: () => Service): void {
  let stores = 0;
  const opened: KeyvRedis<string>[] = [];
  const open = () => {
    const adapter = new KeyvRedis<string>(service().url);
    opened.push(adapter);
    return fromKeyv(new Keyv(adapter, { namespace: `${service().prefix}${stores}` }));
  };

  describeSessionStore('fromKeyv', {
    ...shared,
    create: () => {
      stores++;
      return open();
    },
    peer: () => open(),
    destroy: async () =>
      void (await Promise.all(opened.splice(0).map((adapter) => adapter.disconnect(true)))),
  });
}
