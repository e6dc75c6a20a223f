import { inspect } from 'node:util';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import type { DataSource } from 'typeorm';
import {
  type SessionStatements,
  sessionStatements,
  type Statement,
} from '../../lib/stores/sql/session-statements';
import { sessionTable } from '../../lib/stores/sql/session-table';
import type { SqlDialectName } from '../../lib/stores/sql/sql-dialect';
import { sqlDialect } from '../../lib/stores/sql/sql-dialects';
import { aRecord, insertAll, nextOf } from '../../lib/testing/store-suite/records';
import { call } from '../../lib/testing/store-suite/store-suite';
import { describeWith } from '../support/servers';
import { describeWithSqlite } from '../support/sqlite';
import { openApplication } from './server-database';
import { sqliteFile } from './sqlite-file';

const NAMES: readonly (keyof SessionStatements)[] = [
  'find', 'update', 'extend', 'delete', 'findHeads', 'findByPrincipal', 'deleteByPrincipal', 'records', 'sweep',
]; // prettier-ignore

const ALL = '"id", "version", "secret_hash", "principal", "expires_at", "body"';
const HEAD = '"id", "version", "secret_hash" AS hash, "principal", "expires_at" AS expiry';
const RECORD = `${HEAD}, "body"`;

/** A hundred parameters. */
const parameters = (sign: string, first: number): string =>
  Array.from({ length: 100 }, (_, n) => `${sign}${first + n}`).join(', ');

function written(dialectName: SqlDialectName, table: string, schema?: string): Record<string, string> {
  const dialect = sqlDialect(dialectName);
  const { quoted } = sessionTable(dialect, table, schema);
  const statements = Object.entries(sessionStatements(dialect, quoted));
  return Object.fromEntries(statements.map(([name, { sql }]: [string, Statement]) => [name, sql]));
}

describe('the statements of SqlSessionStore', () => {
  // Neither has been run: what can be checked here is that they are what their manuals say.
  it('are these for CockroachDB', () => {
    expect(written('cockroachdb', 'x_tessera_sessions', 'app')).toEqual({
      find: `SELECT ${RECORD} FROM "app"."x_tessera_sessions" WHERE "id" = $1`,
      insert: `INSERT INTO "app"."x_tessera_sessions" (${ALL}) VALUES ($1, $2, $3, $4, $5, $6)`,
      update:
        'UPDATE "app"."x_tessera_sessions" SET "version" = $1, "secret_hash" = $2, "principal" = $3, "expires_at" = $4, ' +
        '"body" = $5 WHERE "id" = $6 AND "version" = $7',
      extend: 'UPDATE "app"."x_tessera_sessions" SET "expires_at" = $1 WHERE "id" = $2 AND "version" = $3',
      delete: 'DELETE FROM "app"."x_tessera_sessions" WHERE "id" = $1',
      findByPrincipal: `SELECT ${RECORD} FROM "app"."x_tessera_sessions" WHERE "principal" = $1`,
      findHeads: `SELECT ${HEAD} FROM "app"."x_tessera_sessions" WHERE "id" IN (${parameters('$', 1)})`,
      deleteByPrincipal: 'DELETE FROM "app"."x_tessera_sessions" WHERE "principal" = $1',
      records: `SELECT ${RECORD} FROM "app"."x_tessera_sessions" WHERE "id" > $1 ORDER BY "id" LIMIT $2`,
      sweep: 'DELETE FROM "app"."x_tessera_sessions" WHERE "expires_at" <= $1 ORDER BY "expires_at" LIMIT $2',
    });
  });

  it('are these for SQL Server', () => {
    const same = '"principal" = @0 AND DATALENGTH("principal") = DATALENGTH(@0)';
    expect(written('sqlserver', 'tessera_sessions')).toEqual({
      find: `SELECT ${RECORD} FROM "tessera_sessions" WHERE "id" = @0`,
      insert: `INSERT INTO "tessera_sessions" (${ALL}) VALUES (@0, @1, @2, @3, @4, @5)`,
      update:
        'UPDATE "tessera_sessions" SET "version" = @0, "secret_hash" = @1, "principal" = @2, "expires_at" = @3, ' +
        '"body" = @4 WHERE "id" = @5 AND "version" = @6',
      extend: 'UPDATE "tessera_sessions" SET "expires_at" = @0 WHERE "id" = @1 AND "version" = @2',
      delete: 'DELETE FROM "tessera_sessions" WHERE "id" = @0',
      findByPrincipal: `SELECT ${RECORD} FROM "tessera_sessions" WHERE ${same}`,
      findHeads: `SELECT ${HEAD} FROM "tessera_sessions" WHERE "id" IN (${parameters('@', 0)})`,
      deleteByPrincipal: `DELETE FROM "tessera_sessions" WHERE ${same}`,
      records: `SELECT TOP (@1) ${RECORD} FROM "tessera_sessions" WHERE "id" > @0 ORDER BY "id"`,
      sweep:
        'WITH due AS (SELECT TOP (@1) "id" FROM "tessera_sessions" WITH (ROWLOCK, UPDLOCK, READPAST) ' +
        'WHERE "expires_at" <= @0 ORDER BY "expires_at") DELETE FROM due',
    });
  });

  it('take each value once where parameters are numbered, and at every mention where they are not', () => {
    const takes = (name: SqlDialectName) => sessionStatements(sqlDialect(name), 's').sweep.takes;
    expect({
      postgres: takes('postgres'),
      sqlserver: takes('sqlserver'),
      mysql: takes('mysql'),
      sqlite: takes('sqlite'),
    }).toEqual({ postgres: [0, 1], sqlserver: [0, 1], mysql: [0, 1, 0], sqlite: [0, 1] });
  });
});

