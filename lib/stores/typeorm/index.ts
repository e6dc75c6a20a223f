/**
 * Sessions in the database of a TypeORM `DataSource`. Needs the package `typeorm`.
 * @module nestjs-tessera/typeorm
 */
export { TypeOrmSessionStore } from './typeorm-session-store';
export type { TypeOrmSessionStoreOptions } from './typeorm-session-store';
export { CreateSessionTable, createSessionTable } from './create-session-table.migration';
export { SessionSchema, sessionSchema } from './session.schema';
export type { SessionSchemaOptions } from './session.schema';
