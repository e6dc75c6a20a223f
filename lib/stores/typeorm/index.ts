export { TypeOrmSessionStore } from './typeorm-session-store';
export type { TypeOrmSessionStoreOptions } from './typeorm-session-store';
export { CreateSessionTable, createSessionTable } from './create-session-table.migration';
export { SessionSchema, sessionSchema } from './session.schema';
export type { SessionSchemaOptions } from './session.schema';
