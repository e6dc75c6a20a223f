export { TypeOrmSessionStore } from './typeorm-session-store';
export type { TypeOrmSessionStoreOptions } from './typeorm-session-store';
export { CreateSessionTable1760000000000 } from './create-session-table.migration';
export { SessionSchema, sessionSchema } from './session.schema';
