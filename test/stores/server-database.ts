import { CreateSessionTable } from 'nestjs-tessera/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';

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

/** The same, not opened yet, on whatever there is in the database. */
export function application(
  type: SqlKind,
  url: string,
  options: Partial<DataSourceOptions> = {},
): DataSource {
  const dataSource = new DataSource({
    type,
    url,
    installExtensions: false,
    migrations: [CreateSessionTable],
    ...options,
  } as DataSourceOptions);
  opened.push(dataSource);
  return dataSource;
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
