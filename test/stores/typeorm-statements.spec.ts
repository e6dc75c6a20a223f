import { inspect } from 'node:util';
import { TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import type { DataSource } from 'typeorm';
import { sessionStatements } from '../../lib/stores/typeorm/session-statements';
import { aRecord, nextOf } from '../../lib/testing/store-suite/records';
import { call } from '../../lib/testing/store-suite/store-suite';
import { sqliteFile } from './sqlite-file';

describe('the statements of TypeOrmSessionStore', () => {
  let file: ReturnType<typeof sqliteFile>;
  let app: DataSource;

  beforeEach(async () => {
    file = sqliteFile();
    app = await file.open();
  });
  afterEach(() => file.remove());

  it.each([
    ['find', ['x']],
    ['update', [1, 'x', null, 1, '', 'x', 1]],
    ['extend', [1, 'x', 1]],
    ['delete', ['x']],
    ['findByPrincipal', ['x']],
    ['deleteByPrincipal', ['x']],
    ['page', ['x', 10]],
    ['sweep', [1, 10, 1]],
  ] as const)('never scan the table: %s', async (name, parameters) => {
    const statements = sessionStatements(app.driver, 'tessera_sessions');
    const plan: { detail: string }[] = await app.query(`EXPLAIN QUERY PLAN ${statements[name]}`, [
      ...parameters,
    ]);
    const steps = plan.map(({ detail }) => detail);
    expect(steps.filter((step) => /tessera_sessions/.test(step)).length).toBeGreaterThan(0);
    expect(steps.filter((step) => /SCAN tessera_sessions|TEMP B-TREE/.test(step))).toEqual([]);
  });

  it('number their parameters where the driver wants that', () => {
    const driver = {
      escape: (name: string) => `"${name}"`,
      createParameter: (_: string, index: number) => `$${index + 1}`,
    };
    const { extend, sweep } = sessionStatements(driver as DataSource['driver'], 's');
    expect(extend).toBe('UPDATE "s" SET "expires_at" = $1 WHERE "id" = $2 AND "version" = $3');
    expect(sweep.match(/\$\d/g)).toEqual(['$1', '$2', '$3']);
  });
});

describe('a failing database', () => {
  const SECRET = { secretHash: 'h'.repeat(43) as never, body: '{"card":"4111"}' };
  let file: ReturnType<typeof sqliteFile>;
  beforeEach(() => (file = sqliteFile()));
  afterEach(() => file.remove());

  it('T3: is reported by the driver’s code, without hash, body, or anything to find them in', async () => {
    const logged: unknown[] = [];
    const log = (...all: unknown[]) => void logged.push(all);
    const logger = {
      logQuery: log,
      logQueryError: log,
      logQuerySlow: log,
      logSchemaBuild: log,
      logMigration: log,
      log,
    };
    const app = await file.open({ logging: 'all', logger, verbose: log });
    const store = new TypeOrmSessionStore(app);
    const record = aRecord(SECRET);
    await store.insert(record, call);
    const failures = [await store.insert(record, call).catch((error: unknown) => error)];
    await app.query('DROP TABLE tessera_sessions');
    failures.push(await store.update(nextOf(record), 1, call).catch((error: unknown) => error));
    failures.push(await store.insert(record, call).catch((error: unknown) => error));
    await store.close();

    expect(failures).toMatchObject([
      { code: 'SESSION_DUPLICATE_ID' },
      {
        code: 'SESSION_STORE_UNAVAILABLE',
        message: /'update': the database answered SQLITE_ERROR \(no such table/,
      },
      { code: 'SESSION_STORE_UNAVAILABLE' },
    ]);
    for (const shown of [failures, JSON.stringify(failures), failures.map(String), logged, store]) {
      const text = inspect(shown, { depth: 20, showHidden: true, getters: true });
      expect(text).not.toContain(SECRET.secretHash);
      expect(text).not.toContain('4111');
    }
  });

  it('recovers by itself: what could not be opened is opened at the next call', async () => {
    const store = new TypeOrmSessionStore(await file.open());
    let failing = true;
    const driver = await import('better-sqlite3').then(({ default: Database }) => Database);
    const flaky = function (...all: ConstructorParameters<typeof driver>) {
      if (failing)
        throw Object.assign(new Error('unable to open database file'), { code: 'SQLITE_CANTOPEN' });
      return new driver(...all);
    };
    const app = await file.open();
    const second = new TypeOrmSessionStore(
      Object.assign(app, { options: { ...app.options, driver: flaky } }),
    );
    await expect(second.find(aRecord().id, call)).rejects.toThrow(/SQLITE_CANTOPEN/);
    failing = false;
    expect(await second.find(aRecord().id, call)).toBeNull();
    await Promise.all([store.close(), second.close()]);
  });
});
