import { DataSource } from 'typeorm';
import { inspectCockroachTable } from './cockroach-table';
import type { RunQuery } from './database-server';
import { MysqlServer } from './mysql-server';
import { PostgresServer } from './postgres-server';
import { schemaProblems } from './schema-check';
import { SqlServer } from './sql-server';
import { inspectSqlServerTable } from './sql-server-table';

const servers = {
  postgres: () => new PostgresServer({ type: 'postgres' }, undefined),
  mysql: () => new MysqlServer({ type: 'mysql' }, undefined),
  mssql: () => new SqlServer({ type: 'mssql' }, undefined),
};

const error = (properties: object): Error => Object.assign(new Error('it says this'), properties);

/** What the driver throws when the server has answered with a code or a number, or when its own code is a word. */
const thrown: Record<keyof typeof servers, (code: string | number) => Error> = {
  postgres: (code) => error({ code, ...(/^[0-9A-Z]{5}$/.test(String(code)) && { severity: 'FEHLER' }) }),
  mysql: (code) =>
    error(
      typeof code === 'number' ? { code: 'ER_X', errno: code, sqlState: 'HY000' } : { code, fatal: true },
    ),
  mssql: (code) => error(typeof code === 'number' ? { code: 'EREQUEST', number: code } : { code }),
};

