import type { SessionStore } from 'nestjs-tessera';
import type { StoreFaults } from 'nestjs-tessera/testing';
import { DeadlineClient } from '../../lib/testing/store-suite/deadline-client';
import type { Server, TcpProxy } from '../support/servers';

/** All faults of the suite: those of a private server, and those of the network before it. The server keeps what it has acknowledged. */
export function networkFaults(server: () => Server, proxy: () => TcpProxy): StoreFaults {
  return {
    freeze: () => server().freeze(),
    thaw: () => server().thaw(),
    kill: () => server().kill(),
    restart: () => server().start(),
    refuse: () => proxy().refuse(),
    hang: () => proxy().hang(),
    slow: (milliseconds) => proxy().delay(milliseconds),
    heal: () => proxy().heal(),
    durable: true,
  };
}

/** Fails unless a store answers again within 10 seconds of the loss of its connections. */
export async function recoversFromLostConnections(store: SessionStore, proxy: TcpProxy): Promise<void> {
  const client = new DeadlineClient(store, 500, 10_000);
  await client.recovered();
  proxy.strand();
  await client.recovered();
  await client.settled();
}
