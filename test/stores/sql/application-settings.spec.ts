import { EventEmitter, once } from 'node:events';
import Database from 'better-sqlite3';
import knex from 'knex';
import { CamelCasePlugin, Kysely, MysqlDialect, ParseJSONResultsPlugin, SqliteDialect } from 'kysely';
import { createPool, type Pool as MysqlPool, type PoolOptions } from 'mysql2';
import {
  fromBetterSqlite3,
  fromKnex,
  fromKysely,
  fromMysql2,
  fromPg,
  fromPostgresJs,
  fromSequelize,
  sessionTableSql,
  type SqlClient,
  SqlSessionStore,
} from 'nestjs-tessera/sql';
import { Pool } from 'pg';
import postgres from 'postgres';
import { Sequelize } from 'sequelize';
import { aRecord } from '../../../lib/testing/store-suite/records';
import { call } from '../../../lib/testing/store-suite/store-suite';
import { describeWith } from '../../support/servers';

/** A store with a new table. */
async function newStore(client: SqlClient, schema?: string): Promise<SqlSessionStore> {
  const table = { tableName: 'settings', ...(schema && { schema }) };
  for (const sql of [
    `DROP TABLE IF EXISTS ${schema ? `${schema}.` : ''}settings`,
    ...sessionTableSql({ ...client, ...table }),
  ])
    await client.execute(sql, [], { signal: call.signal, returnsRows: false });
  return new SqlSessionStore({ ...client, ...table });
}

it('returns the body as it is through a Kysely with plugins that change results', async () => {
  const dialect = new SqliteDialect({ database: new Database(':memory:') });
  const plugins = [new ParseJSONResultsPlugin(), new CamelCasePlugin()];
  const kysely = new Kysely<object>({ dialect, plugins });
  const store = await newStore(fromKysely(kysely, 'sqlite'));
  const record = aRecord({ body: '{"cart":[1]}' });
  await store.insert(record, call);
  expect(await store.find(record.id, call)).toEqual(record);
  await kysely.destroy();
});

it('T3: prints no values through a Knex with debug: true', async () => {
  const printed: unknown[] = [];
  const own = knex({
    ...{ client: 'better-sqlite3', connection: { filename: ':memory:' }, useNullAsDefault: true },
    ...{ debug: true, log: { debug: (message) => void printed.push(message) } },
  });
  const store = await newStore(fromKnex(own, 'sqlite'));
  await store.insert(aRecord(), call);
  expect(printed).toEqual([]);
  await own.destroy();
});

it('waits while the application iterates over rows of better-sqlite3', async () => {
  const database = new Database(':memory:');
  const store = await newStore(fromBetterSqlite3(database));
  const rows = database.prepare('SELECT 1').iterate();
  rows.next();
  const record = aRecord();
  const writing = store.insert(record, call);
  rows.return?.();
  await writing;
  expect(await store.find(record.id, call)).toEqual(record);
  database.close();
});