describe('what came of a statement that failed', () => {
  it.each([
    ['postgres', '23505', 'duplicate'],
    ['postgres', '40P01', 'conflict'],
    ['postgres', '40001', 'conflict'],
    ['postgres', '55P03', 'conflict'],
    ['postgres', '25006', 'refused'],
    ['postgres', '26000', 'refused'],
    ['postgres', '57P01', 'lost'],
    ['postgres', '08006', 'lost'],
    ['postgres', 'ECONNRESET', 'lost'],
    ['postgres', '42P01', 'other'],
    ['postgres', '40003', 'other'], // CockroachDB does not know whether it was run
    ['mysql', 1062, 'duplicate'],
    ['mysql', 1213, 'conflict'],
    ['mysql', 1205, 'conflict'],
    ['mysql', 1020, 'conflict'],
    ['mysql', 1290, 'refused'],
    ['mysql', 1053, 'lost'],
    ['mysql', 'PROTOCOL_CONNECTION_LOST', 'lost'],
    ['mysql', 1146, 'other'],
    ['mssql', 2627, 'duplicate'],
    ['mssql', 2601, 'duplicate'],
    ['mssql', 1205, 'conflict'],
    ['mssql', 3906, 'refused'],
    ['mssql', 'ESOCKET', 'lost'],
    ['mssql', 208, 'other'],
  ] as const)('F3: %s means by %p: %s', (type, code, kind) => {
    expect(servers[type]().failureOf(thrown[type](code)).kind).toBe(kind);
  });

  it.each([
    ['postgres', '22001'],
    ['mysql', 1366],
    ['mssql', 2628],
  ] as const)('T3: is told without what quotes a value: %s, %p', (type, code) => {
    expect(servers[type]().failureOf(thrown[type](code)).reason).not.toContain('it says this');
  });

  it('is told by the driver’s code and words', () => {
    expect(servers.postgres().failureOf(thrown.postgres('42P01')).reason).toBe('42P01 (it says this)');
    expect(servers.mysql().failureOf(thrown.mysql(1146)).reason).toBe('ER_X (it says this)');
    expect(servers.mssql().failureOf(thrown.mssql(208)).reason).toBe('error 208 (it says this)');
    expect(servers.mssql().failureOf('nothing').reason).toMatch(/^an error \(something that is not an Error/);
  });
});

describe('the options of the store’s own pool', () => {
  const given = { host: 'db', username: 'ada', database: 'app' };

  const more = {
    replication: { master: { host: 'master' }, slaves: [{ host: 'slave' }] },
    entities: ['x'],
    migrations: ['x'],
    dropSchema: true,
    synchronize: true,
    logging: true,
  };
  it.each([
    new PostgresServer({ type: 'postgres', ...given, ...more }, undefined),
    new PostgresServer({ type: 'cockroachdb', timeTravelQueries: true, ...given, ...more }, undefined),
    new MysqlServer({ type: 'mariadb', ...given, ...more }, undefined),
    new SqlServer({ type: 'mssql', ...given, ...more }, undefined),
  ])(
    'lead to the server that writes go to, and bring no entities, migrations or logging: $options.type',
    ({ options }) => {
      expect(options).toMatchObject({ ...given, host: 'master', logging: false });
      const unwanted = ['replication', 'entities', 'migrations', 'dropSchema', 'synchronize'];
      expect(unwanted.filter((name) => name in options)).toEqual([]);
    },
  );

  it.each([
    [undefined, {}, 10],
    [undefined, { poolSize: 4 }, 4],
    [undefined, { poolSize: 40 }, 10],
    [undefined, { extra: { max: 3, connectionLimit: 3 } }, 3],
    [20, { poolSize: 4 }, 20],
  ])('allow, when told %p and the application says %p, %p connections', (told, application, expected) => {
    const [pg, my] = [
      new PostgresServer({ type: 'postgres', ...application }, told),
      new MysqlServer({ type: 'mysql', ...application }, told),
    ];
    expect(pg.options).toMatchObject({ extra: { max: expected } });
    expect(my.options).toMatchObject({ extra: { connectionLimit: expected } });
  });
});

/** As `mssql` answers, as far as its manual says; the package itself is not here. */
class ScriptedMssql {
  readonly requests: ScriptedRequest[] = [];
  readonly ConnectionPool = class {
    on(): void {}
    connect(done: (error: null) => void): this {
      queueMicrotask(() => done(null));
      return this;
    }
    close(done: (error: null) => void): void {
      done(null);
    }
  };
  readonly Request: new () => ScriptedRequest;

  constructor(answer: (sql: string) => object) {
    const { requests } = this;
    this.Request = class extends ScriptedRequest {
      constructor() {
        super(answer);
        requests.push(this);
      }
    };
  }
}

class ScriptedRequest {
  readonly inputs: Record<string, unknown> = {};
  cancelled = false;
  constructor(private readonly answer: (sql: string) => object) {}

  input(name: string, value: unknown): void {
    this.inputs[name] = value;
  }
  async query(sql: string): Promise<object> {
    return this.answer(sql);
  }
  cancel(): void {
    this.cancelled = true;
  }
}

describe('SQL Server, as its driver is said to be', () => {
  it('is asked with one request each, and can be left', async () => {
    const driver = new ScriptedMssql((sql) =>
      sql.startsWith('SELECT')
        ? { recordset: [{ db_name: 'app', schema_name: 'dbo' }], rowsAffected: [1] }
        : { rowsAffected: [3] },
    );
    const server = new SqlServer({ type: 'mssql', driver, database: 'app' }, undefined);
    const pool = await new DataSource(server.options).initialize();
    const lease = await server.lease(pool);
    expect(await lease.execute('DELETE @0, @1', ['x', 7])).toEqual({ rows: [], affected: 3 });
    lease.destroy();
    expect(driver.requests.at(-1)).toMatchObject({ inputs: { 0: 'x', 1: 7 }, cancelled: true });
    await pool.destroy();
  });

  it('F7: has its table read from its catalog', async () => {
    const column = (name: string, base: string, bytes: number, nullable = 0) => ({
      name,
      base,
      bytes,
      collation: base === 'nvarchar' ? 'Latin1_General_100_BIN2' : null,
      nullable,
    });
    const columns = [
      column('id', 'nvarchar', 44), column('version', 'int', 4), column('secret_hash', 'nvarchar', 86),
      column('principal', 'nvarchar', 510, 1), column('expires_at', 'bigint', 8), column('body', 'nvarchar', -1),
    ]; // prettier-ignore
    const indexes = ['id', 'principal', 'expires_at'].map((col) => ({
      col,
      place: 1,
      is_primary_key: col === 'id',
    }));
    const paths: unknown[] = [];
    const ask = (rows: object[]) =>
      (async (sql: string, [path]: string[]) => (
        paths.push(path),
        sql.includes('sys.indexes') ? indexes : rows
      )) as never as RunQuery;
    const table = { name: 's', schema: 'a]b', quoted: '' };

    expect(schemaProblems((await inspectSqlServerTable(ask(columns), table))!)).toEqual([]);
    expect(new Set(paths)).toEqual(new Set(['[a]]b].[s]']));
    const loose = columns.map((one) =>
      one.name === 'id' ? { ...one, base: 'varchar', bytes: 20, collation: 'Latin1_General_CI_AS' } : one,
    );
    expect(schemaProblems((await inspectSqlServerTable(ask(loose), table))!)).toEqual([
      "the column id is of type 'varchar', which is too small",
      'the column id has the collation Latin1_General_CI_AS, which treats different values as equal',
    ]);
    expect(await inspectSqlServerTable(ask([]), table)).toBeNull();
  });
});

describe('CockroachDB', () => {
  it('F7: has its table read from its catalog', async () => {
    const columns = [
      ['id', 'VARCHAR(22)', '22', 'no'], ['version', 'INT8', null, 'no'], ['secret_hash', 'VARCHAR(43)', '43', 'no'],
      ['principal', 'VARCHAR(255)', '255', 'yes'], ['expires_at', 'INT8', null, 'no'], ['body', 'STRING', null, 'no'],
    ].map(([name, type, limit, nullable]) => ({ name, type, limit, nullable })); // prettier-ignore
    const ask = (rows: object[]) =>
      (async (sql: string) => {
        if (sql.includes('key_column_usage')) return [{ name: 'id' }];
        return sql.includes('statistics')
          ? ['id', 'principal', 'expires_at'].map((name) => ({ name }))
          : rows;
      }) as never as RunQuery;
    const table = { name: 's', schema: undefined, quoted: '' };
    expect(schemaProblems((await inspectCockroachTable(ask(columns), table))!)).toEqual([]);
    const other = columns.map((one) => (one.name === 'body' ? { ...one, type: 'STRING COLLATE de' } : one));
    expect(schemaProblems((await inspectCockroachTable(ask(other), table))!)).toEqual([
      "the column body is of type 'STRING COLLATE de', which is not a text type",
    ]);
    expect(await inspectCockroachTable(ask([]), table)).toBeNull();
  });
});
