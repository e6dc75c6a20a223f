import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateSessionTable } from 'nestjs-tessera/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';

export type SqliteOptions = Extract<DataSourceOptions, { type: 'better-sqlite3' }>;

/** A directory of its own with a database file to be, and the means to be rid of both. */
export function sqliteFile() {
  const directory = mkdtempSync(join(tmpdir(), 'tessera-'));
  const database = join(directory, 'app.sqlite');
  const opened: DataSource[] = [];
  return {
    database,
    /** The application's DataSource, with the session table migrated. */
    async open(options: Partial<SqliteOptions> = {}): Promise<DataSource> {
      const migrations = [CreateSessionTable];
      const dataSource = new DataSource({
        type: 'better-sqlite3',
        database,
        migrations,
        migrationsRun: true,
        ...options,
      });
      opened.push(dataSource);
      return dataSource.initialize();
    },
    async remove(): Promise<void> {
      await Promise.all(
        opened.filter(({ isInitialized }) => isInitialized).map((dataSource) => dataSource.destroy()),
      );
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
