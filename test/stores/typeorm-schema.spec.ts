import { existsSync } from 'node:fs';
import {
  CreateSessionTable,
  SessionSchema,
  TypeOrmSessionStore,
  createSessionTable,
  sessionSchema,
} from 'nestjs-tessera/typeorm';
import { DataSource } from 'typeorm';
import { aRecord } from '../../lib/testing/store-suite/records';
import { call } from '../../lib/testing/store-suite/store-suite';
import { describeWithSqlite } from '../support/sqlite';
import { type SqliteOptions, sqliteFile } from './sqlite-file';

const TABLE = 'CREATE TABLE tessera_sessions';
const COLUMNS = {
  id: 'varchar(22) PRIMARY KEY NOT NULL',
  version: 'integer NOT NULL',
  secret_hash: 'varchar(43) NOT NULL',
  principal: 'varchar(255)',
  expires_at: 'bigint NOT NULL',
  body: 'text NOT NULL',
};

describeWithSqlite('the session table', () => {
  let file: ReturnType<typeof sqliteFile>;
  beforeEach(() => (file = sqliteFile()));
  afterEach(() => file.remove());

  async function prepare(dataSource: DataSource, tableName?: string): Promise<void> {
    const store = new TypeOrmSessionStore(dataSource, { tableName });
    await store.prepare().finally(() => store.close());
  }

  it.each([
    ['as it comes', [SessionSchema], [CreateSessionTable], {}],
    ['under another name', [sessionSchema('admin_sessions')], [createSessionTable('admin_sessions')], {}],
    ['twice', [SessionSchema, sessionSchema('b')], [CreateSessionTable, createSessionTable('b')], {}],
    [
      'with an entityPrefix',
      [sessionSchema({ entityPrefix: 'app_' })],
      [CreateSessionTable],
      { entityPrefix: 'app_' },
    ],
  ] as const)(
    'is made by the migration exactly as the entity describes it: %s',
    async (_, entities, migrations, more) => {
      const app = await file.open({ entities: [...entities], migrations: [...migrations], ...more });
      const { upQueries } = await app.driver.createSchemaBuilder().log();
      expect(upQueries.map(({ query }) => query)).toEqual([]);
    },
  );

  it('is taken away by undoing the migration', async () => {
    const app = await file.open();
    await app.undoLastMigration();
    await expect(prepare(app)).rejects.toThrow(/does not exist/);
  });

  it('F7: passes when the migration has made it, under whatever name', async () => {
    const migrations = [CreateSessionTable, createSessionTable('admin_sessions')];
    const app = await file.open({ migrations, entityPrefix: 'app_' });
    await prepare(app);
    await prepare(app, 'admin_sessions');
    await expect(prepare(app, 'nobody')).rejects.toThrow(
      /The table app_nobody .* does not exist\. Add createSessionTable\('nobody'\)/,
    );
  });

  it('can be read as an entity, without hash and body unless they are asked for', async () => {
    const app = await file.open({ entities: [SessionSchema] });
    const store = new TypeOrmSessionStore(app);
    const { id, version, principal, expiresAt, ...rest } = aRecord({ principal: 'default:ada' });
    await store.insert({ id, version, principal, expiresAt, ...rest }, call);
    await store.close();
    const [row] = await app.getRepository(SessionSchema).find();
    expect(row).toEqual({ id, version, principal, expiresAt });
  });

  it('F7: says that the table is missing, where, and what to do', async () => {
    const app = await file.open({ migrations: [] });
    await expect(prepare(app)).rejects.toMatchObject({
      code: 'SESSION_SCHEMA_INVALID',
      message: expect.stringMatching(
        /^The table tessera_sessions in \/.*\/app\.sqlite does not exist\. Add CreateSessionTable of nestjs-tessera\/typeorm to the migrations of your DataSource, and run it/,
      ),
    });
  });

  it('F7: says that the DataSource is not initialized yet, and makes no file in its place', async () => {
    const app = new DataSource({ type: 'better-sqlite3', database: file.database });
    await expect(prepare(app)).rejects.toThrow(/not initialized yet/);
    expect(existsSync(file.database)).toBe(false);
  });

  it.each([
    ['a missing column', { body: undefined }, 'the column body is missing'],
    ['a type that changes texts', { body: 'numeric NOT NULL' }, "the column body is of type 'numeric'"],
    ['an expiry kept as text', { expires_at: 'text NOT NULL' }, "the column expires_at is of type 'TEXT'"],
    [
      'ids without regard to case',
      { id: 'text COLLATE NOCASE PRIMARY KEY NOT NULL' },
      'the column id has the collation NOCASE',
    ],
    [
      'principals without regard to case',
      { principal: 'text COLLATE NOCASE' },
      'the column principal has the collation NOCASE',
    ],
    ['principals that must be there', { principal: 'text NOT NULL' }, 'the column principal must allow NULL'],
    ['no primary key', { id: 'varchar(22) NOT NULL' }, 'the primary key is () instead of (id)'],
    [
      'a column that nobody fills',
      { tenant: 'text NOT NULL' },
      'the column tenant, which the store never fills',
    ],
  ])('F7: names %s', async (_, changed, problem) => {
    const app = await file.open({ migrations: [] });
    const columns = Object.entries({ ...COLUMNS, ...changed }).filter(([, type]) => type !== undefined);
    await app.query(`${TABLE} (${columns.map(([name, type]) => `${name} ${type}`).join(', ')})`);
    await app.query('CREATE INDEX a ON tessera_sessions (principal)');
    await app.query('CREATE INDEX b ON tessera_sessions (expires_at)');
    const refused = await prepare(app).then(
      () => '',
      (error: Error) => error.message,
    );
    expect(refused).toContain(problem);
    expect(refused.split(';')).toHaveLength(1);
  });

  it('F7: names the indexes that are missing', async () => {
    const app = await file.open();
    await app.query('DROP INDEX tessera_sessions_principal_idx');
    await app.query('DROP INDEX tessera_sessions_expires_at_idx');
    await expect(prepare(app)).rejects.toThrow(
      'no index begins with the column principal; no index begins with the column expires_at',
    );
  });

  it('puts up with columns that the application added', async () => {
    const app = await file.open();
    await app.query(`ALTER TABLE tessera_sessions ADD COLUMN note text`);
    await app.query(`ALTER TABLE tessera_sessions ADD COLUMN region text NOT NULL DEFAULT 'eu'`);
    await expect(prepare(app)).resolves.toBeUndefined();
  });
});

