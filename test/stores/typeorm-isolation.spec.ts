import { setTimeout as pause } from 'node:timers/promises';
import { TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import type { DataSource } from 'typeorm';
import { aRecord, nextOf } from '../../lib/testing/store-suite/records';
import { call } from '../../lib/testing/store-suite/store-suite';
import { describeEachWithSqlite } from '../support/sqlite';
import { sqliteFile } from './sqlite-file';

/** The application and its sessions share a file, and no transaction. */
describeEachWithSqlite([{ enableWAL: false }, { enableWAL: true }])(
  'sessions beside the application with %p',
  (options) => {
    let file: ReturnType<typeof sqliteFile>;
    let app: DataSource;
    let store: TypeOrmSessionStore;

    beforeEach(async () => {
      file = sqliteFile();
      app = await file.open(options);
      await app.query('CREATE TABLE note (text TEXT)');
      store = new TypeOrmSessionStore(app);
    });

    afterEach(async () => {
      await store.close();
      await file.remove();
    });

    it('keeps session writes when a transaction of the application is rolled back around them', async () => {
      const record = aRecord();
      await store.insert(record, call);
      const [late, next] = [aRecord(), nextOf(record, { principal: 'default:ada' })];
      await app
        .transaction(async (manager) => {
          if (options.enableWAL) await manager.query('SELECT * FROM note'); // without WAL, reading locks too
          await store.insert(late, call);
          expect(await store.update(next, 1, call)).toBe(true);
          await manager.query(`INSERT INTO note VALUES ('mine')`);
          throw new Error('the application changes its mind');
        })
        .catch(() => undefined);
      expect(await store.find(late.id, call)).toEqual(late);
      expect(await store.find(record.id, call)).toEqual(next);
      expect(await app.query('SELECT * FROM note')).toEqual([]);
    });

    it('waits for the lock of the application without blocking the process, and then writes', async () => {
      const record = aRecord();
      const runner = app.createQueryRunner();
      await runner.startTransaction();
      await runner.query(`INSERT INTO note VALUES ('mine')`);
      let written = false;
      const writing = store.insert(record, call).then(() => (written = true));
      // Waiting inside SQLite would stop the process for seconds.
      const start = performance.now();
      for (let turns = 0; turns < 200; turns++) await new Promise((resolve) => setImmediate(resolve));
      expect(performance.now() - start).toBeLessThan(2000);
      expect(written).toBe(false);
      await runner.rollbackTransaction();
      await writing;
      expect(await store.find(record.id, call)).toEqual(record);
    });

    it('stops waiting when the call is given up, having written nothing', async () => {
      const record = aRecord();
      const runner = app.createQueryRunner();
      await runner.startTransaction();
      await runner.query(`INSERT INTO note VALUES ('mine')`);
      const writing = store.insert(record, { signal: AbortSignal.timeout(100) });
      await expect(writing).rejects.toMatchObject({
        code: 'SESSION_STORE_UNAVAILABLE',
        message: expect.stringMatching(/locked/) as string,
      });
      await runner.commitTransaction();
      await pause(60);
      expect(await store.find(record.id, call)).toBeNull();
    });

    it('never waits inside SQLite, not even when prepareDatabase says so', async () => {
      const prepareDatabase = (database: { pragma(text: string): void }) =>
        database.pragma('busy_timeout = 4000');
      const patient = new TypeOrmSessionStore(await file.open({ ...options, prepareDatabase }));
      const runner = app.createQueryRunner();
      await runner.startTransaction();
      await runner.query(`INSERT INTO note VALUES ('mine')`);
      const start = performance.now();
      await expect(patient.insert(aRecord(), { signal: AbortSignal.timeout(50) })).rejects.toThrow(/locked/);
      expect(performance.now() - start).toBeLessThan(2000);
      await runner.rollbackTransaction();
      await patient.close();
    });

    it('leaves the journal mode as it is, and the durability at its default', async () => {
      await store.prepare();
      const [{ journal_mode }] = await app.query('PRAGMA journal_mode');
      expect(journal_mode).toBe(options.enableWAL ? 'wal' : 'delete');
    });

    it('closes its own connection alone', async () => {
      await store.insert(aRecord(), call);
      await store.close();
      await expect(store.find(aRecord().id, call)).rejects.toMatchObject({
        code: 'SESSION_STORE_UNAVAILABLE',
      });
      expect(await app.query('SELECT count(*) AS n FROM tessera_sessions')).toMatchObject([{ n: 1 }]);
    });

    it('does not need the DataSource to stay open, or to be open at all', async () => {
      await app.destroy();
      const record = aRecord();
      await store.prepare();
      await store.insert(record, call);
      expect(await store.find(record.id, call)).toEqual(record);
    });
  },
);
