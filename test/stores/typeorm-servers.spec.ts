import { inspect } from 'node:util';
import { TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import type { DataSource } from 'typeorm';
import type { SessionId } from '../../lib/core/session-token';
import { aRecord, insertAll, insertOne, MINUTE, nextOf, START } from '../../lib/testing/store-suite/records';
import { call } from '../../lib/testing/store-suite/store-suite';
import { describeWith, TcpProxy } from '../support/servers';
import { openApplication, sqlKinds } from './server-database';

for (const kind of sqlKinds) {
  describeWith(kind, `TypeOrmSessionStore beside the application on ${kind}`, (service) => {
    let store: TypeOrmSessionStore;
    afterEach(() => store.close());

    async function open(options: object = {}): Promise<DataSource> {
      const app = await openApplication(kind, service().url, options);
      store = new TypeOrmSessionStore(app);
      return app;
    }

    it('keeps session writes when a transaction of the application is rolled back around them', async () => {
      const app = await open();
      const [record, late] = [await insertOne(store), aRecord()];
      const next = nextOf(record, { principal: 'default:ada' });
      const transaction = app.transaction(async (manager) => {
        await manager.query('DELETE FROM migrations');
        await store.insert(late, call);
        expect(await store.update(next, 1, call)).toBe(true);
        throw new Error('the application changes its mind');
      });
      await expect(transaction).rejects.toThrow('changes its mind');
      expect(await store.find(late.id, call)).toEqual(late);
      expect(await store.find(record.id, call)).toEqual(next);
      expect(await app.query('SELECT * FROM migrations')).toHaveLength(1);
    });

    it('does not wait for a connection while transactions of the application hold all of its own', async () => {
      const app = await open({ poolSize: 1 });
      const record = aRecord();
      await app.transaction(async () => store.insert(record, call));
      expect(await store.find(record.id, call)).toEqual(record);
    });

    it('opens no more connections than it may, and closes them alone', async () => {
      const app = await openApplication(kind, service().url, { poolSize: 20 });
      const count = async () => Number((await app.query(CONNECTIONS[kind]))[0].n);
      const before = await count();
      store = new TypeOrmSessionStore(app, { poolSize: 3 });
      await insertAll(
        store,
        Array.from({ length: 50 }, () => aRecord()),
      );
      expect((await count()) - before).toBe(3);
      await store.close();
      for (let tries = 0; (await count()) > before && tries < 500; tries++);
      expect(await count()).toBe(before);
      await expect(store.find(aRecord().id, call)).rejects.toMatchObject({
        code: 'SESSION_STORE_UNAVAILABLE',
      });
    });

    it('does not need the DataSource to stay open, or to be open at all', async () => {
      const app = await open();
      await app.destroy();
      await store.prepare();
      const record = await insertOne(store);
      expect(await store.find(record.id, call)).toEqual(record);
    });

    it('makes one round trip for each call, without a transaction around it', async () => {
      const proxy = await TcpProxy.open(Number(new URL(service().url).port));
      try {
        const app = await openApplication(kind, service().url);
        Object.assign(app.options, { url: proxy.through(service().url) });
        store = new TypeOrmSessionStore(app, { poolSize: 1 });
        const record = aRecord({ principal: 'a:1' });
        const calls: Record<string, () => Promise<unknown>> = {
          insert: () => store.insert(record, call),
          find: () => store.find(record.id, call),
          update: () => store.update(nextOf(record), 1, call),
          extend: () => store.extend(record.id, 2, START, call),
          findByPrincipal: () => store.findByPrincipal('a:1', call),
          deleteByPrincipal: () => store.deleteByPrincipal('a:1', call),
          delete: () => store.delete(record.id, call),
          sweep: () => store.sweep(START, 10, call),
          records: () => store.records(call)[Symbol.asyncIterator]().next(),
        };
        for (const run of Object.values(calls)) await run(); // connects, and prepares
        const trips: Record<string, number> = {};
        for (const [name, run] of Object.entries(calls)) {
          let sent = 0;
          proxy.onClientData = (chunk) => {
            // The announcement of ended sessions comes later, and for several at once.
            if (chunk.includes('tessera_sessions_ended')) return;
            sent++;
            expect(chunk.toString('latin1')).not.toMatch(/BEGIN|START|COMMIT|autocommit/i);
          };
          await run();
          trips[name] = sent;
        }
        expect(trips).toEqual(Object.fromEntries(Object.keys(calls).map((name) => [name, 1])));
      } finally {
        await store.close();
        await proxy.close();
      }
    });

    async function openNowhere(): Promise<void> {
      const app = await openApplication(kind, service().url);
      Object.assign(app.options, { url: 'postgres://127.0.0.1:1/nowhere' });
      store = new TypeOrmSessionStore(app);
    }

    it.each([
      ['empty', ''],
      ['a star', '*'],
      ['a text with a NUL', 'a\0b'],
      ['half a character', '\ud800'],
      ['far too long', 'x'.repeat(10_240)],
    ] as [string, SessionId][])('T4: never asks the database for an id that is %s', async (_, id) => {
      await openNowhere();
      expect(await store.find(id, call)).toBeNull();
      expect(await store.update(aRecord({ id }), 1, call)).toBe(false);
      expect(await store.extend(id, 1, START, call)).toBe(false);
      await store.delete(id, call);
    });

    it.each(['a:\0', 'a:\ud800', '\udc00'])(
      'T4: never asks the database for a principal that is no text: %j',
      async (principal) => {
        await openNowhere();
        expect(await store.findByPrincipal(principal, call)).toEqual([]);
        expect(await store.deleteByPrincipal(principal, call)).toBe(0);
      },
    );

    it('counts rows that matched as affected, whatever the application prefers', async () => {
      const flags = ['-FOUND_ROWS'];
      await open({ flags, extra: { ...(kind === 'mariadb' && { flags }) } });
      const record = await insertOne(store);
      expect(await store.extend(record.id, 1, record.expiresAt, call)).toBe(true);
      expect(await store.update(record, 1, call)).toBe(true);
    });

    it('T3: shows no hash and no body, whatever is logged and whatever fails', async () => {
      const SECRET = { secretHash: 'h'.repeat(43) as never, body: '{"card":"4111"}' };
      const logged: unknown[] = [];
      // What comes with it is the runner, which is all of TypeORM.
      const log = (...all: unknown[]) =>
        void logged.push(all.filter((one) => Array.isArray(one) || typeof one !== 'object'));
      const logger = {
        logQuery: log,
        logQueryError: log,
        logQuerySlow: log,
        logSchemaBuild: log,
        logMigration: log,
        log,
      };
      const app = await open({ logging: 'all', logger, maxQueryExecutionTime: 1 });
      const record = aRecord(SECRET);
      await store.insert(record, call);
      const failing = [
        store.insert(record, call),
        store.insert(aRecord({ ...SECRET, principal: 'h'.repeat(300) }), call),
        store.insert(aRecord({ ...SECRET, version: 'hhhhh4111' as never }), call),
        store.insert(aRecord({ ...SECRET, version: 2 ** 40 }), call),
      ];
      const failures = (await Promise.allSettled(failing)).map(
        (outcome) => (outcome as PromiseRejectedResult).reason as unknown,
      );
      await app.query('DROP TABLE tessera_sessions');
      failures.push(await store.update(nextOf(record), 1, call).catch((error: unknown) => error));
      const [duplicate, ...others] = failures.map((failure) => (failure as { code?: string }).code);
      expect({ duplicate, others }).toEqual({
        duplicate: 'SESSION_DUPLICATE_ID',
        others: others.map(() => 'SESSION_STORE_UNAVAILABLE'),
      });
      expect(String(failures.at(-1))).toMatch(/'update': the database answered \w+ \(.*tessera_sessions/);
      const forms = { failures, json: JSON.stringify(failures), texts: failures.map(String), logged, store };
      const shown = inspect(forms, { depth: 21, showHidden: true, getters: true });
      expect(shown).not.toContain('hhhhh');
      expect(shown).not.toContain('4111');
    });

    it('E6: skips what somebody has locked, without waiting', async () => {
      const app = await open();
      const records = Array.from({ length: 10 }, (_, n) => aRecord({ expiresAt: START - n }));
      await insertAll(store, records);
      await app.transaction(async (manager) => {
        await manager.query(`UPDATE tessera_sessions SET version = 7 WHERE id = '${records[9]!.id}'`);
        expect(await store.sweep(START, 100, { signal: AbortSignal.timeout(2000) })).toBe(9);
      });
      expect(await store.sweep(START, 100, call)).toBe(1);
    });

    it('E6: sweeps from several processes at once while others write, and nobody notices', async () => {
      const app = await open();
      const sweepers = [1, 2, 3].map(() => new TypeOrmSessionStore(app, { poolSize: 2 }));
      const dead = Array.from({ length: 600 }, (_, n) =>
        aRecord({ principal: `a:${n % 9}`, expiresAt: START - n }),
      );
      await insertAll(store, dead);
      const drain = async (sweeper: TypeOrmSessionStore): Promise<number> => {
        let total = 0;
        for (let last = 20; last === 20; total += last) last = await sweeper.sweep(START, 20, call);
        return total;
      };
      const alive = START + MINUTE;
      const [swept, extended] = await Promise.all([
        Promise.all(sweepers.map(drain)),
        Promise.all(dead.map(async ({ id }, n) => n % 3 === 0 && store.extend(id, 1, alive, call))),
        store.deleteByPrincipal('a:0', call),
        insertAll(
          store,
          Array.from({ length: 200 }, () => aRecord()),
        ),
      ]);
      await Promise.all(sweepers.map((sweeper) => sweeper.close()));
      await drain(store);
      expect(swept.reduce((sum, total) => sum + total)).toBeGreaterThan(0);
      for (const [n, { id, principal }] of dead.entries()) {
        const found = await store.find(id, call);
        if (!extended[n]) expect(found).toBeNull();
        else if (principal !== 'a:0') expect(found).toMatchObject({ expiresAt: alive });
      }
    });
  });
}

const CONNECTIONS = {
  postgres: `SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database()`,
  mariadb: `SELECT count(*) AS n FROM information_schema.PROCESSLIST WHERE DB = DATABASE()`,
};
