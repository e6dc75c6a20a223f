import { TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { describeWith } from '../support/servers';
import { describeWithSqlite } from '../support/sqlite';
import { sqliteFile } from '../stores/sqlite-file';
import { linesOf, runHere } from './program';

/** Runs the printed SQL in an empty database, and lets the store check the table. */
async function apply(dialect: string, options: DataSourceOptions, tableName?: string): Promise<string> {
  const { stdout } = await runHere([
    ...['migration', '--dialect', dialect],
    ...(tableName === undefined ? [] : ['--table', tableName]),
  ]);
  const database = await new DataSource(options).initialize();
  for (const statement of stdout.split(/;\n/).filter(Boolean)) await database.query(statement);
  const store = new TypeOrmSessionStore(database, tableName === undefined ? {} : { tableName });
  try {
    await store.prepare();
    return 'right';
  } catch (error) {
    return (error as Error).message;
  } finally {
    await store.close();
    await database.destroy();
  }
}

describe('nestjs-tessera migration', () => {
  describeWithSqlite('on SQLite', () => {
    it('F7: prints SQL that creates the table', async () => {
      const { database, remove } = sqliteFile();
      expect(
        await apply('sqlite', { type: 'better-sqlite3', database }, 'admin_sessions').finally(remove),
      ).toBe('right');
    });
  });

  describeWith('postgres', 'on PostgreSQL', (service) => {
    it('F7: prints SQL that creates the table', async () => {
      const options = { type: 'postgres', url: service().url, installExtensions: false } as const;
      expect(await apply('postgres', options)).toBe('right');
    });
  });

  describeWith('mariadb', 'on MariaDB', (service) => {
    it('F7: prints SQL that creates the table', async () => {
      const options = { type: 'mariadb', url: service().url } as const;
      expect(await apply('mysql', options, 'admin_sessions')).toBe('right');
    });
  });

  // Neither has been run.
  it.each([
    ['sqlserver', '  "body" nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,'],
    ['cockroachdb', '  "body" text NOT NULL,'],
  ])('prints SQL for %s', async (dialect, column) => {
    const { code, stdout } = await runHere(['migration', '--dialect', dialect, '--schema', 'app']);
    const lines = linesOf(stdout);
    expect({ code, first: lines[0], body: lines[6], indexes: lines.slice(-2) }).toEqual({
      code: 0,
      first: 'CREATE TABLE "app"."tessera_sessions" (',
      body: column,
      indexes: [
        'CREATE INDEX "tessera_sessions_principal_idx" ON "app"."tessera_sessions" ("principal");',
        'CREATE INDEX "tessera_sessions_expires_at_idx" ON "app"."tessera_sessions" ("expires_at");',
      ],
    });
  });

  it('separates the statements for Drizzle', async () => {
    const { stdout } = await runHere(['migration', '--dialect', 'sqlite', '--drizzle']);
    const statements = stdout.split('\n--> statement-breakpoint\n');
    expect(statements.map((statement) => statement.split(' ').slice(0, 2).join(' '))).toEqual([
      'CREATE TABLE',
      'CREATE INDEX',
      'CREATE INDEX',
    ]);
  });

  it.each([
    [['postgres'], 2, /^Besides its options the command takes 0 arguments/],
    [[], 2, /^--dialect is missing: postgres, mysql, sqlite, cockroachdb, sqlserver\. MariaDB is mysql\./],
    [['--dialect', 'oracle'], 2, /^There is no dialect 'oracle': postgres,/],
    [
      ['--dialect', 'postgres://ada:hunter2@host/x'],
      2,
      /^There is no dialect of this name: postgres,(?!.*hunter2)/s,
    ],
    [['--dialect', 'postgres', '--table', 'a; drop'], 1, /^tableName must be at most 48 letters/],
  ])('refuses %j', async (args, code, message) => {
    expect(await runHere(['migration', ...args])).toEqual({
      code,
      stdout: '',
      stderr: expect.stringMatching(message),
    });
  });
});