describe('the options of TypeOrmSessionStore', () => {
  const store = (options: Partial<SqliteOptions>, tableName?: string) => () =>
    new TypeOrmSessionStore(new DataSource({ type: 'better-sqlite3', database: 'app.sqlite', ...options }), {
      tableName,
    });

  it.each([':memory:', '', '  '])('refuse the in-memory database %p and name the way out', (database) => {
    expect(store({ database })).toThrow(
      expect.objectContaining({
        code: 'SESSION_OPTIONS_INVALID',
        message: expect.stringContaining('new MemorySessionStore()'),
      }),
    );
  });

  it('refuse a database that is readonly', () => {
    expect(store({ readonly: true })).toThrow(expect.objectContaining({ code: 'SESSION_OPTIONS_INVALID' }));
  });

  it.each(['', 'a.b', 'a b', 'a"b', '1a', 'é', 'x'.repeat(51)])('refuse the table name %p', (tableName) => {
    const refusal = expect.objectContaining({
      code: 'SESSION_OPTIONS_INVALID',
      message: expect.stringContaining('tableName'),
    });
    expect(store({}, tableName)).toThrow(refusal);
    expect(() => sessionSchema(tableName)).toThrow(refusal);
    expect(() => createSessionTable(tableName)).toThrow(refusal);
  });

  it('refuses no DataSource at all, which is what a forgotten inject gives', () => {
    expect(() => new TypeOrmSessionStore(undefined as never)).toThrow(/inject: \[DataSource\]/);
  });
});