describeWithSqlite('the plans of SQLite', () => {
  let file: ReturnType<typeof sqliteFile>;
  beforeEach(() => (file = sqliteFile()));
  afterEach(() => file.remove());

  it.each(NAMES)('never scan the table: %s', async (name) => {
    const app = await file.open();
    const { sql, takes } = sessionStatements(sqlDialect('sqlite'), 'tessera_sessions')[name];
    const plan: { detail: string }[] = await app.query(
      `EXPLAIN QUERY PLAN ${sql}`,
      takes.map(() => 1),
    );
    const steps = plan.map(({ detail }) => detail);
    expect(steps.filter((step) => /tessera_sessions/.test(step)).length).toBeGreaterThan(0);
    expect(steps.filter((step) => /SCAN tessera_sessions|TEMP B-TREE/.test(step))).toEqual([]);
  });
});

/** Enough for an optimizer to care, with as many principals as sessions. */
async function fill(app: DataSource): Promise<void> {
  const store = new TypeOrmSessionStore(app);
  const records = Array.from({ length: 3000 }, (_, n) => aRecord({ principal: `a:${n}`, expiresAt: n }));
  await insertAll(store, records);
  await store.close();
}

describeWith('postgres', 'the plans of PostgreSQL', (service) => {
  it('never scan the table, whatever the values', async () => {
    const app = await openApplication('postgres', service().url, { poolSize: 1 });
    await fill(app);
    await app.query('ANALYZE tessera_sessions');
    await app.query('SET plan_cache_mode = force_generic_plan'); // what a prepared statement may come to
    const statements = sessionStatements(sqlDialect('postgres'), 'tessera_sessions');
    const plans: Record<string, { usesIndex: boolean; scans: string[] }> = {};
    for (const name of NAMES) {
      await app.query(`PREPARE ${name} AS ${statements[name].sql}`);
      const values = statements[name].takes.map(() => '1').join(', ');
      const plan: Record<string, string>[] = await app.query(`EXPLAIN EXECUTE ${name} (${values})`);
      const steps = plan.map((row) => row['QUERY PLAN']!);
      plans[name] = {
        usesIndex: steps.some((step) => /Index/.test(step)),
        scans: steps.filter((step) => /Seq Scan|Sort/.test(step)),
      };
    }
    expect(plans).toEqual(Object.fromEntries(NAMES.map((name) => [name, { usesIndex: true, scans: [] }])));
  });
});

describeWith('mariadb', 'the plans of MariaDB', (service) => {
  it('never scan the table', async () => {
    const app = await openApplication('mariadb', service().url);
    await fill(app);
    await app.query('ANALYZE TABLE tessera_sessions');
    const statements = sessionStatements(sqlDialect('mysql'), 'tessera_sessions');
    const connection = await createConnection({ uri: service().url });
    const plans: Record<string, { scans: unknown[]; sorts: unknown[] }> = {};
    try {
      for (const name of NAMES) {
        const values = statements[name].takes.map(() => '100'); // as the store gives them
        const [plan] = await connection.execute<RowDataPacket[]>(`EXPLAIN ${statements[name].sql}`, values);
        plans[name] = {
          scans: plan.filter(({ table, type }) => !/^</.test(table) && ['ALL', 'index'].includes(type)),
          sorts: plan.filter(({ Extra }) => /filesort/.test(Extra ?? '')),
        };
      }
    } finally {
      await connection.end();
    }
    expect(plans).toEqual(Object.fromEntries(NAMES.map((name) => [name, { scans: [], sorts: [] }])));
  });
});

describeWithSqlite('a failing SQLite database', () => {
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
        message: expect.stringMatching(
          /'update': the database answered SQLITE_ERROR \(no such table/,
        ) as string,
      },
      { code: 'SESSION_STORE_UNAVAILABLE' },
    ]);
    const forms = { failures, json: JSON.stringify(failures), texts: failures.map(String), logged, store };
    const shown = inspect(forms, { depth: 21, showHidden: true, getters: true });
    expect(shown).not.toContain(SECRET.secretHash);
    expect(shown).not.toContain('4111');
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
