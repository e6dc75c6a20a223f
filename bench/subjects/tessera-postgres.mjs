import { createSessionTable, TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import { DataSource } from 'typeorm';
import { start as serve } from './tessera.mjs';

export { keepsSessions } from './tessera.mjs';

/** Each process has a table of its own. */
export async function start(platform, { url }) {
  const tableName = `tessera_${process.pid}`;
  const database = await new DataSource({
    type: 'postgres',
    url,
    migrations: [createSessionTable(tableName)],
    migrationsTableName: `${tableName}_done`,
  }).initialize();
  await database.runMigrations();
  return serve(platform, { store: new TypeOrmSessionStore(database, { tableName }) });
}
