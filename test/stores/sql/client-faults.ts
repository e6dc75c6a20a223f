import { SqlSessionStore } from 'nestjs-tessera/sql';
import { describeWithPrivate, TcpProxy } from '../../support/servers';
import { networkFaults, recoversFromLostConnections } from '../network-faults';
import { describeClient, tableOf } from './client-suite';
import type { ClientKind } from './opened-client';

/** The whole suite for clients over a network and a server that fail. */
export function describeClientFaults(kind: 'postgres' | 'mariadb', clients: readonly ClientKind[]): void {
  describeWithPrivate(kind, `on a failing ${kind}`, (server) => {
    let proxy: TcpProxy;
    beforeAll(async () => (proxy = await TcpProxy.open(server().port)));
    afterAll(() => proxy.close());

    for (const client of clients) {
      describeClient(client, {
        place: () => proxy.through(server().url),
        isShared: true,
        faults: networkFaults(server, () => proxy),
      });
      if (client.abandons) describeBlackHole(client);
    }

    /** Of the others a connection is free as late as the operating system gives it up. */
    function describeBlackHole(client: ClientKind): void {
      describe(`SqlSessionStore through ${client.name}, on a network that loses connections`, () => {
        it('F8: is back within 10 seconds when its connections are black-holed', async () => {
          const opened = await client.open(proxy.through(server().url));
          const store = new SqlSessionStore({ ...opened.client, tableName: tableOf(client) });
          await recoversFromLostConnections(store, proxy);
          await opened.close();
        });
      });
    }
  });
}
