import { setTimeout as pause } from 'node:timers/promises';
import type { SessionRecord } from 'nestjs-tessera';
import { TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import type { DataSource, QueryRunner } from 'typeorm';
import { aRecord, insertAll, insertOne, nextOf, START } from '../../lib/testing/store-suite/records';
import { call } from '../../lib/testing/store-suite/store-suite';
import { describeWith, TcpProxy } from '../support/servers';
import { openApplication, type SqlKind, sqlKinds } from './server-database';

/** Who waits for a lock, and what makes the application the one that survives a deadlock. */
const kinds = {
  postgres: {
    survive: `SET LOCAL deadlock_timeout = '20s'`, // so that the store is the first to look for one
    waiting: `SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  },
  mariadb: {
    survive: `UPDATE tessera_sessions SET version = 7 WHERE principal = 'a:2'`, // it has written the most
    waiting: `SELECT count(*) AS n FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'`,
  },
} satisfies Record<SqlKind, object>;

for (const kind of sqlKinds) {
  describeWith(kind, `TypeOrmSessionStore against others on ${kind}`, (service) => {
    const { survive, waiting } = kinds[kind];
    let app: DataSource;
    let store: TypeOrmSessionStore;
    let other: QueryRunner;

    async function open(options: object = {}, url = service().url): Promise<void> {
      app = await openApplication(kind, service().url, options);
      Object.assign(app.options, { url });
      store = new TypeOrmSessionStore(app, { poolSize: 4 });
      other = app.createQueryRunner();
    }
    afterEach(async () => {
      if (other.isTransactionActive) await other.rollbackTransaction();
      await other.release();
      await store.close();
    });

    const touch = (id: string) =>
      other.query(`UPDATE tessera_sessions SET body = '{"by":"app"}' WHERE id = '${id}'`);

    async function somebodyWaits(): Promise<void> {
      for (let tries = 0; tries < 100; tries++) {
        if (Number((await app.query(waiting))[0].n) > 0) return;
        await pause(120); // MariaDB shows the same again to whoever asks within a tenth of a second
      }
      throw new Error('nobody waits for a lock');
    }

    it('F3: repeats what a deadlock has undone', async () => {
      await open();
      const records = ['aaaaaaaaaaaaaaaaaaaaaa', 'zzzzzzzzzzzzzzzzzzzzzz'].map((id) =>
        aRecord({ id: id as never, principal: 'a:1' }),
      );
      for (const record of records) await store.insert(record, call);
      await insertAll(
        store,
        Array.from({ length: 20 }, () => aRecord({ principal: 'a:2' })),
      );
      await other.startTransaction();
      await other.query(survive);
      await touch(records[1]!.id);
      const revoking = store.deleteByPrincipal('a:1', call);
      await somebodyWaits();
      await touch(records[0]!.id);
      await other.commitTransaction();
      expect(await revoking).toBe(2);
    });

    it('F3: waits for a lock, and then writes on top of what it finds', async () => {
      await open();
      const record = await insertOne(store);
      await other.startTransaction();
      await touch(record.id);
      const writing = [store.extend(record.id, 1, START, call), store.extend(record.id, 2, 7, call)];
      await somebodyWaits();
      await other.commitTransaction();
      expect(await Promise.all(writing)).toEqual([true, false]);
      expect(await store.find(record.id, call)).toMatchObject({ body: '{"by":"app"}', expiresAt: START });
    });

    it('stops waiting when the call is given up, and holds no connection any more', async () => {
      await open();
      const record = await insertOne(store);
      await other.startTransaction();
      await touch(record.id);
      const signal = AbortSignal.timeout(100);
      const writing = Array.from({ length: 8 }, () => store.update(nextOf(record), 1, { signal }));
      const message = expect.stringMatching(/aborted/) as string;
      const reason = { code: 'SESSION_STORE_UNAVAILABLE', message };
      expect(await Promise.allSettled(writing)).toMatchObject(writing.map(() => ({ reason })));
      expect(await store.find(aRecord().id, { signal: AbortSignal.timeout(5000) })).toBeNull();
    });

    describe('over a network that breaks', () => {
      let proxy: TcpProxy;
      beforeEach(async () => {
        proxy = await TcpProxy.open(Number(new URL(service().url).port));
        await open({}, proxy.through(service().url));
      });
      afterEach(() => proxy.close());

      it('F1: no call fails over connections that broke while they rested', async () => {
        const records = await Promise.all(Array.from({ length: 8 }, () => insertOne(store)));
        proxy.cut();
        const found = await Promise.all(records.map(({ id }) => store.find(id, call)));
        expect(found).toEqual(records);
        proxy.cut();
        await Promise.all(records.map(({ id }) => store.extend(id, 1, START, call)));
        proxy.cut();
        await Promise.all(records.map(({ id }) => store.delete(id, call)));
        expect(await store.find(records[0]!.id, call)).toBeNull();
      });

      it('F3: asks again when the answer to a question was lost', async () => {
        const record = await insertOne(store);
        let answers = 0;
        proxy.onServerData = () => void (++answers === 1 && proxy.cut());
        expect(await store.find(record.id, call)).toEqual(record);
        expect(answers).toBeGreaterThan(1);
      });

      const writes: Record<string, (record: SessionRecord) => Promise<unknown>> = {
        'an update': (record) => store.update(nextOf(record), 1, call),
        'an insert': () => store.insert(aRecord(), call),
        'a delete by principal': () => store.deleteByPrincipal('a:1', call),
      };
      it.each(Object.entries(writes))(
        'F3: says that it cannot know when the answer to %s was lost, and writes once',
        async (_, write) => {
          const record = await insertOne(store);
          proxy.onServerData = () => ((proxy.onServerData = () => {}), proxy.cut());
          await expect(write(record)).rejects.toMatchObject({ code: 'SESSION_STORE_UNAVAILABLE' });
          expect((await store.find(record.id, call))?.version).toBeLessThanOrEqual(2);
        },
      );
    });

    if (kind === 'postgres') describe('on PostgreSQL alone', postgresTests);

    function postgresTests(): void {
      const serializable = { extra: { options: '-c default_transaction_isolation=serializable' } };

      it('F3: repeats what could not be serialized', async () => {
        await open(serializable);
        const record = await insertOne(store);
        await other.startTransaction();
        await touch(record.id);
        const writing = store.extend(record.id, 1, START, call);
        await somebodyWaits();
        await other.commitTransaction();
        expect(await writing).toBe(true);
        expect(await store.find(record.id, call)).toMatchObject({ body: '{"by":"app"}', expiresAt: START });
      });

      it('R2: loses no increment where everything is serializable', async () => {
        await open(serializable);
        const { id } = await insertOne(store, { body: '0' });
        await Promise.all(
          Array.from({ length: 30 }, async () => {
            for (let tries = 0; tries < 200; tries++) {
              const record = (await store.find(id, call))!;
              const body = String(Number(record.body) + 1);
              if (await store.update(nextOf(record, { body }), record.version, call)) return;
            }
          }),
        );
        expect(await store.find(id, call)).toMatchObject({ body: '30', version: 31 });
      });

      it('goes on without prepared statements where somebody mixes connections up', async () => {
        await open({ poolSize: 1 });
        await other.release(); // the only connection of the application
        await store.close();
        store = new TypeOrmSessionStore(app, { poolSize: 1 });
        const record = await insertOne(store);
        await store.find(record.id, call);
        // What a connection pooler does that hands the server's connections around: the statement is not there any more.
        await app.query(
          `CREATE FUNCTION forget() RETURNS trigger AS $$ BEGIN EXECUTE 'DEALLOCATE ALL'; RETURN NEW; END $$ LANGUAGE plpgsql`,
        );
        await app.query('CREATE TRIGGER forget AFTER INSERT ON tessera_sessions EXECUTE FUNCTION forget()');
        const connections = new Set<unknown>();
        for (let round = 0; round < 3; round++) {
          const next = await insertOne(store);
          expect(await store.find(next.id, call)).toEqual(next);
          expect(await store.update(nextOf(next), 1, call)).toBe(true);
          const [{ pid }] = await app.query(
            'SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
          );
          connections.add(pid);
        }
        expect(connections.size).toBe(1); // once it knows, it needs no other
        await app.query('DROP FUNCTION forget CASCADE');
      });

      it('goes on when the table is altered under it', async () => {
        await open({ poolSize: 1 });
        const record = await insertOne(store);
        await store.find(record.id, call);
        await app.query('ALTER TABLE tessera_sessions ALTER version TYPE bigint, ALTER body TYPE varchar');
        expect(await store.find(record.id, call)).toEqual(record);
      });
    }
  });
}
