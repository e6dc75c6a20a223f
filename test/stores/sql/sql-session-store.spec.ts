import { SqlSessionStore, type SqlClient } from 'nestjs-tessera/sql';
import { DataSource } from 'typeorm';
import { TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import { aRecord } from '../../../lib/testing/store-suite/records';
import { call } from '../../../lib/testing/store-suite/store-suite';

const none: SqlClient = { dialect: 'sqlite', execute: async () => ({ rows: [], affected: 0 }) };

describe('the options of SqlSessionStore', () => {
  it.each([
    [
      'a dialect that there is not',
      { ...none, dialect: 'oracle' as never },
      /must be one of postgres, mysql,.* got "oracle"\. MariaDB is mysql/,
    ],
    ['nothing', undefined as never, /no execute\. Pass a client, such as fromPg\(pool\)/],
    ['no execute', { dialect: 'sqlite' } as never, /no execute\. Pass a client, such as fromPg\(pool\)/],
    [
      'a table name that is no plain name',
      { ...none, tableName: 'a; drop' },
      /tableName must be at most 48 letters/,
    ],
  ])('refuse %s', (_, options, message) => {
    expect(() => new SqlSessionStore(options)).toThrow(
      expect.objectContaining({ code: 'SESSION_OPTIONS_INVALID', message: expect.stringMatching(message) }),
    );
  });

  it('quote the schema and the table', async () => {
    const asked: string[] = [];
    const execute: SqlClient['execute'] = async (sql) => (asked.push(sql), { rows: [], affected: 0 });
    const store = new SqlSessionStore({ dialect: 'postgres', execute, schema: 'a"b', tableName: 'web' });
    await store.find(aRecord().id, call);
    expect(asked).toEqual([expect.stringContaining('FROM "a""b"."web" WHERE "id" = $1')]);
  });
});

describe('prepare of SqlSessionStore', () => {
  it('F7: says how to make a table that is missing', async () => {
    const store = new SqlSessionStore({ ...none, tableName: 'web_sessions', schema: 'app' });
    await expect(store.prepare()).rejects.toMatchObject({
      code: 'SESSION_SCHEMA_INVALID',
      message:
        "The table app.web_sessions in the database does not exist. Run the SQL that 'npx nestjs-tessera migration --dialect sqlite " +
        "--table web_sessions --schema app' prints, as a part of your migrations.",
    });
  });

  it.each(['cockroachdb', 'sqlserver'] as const)('F7: only reads the table of %s', async (dialect) => {
    const missing = Object.assign(new Error('no table'), { code: '42P01', number: 208 });
    const execute: SqlClient['execute'] = async (sql) => {
      if (!sql.includes('there')) throw missing;
      return { rows: [], affected: 0 };
    };
    await expect(new SqlSessionStore({ dialect, execute, tableName: 'there' }).prepare()).resolves.toBe(
      undefined,
    );
    await expect(new SqlSessionStore({ dialect, execute }).prepare()).rejects.toThrow(/no table/);
  });
});

describe('the dialect', () => {
  const prepared = (error: object) => {
    const execute: SqlClient['execute'] = async () => {
      throw Object.assign(new Error('it failed'), error);
    };
    const message = (failure: unknown) => (failure as Error).message;
    return new SqlSessionStore({ dialect: 'postgres', execute }).prepare().catch(message);
  };

  it.each([
    ['an undefined function', { code: '42883' }],
    ['a syntax error of another database', { code: 'ER_PARSE_ERROR', errno: 1064 }],
  ])('F7: is doubted at start for %s', async (_, error) => {
    expect(await prepared(error)).toMatch(/ \(is 'postgres' the right dialect\?\)\.$/);
  });

  it.each([
    ['the server cannot be reached', { code: 'ECONNREFUSED' }],
    ['the server refuses the user', { code: '28000' }],
    ['there is no such database', { code: '3D000' }],
    ['another server refuses the user', { code: 'ER_ACCESS_DENIED_ERROR', errno: 1045 }],
  ])('F7: is not doubted when %s', async (_, error) => {
    expect(await prepared(error)).toMatch(new RegExp(`${error.code} \\(it failed\\)\\.$`));
  });
});

it('T3: keeps the code of the driver as the cause of a failure, and nothing else of it', async () => {
  const execute: SqlClient['execute'] = async () => {
    throw Object.assign(new Error('no route'), { code: 'EHOSTUNREACH', parameters: ['a secret'] });
  };
  const store = new SqlSessionStore({ dialect: 'postgres', execute });
  const failure = await store.find(aRecord().id, call).catch((error: unknown) => error as Error);
  const cause = (failure as Error).cause as Error;
  expect({ ...cause, message: cause.message }).toEqual({
    code: 'EHOSTUNREACH',
    message: 'EHOSTUNREACH (no route)',
  });
});

describe('a statement that fails', () => {
  /** A store whose client fails like this once, and then answers. */
  async function attempts(dialect: SqlClient['dialect'], error: unknown): Promise<number> {
    let count = 0;
    const execute: SqlClient['execute'] = async () => {
      if (++count === 1) throw error as Error;
      return { rows: [], affected: 1 };
    };
    await new SqlSessionStore({ dialect, execute }).deleteByPrincipal('a:1', call).catch(() => undefined);
    return count;
  }
  const error = (properties: object) => Object.assign(new Error('it failed'), properties);
  const inside = (properties: object) =>
    error({ code: 'P2010', meta: { driverAdapterError: { cause: properties } } });

  it.each([
    ['a deadlock in pg', 'postgres', error({ code: '40P01' }), 2],
    ['a deadlock in Prisma on PostgreSQL', 'postgres', inside({ originalCode: '40P01' }), 2],
    ['a deadlock in Sequelize', 'postgres', error({ original: error({ code: '40P01' }) }), 2],
    ['too many connections', 'postgres', error({ code: '53300' }), 2],
    ['a missing table', 'postgres', error({ code: '42P01' }), 1],
    ['a shutdown', 'postgres', error({ code: '57P01' }), 1],
    ['a broken connection', 'postgres', error({ code: 'EPIPE' }), 1],
    ['an error of Prisma itself', 'postgres', error({ code: 'P1001' }), 1],
    ['a deadlock in mysql2', 'mysql', error({ code: 'ER_LOCK_DEADLOCK', errno: 1213, sqlState: '40001' }), 2],
    ['a deadlock in Prisma on MariaDB', 'mysql', inside({ originalCode: '1213' }), 2],
    ['a broken connection to MariaDB', 'mysql', error({ code: 'ECONNRESET', errno: -104 }), 1],
    ['a locked file in better-sqlite3', 'sqlite', error({ code: 'SQLITE_BUSY' }), 2],
    ['a locked file in node:sqlite', 'sqlite', error({ code: 'ERR_SQLITE_ERROR', errcode: 5 }), 2],
    [
      'a snapshot that is too old in node:sqlite',
      'sqlite',
      error({ code: 'ERR_SQLITE_ERROR', errcode: 517 }),
      2,
    ],
    ['something that is no error', 'sqlite', 'oops', 1],
  ] as const)('F3: is repeated where it was certainly not run: %s', async (_, dialect, thrown, expected) => {
    expect(await attempts(dialect, thrown)).toBe(expected);
  });

  it.each([
    ['its server', { kind: 'DatabaseNotReachable', host: 'db' }, /: an error \(DatabaseNotReachable\)\.$/],
    [
      'its database',
      { originalCode: '3D000', originalMessage: 'database "x" does not exist' },
      /answered 3D000 \(database "x" does not exist\)\.$/,
    ],
  ])('is told with what Prisma says of %s', async (_, properties, message) => {
    const execute: SqlClient['execute'] = async () => {
      throw inside(properties);
    };
    const failure = new SqlSessionStore({ dialect: 'postgres', execute }).deleteByPrincipal('a:1', call);
    await expect(failure).rejects.toThrow(message);
  });

  it('T3: is told without a message that quotes a value', async () => {
    const record = aRecord({ secretHash: 'h'.repeat(43) as never });
    const execute: SqlClient['execute'] = async (sql, values) => {
      throw error({ code: '42P01', message: `${sql} with ${values.join()}: no such table` });
    };
    const failure = new SqlSessionStore({ dialect: 'postgres', execute }).insert(record, call);
    await expect(failure).rejects.toThrow(/'insert': the database answered 42P01\.$/);
  });
});

describe('the message of a client', () => {
  const failing = (thrown: Error) =>
    new SqlSessionStore({ dialect: 'mysql', execute: async () => Promise.reject(thrown) });

  it.each(['a:1', "user:o'brien", 'user:\u00e9'])(
    'T3: is left out when it quotes the principal %s',
    async (principal) => {
      const escaped = principal.replace("'", "\\'");
      const thrown = Object.assign(new Error(`SELECT … '${escaped}' - no table`), { errno: 1146 });
      await expect(failing(thrown).findByPrincipal(principal, call)).rejects.toThrow(/answered 1146\.$/);
    },
  );

  it('is left out when there is none', async () => {
    const thrown = Object.assign(new Error('it failed'), { cause: { originalCode: '1146' } });
    await expect(failing(thrown).findByPrincipal('a:1', call)).rejects.toThrow(/answered 1146\.$/);
  });
});

it('names the way out for a DataSource that it cannot use', () => {
  const dataSource = new DataSource({ type: 'mssql', driver: {} } as never);
  expect(() => new TypeOrmSessionStore(dataSource)).toThrow(
    /does not support a DataSource of type 'mssql'.* or SqlSessionStore of nestjs-tessera\/sql with your driver/,
  );
});
