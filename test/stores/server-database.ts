import { CreateSessionTable } from 'nestjs-tessera/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { Service } from '../support/servers';

/** A kind of database server that tests run on. */
export type SqlKind = 'postgres' | 'mariadb';

export const sqlKinds = ['postgres', 'mariadb'] as const;

const opened: DataSource[] = [];
afterEach(async () => {
  const open = opened.splice(0).filter(({ isInitialized }) => isInitialized);
  await Promise.all(open.map((dataSource) => dataSource.destroy()));
});

/** The application's DataSource, with the session table migrated into an empty database. It is closed after the test. */
export async function openApplication(
  type: SqlKind,
  url: string,
  options: Partial<DataSourceOptions> = {},
): Promise<DataSource> {
  const dataSource = application(type, url, options);
  await dataSource.initialize();
  await empty(dataSource);
  await dataSource.runMigrations();
  return dataSource;
}

/** The same for all tests of a group, each of which calls what is returned for a DataSource without sessions. */
export function applicationOfGroup(type: SqlKind, service: () => Service): () => Promise<DataSource> {
  let dataSource: DataSource;
  beforeAll(async () => {
    dataSource = new DataSource(optionsOf(type, service().url));
    await dataSource.initialize();
    await dataSource.runMigrations();
  });
  afterAll(() => dataSource.destroy());
  return async () => {
    await dataSource.query('TRUNCATE TABLE tessera_sessions');
    return dataSource;
  };
}

/** The application's DataSource, not opened yet, on whatever there is in the database. It is closed after the test. */
export function application(
  type: SqlKind,
  url: string,
  options: Partial<DataSourceOptions> = {},
): DataSource {
  const dataSource = new DataSource(optionsOf(type, url, options));
  opened.push(dataSource);
  return dataSource;
}

function optionsOf(type: SqlKind, url: string, options: Partial<DataSourceOptions> = {}): DataSourceOptions {
  const migrations = [CreateSessionTable];
  return { type, url, installExtensions: false, migrations, ...options } as DataSourceOptions;
}

async function empty(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner();
  const sql =
    dataSource.options.type === 'postgres'
      ? `SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'`
      : 'SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()';
  for (const { name } of (await runner.query(sql)) as { name: string }[])
    await runner.query(`DROP TABLE ${name}`);
  await runner.release();
}
