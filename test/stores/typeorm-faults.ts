import { describeSessionStore } from 'nestjs-tessera/testing';
import { TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import { describeWithPrivate, TcpProxy } from '../support/servers';
import { networkFaults, recoversFromLostConnections } from './network-faults';
import { application, openApplication, type SqlKind } from './server-database';

/** The whole suite over a network and a server that fail, with as few connections as it takes to wait for one. */
export function describeServerFaults(kind: SqlKind): void {
  describeWithPrivate(kind, `on a failing ${kind}`, (server) => {
    let proxy: TcpProxy;
    beforeAll(async () => (proxy = await TcpProxy.open(server().port)));
    afterAll(() => proxy.close());

    const storeOfProcess = () =>
      new TypeOrmSessionStore(application(kind, proxy.through(server().url)), { poolSize: 2 });

    describeSessionStore('TypeOrmSessionStore', {
      async create() {
        const app = await openApplication(kind, server().url);
        await app.destroy();
        return storeOfProcess();
      },
      peer: storeOfProcess,
      without: kind === 'postgres' ? [] : ['watching'],
      faults: networkFaults(server, () => proxy),
      volume: 500,
    });

    it('F8: is back within 10 seconds when its connections are black-holed', async () => {
      const app = await openApplication(kind, server().url);
      await app.destroy();
      const store = storeOfProcess();
      await recoversFromLostConnections(store, proxy);
      await store.close();
    });

    it('F1: closes in time although its server is frozen', async () => {
      const store = storeOfProcess();
      await store.prepare();
      const closing = async () => {
        const begun = performance.now();
        await store.close();
        return performance.now() - begun;
      };
      server().freeze();
      const took = await closing().finally(() => server().thaw());
      expect(took).toBeLessThan(5000);
    });
  });
}
