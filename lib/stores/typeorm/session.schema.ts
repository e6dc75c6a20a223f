import { EntitySchema } from 'typeorm';
import type { SessionRecord } from '../../core/session-record';
import { checkTableName, DEFAULT_TABLE, indexName } from './session-table';

/**
 * The session table as an entity, for applications that list it among their `entities`: generated migrations and `synchronize`
 * then know it. The store itself does not need it.
 *
 * Reading it is fine; write through the store alone. `secretHash` and `body` are loaded only when selected by name.
 * @param tableName as given to `TypeOrmSessionStore`. @default 'tessera_sessions'
 * @throws SessionError `SESSION_OPTIONS_INVALID`
 */
export function sessionSchema(tableName: string = DEFAULT_TABLE): EntitySchema<SessionRecord> {
  checkTableName(tableName);
  return new EntitySchema<SessionRecord>({
    name: tableName === DEFAULT_TABLE ? 'Session' : `Session:${tableName}`,
    tableName,
    columns: {
      id: { type: 'varchar', length: 22, primary: true },
      version: { type: 'integer' },
      secretHash: { name: 'secret_hash', type: 'varchar', length: 43, select: false },
      principal: { type: 'varchar', length: 255, nullable: true },
      // Some drivers hand a bigint out as a string; epoch milliseconds are safe as a number.
      expiresAt: {
        name: 'expires_at',
        type: 'bigint',
        transformer: { from: Number, to: (instant: number) => instant },
      },
      body: { type: 'text', select: false },
    },
    indices: [
      { name: indexName(tableName, 'principal'), columns: ['principal'] },
      { name: indexName(tableName, 'expires_at'), columns: ['expiresAt'] },
    ],
  });
}

/** {@link sessionSchema} of the default table. */
export const SessionSchema = sessionSchema();