describeWith('postgres', 'the settings of an application on PostgreSQL', (service) => {
  let sequelize: Sequelize | undefined;
  let pool: Pool | undefined;
  afterEach(async () => {
    await sequelize?.close();
    await pool?.end();
    sequelize = pool = undefined;
  });

  it('reads sessions where they are written through a Sequelize with replicas', async () => {
    const { hostname: host, port, username, password, pathname } = new URL(service().url);
    const write = { host, port, username, password, database: pathname.slice(1) };
    const replication = { write, read: [{ ...write, port: '1' }] };
    sequelize = new Sequelize({ dialect: 'postgres', logging: false, replication });
    const store = await newStore(fromSequelize(sequelize, 'postgres'));
    const record = aRecord({ principal: 'user:1' });
    await store.insert(record, call);
    const found = await store.find(record.id, call);
    const deleted = await store.deleteByPrincipal('user:1', call);
    expect({ found, deleted }).toEqual({ found: record, deleted: 1 });
  });

  it('repeats no write that may have been done through a Sequelize that repeats', async () => {
    sequelize = new Sequelize(service().url, { logging: false, retry: { max: 3, match: [/./] } });
    const store = new SqlSessionStore({ ...fromSequelize(sequelize, 'postgres'), tableName: 'missing' });
    const taken = jest.spyOn(sequelize.connectionManager, 'getConnection');
    await expect(store.insert(aRecord(), call)).rejects.toThrow(/42P01/);
    expect(taken).toHaveBeenCalledTimes(1);
  });

  it('keeps a session write out of a transaction that was left open', async () => {
    pool = new Pool({ connectionString: service().url, max: 1 });
    const store = await newStore(fromPg(pool));
    await pool.query('BEGIN');
    const record = aRecord();
    await store.insert(record, call);
    await pool.query('ROLLBACK');
    expect(await store.find(record.id, call)).toEqual(record);
  });

  it('tells that ends may have been missed while the package postgres connected again', async () => {
    const connection = { application_name: 'listening' };
    const sql = postgres(service().url, { max: 1, connection, backoff: () => 0.05, onnotice: () => {} });
    const store = await newStore(fromPostgresJs(sql));
    const told = new EventEmitter();
    store.watchEnds!((id) => id === null && told.emit('doubt'));
    await once(told, 'doubt');
    const again = once(told, 'doubt');
    const listening = "application_name = 'listening' AND query ILIKE 'listen%'";
    await sql.unsafe(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${listening}`);
    await again;
    await store.close();
    await sql.end({ timeout: 1 });
  });

  it('opens no connection to listen when that is over before', async () => {
    pool = new Pool({ connectionString: service().url, application_name: 'over' });
    const { listen } = fromPg(pool);
    const ignore = (): void => {};
    await expect(listen!('c', ignore, ignore, AbortSignal.abort())).rejects.toThrow(/aborted/);
    const open = "SELECT FROM pg_stat_activity WHERE application_name = 'over' AND query LIKE 'LISTEN%'";
    expect((await pool.query(open)).rowCount).toBe(0);
  });
});

describeWith('mariadb', 'the settings of an application on MariaDB', (service) => {
  let pool: MysqlPool;
  const open = (options?: PoolOptions): MysqlPool => {
    const uri = service().url.replace(/^mariadb/, 'mysql');
    return (pool = createPool({ uri, connectionLimit: 1, ...options }));
  };
  afterEach(() => pool.promise().end());

  /** A Kysely, which puts values into the text of statements, whose connections begin with this statement. */
  function kyselyAfter(sql: string): SqlClient {
    open().on('connection', (connection) => connection.query(sql));
    return fromKysely(new Kysely<object>({ dialect: new MysqlDialect({ pool }) }), 'mysql');
  }

  it.each([
    [
      'escapes values for another sql_mode',
      () => kyselyAfter("SET sql_mode = 'STRICT_TRANS_TABLES,NO_BACKSLASH_ESCAPES'"),
      /without NO_BACKSLASH_ESCAPES, got '.*NO_BACKSLASH_ESCAPES/,
    ],
    ['lacks characters', () => fromMysql2(open({ charset: 'latin1' })), /need the character set utf8mb4/],
    ['does not commit', () => kyselyAfter('SET autocommit = 0'), /have autocommit = 0/],
  ])('refuse a client that %s', async (_, client, message) => {
    const store = await newStore(client());
    await expect(store.prepare()).rejects.toMatchObject({
      code: 'SESSION_SCHEMA_INVALID',
      message: expect.stringMatching(message),
    });
  });

  it('T3: shows no values near an error of syntax', async () => {
    const store = await newStore(kyselyAfter("SET sql_mode = 'NO_BACKSLASH_ESCAPES'"));
    const writing = store.insert(aRecord({ body: '{"a":"it\'s 4111"}' }), call);
    await expect(writing).rejects.toThrow(/answered ER_PARSE_ERROR\.$/);
  });

  it.each(['START TRANSACTION', 'SET autocommit = 0'])(
    'keeps a session write out of a transaction that was left open by %s',
    async (sql) => {
      const store = await newStore(fromMysql2(open()));
      await pool.promise().query(sql);
      const record = aRecord();
      await store.insert(record, call);
      await pool.promise().query('ROLLBACK');
      expect(await store.find(record.id, call)).toEqual(record);
    },
  );

  it('checks the table in the schema that the store is given', async () => {
    open();
    for (const sql of ['DROP TABLE IF EXISTS settings', 'CREATE OR REPLACE DATABASE beside'])
      await pool.promise().query(sql);
    const store = await newStore(fromMysql2(pool), 'beside');
    await expect(store.prepare()).resolves.toBe(undefined);
    await pool.promise().query('DROP DATABASE beside');
  });
});
