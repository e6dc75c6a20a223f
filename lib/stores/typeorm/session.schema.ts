import { type DataSource, type DataSourceOptions, EntitySchema } from 'typeorm';
import type { SessionRecord } from '../../core/session-record';
import { checkTableName, DEFAULT_TABLE, indexName } from '../sql/session-table';

/** Options of {@link sessionSchema}. */
export interface SessionSchemaOptions {
  /** The `tableName` of `TypeOrmSessionStore`. @default 'tessera_sessions' */
  readonly tableName?: string;
  /** The `entityPrefix` of the DataSource, which the names of the indexes take too. @default '' */
  readonly entityPrefix?: string;
  /** The type of the DataSource. MySQL and MariaDB need their own text types. @default 'postgres' */
  readonly type?: DataSourceOptions['type'];
}

const MYSQL_TEXT = { charset: 'utf8mb4', collation: 'utf8mb4_bin' };
const MYSQL = {
  text: { type: 'varchar', ...MYSQL_TEXT },
  body: { type: 'mediumtext', ...MYSQL_TEXT },
} as const;
const TEXTS: Readonly<Record<string, typeof MYSQL>> = { mysql: MYSQL, mariadb: MYSQL };
const ORDINARY = { text: { type: 'varchar' }, body: { type: 'text' } } as const;

/**
 * The session table as an entity, so that generated migrations and `synchronize` include it. Add it to the `entities` of your DataSource.
 * The store itself does not need it.
 *
 * ```ts
 * sessionSchema({ type: 'mariadb', tableName: 'admin_sessions' });
 * ```
 *
 * Use it to read only; write through the store. `secretHash` and `body` are loaded only when selected by name.
 * @param options the options, or the table's name
 * @throws SessionError `SESSION_OPTIONS_INVALID`
 */
export function sessionSchema(options: SessionSchemaOptions | string = {}): EntitySchema<SessionRecord> {
  const {
    tableName = DEFAULT_TABLE,
    entityPrefix = '',
    type = 'postgres',
  } = typeof options === 'string' ? { tableName: options } : options;
  checkTableName(tableName);
  const { text, body } = TEXTS[type] ?? ORDINARY;
  return new EntitySchema<SessionRecord>({
    name: tableName === DEFAULT_TABLE ? 'Session' : `Session:${tableName}`,
    tableName,
    columns: {
      id: { ...text, length: 22, primary: true },
      version: { type: 'integer' },
      secretHash: { ...text, name: 'secret_hash', length: 43, select: false },
      principal: { ...text, length: 255, nullable: true },
      // Some drivers return a bigint as a string; epoch milliseconds fit into a number.
      expiresAt: {
        name: 'expires_at',
        type: 'bigint',
        transformer: { from: Number, to: (instant: number) => instant },
      },
      body: { ...body, select: false },
    },
    indices: [
      { name: indexName(entityPrefix + tableName, 'principal'), columns: ['principal'] },
      { name: indexName(entityPrefix + tableName, 'expires_at'), columns: ['expiresAt'] },
    ],
  });
}

/** {@link sessionSchema} of the default table on PostgreSQL, CockroachDB and SQLite. */
export const SessionSchema = sessionSchema();

/**
 * Whether the DataSource has the entity for other databases. A migration generated from it would make the column `body` too small.
 * @param table the table's name in the database
 */
export function hasEntityForOtherDatabase(
  { entityMetadatas = [], options }: DataSource,
  table: string,
): boolean {
  const entity = entityMetadatas.find(({ tableName }) => tableName === table);
  const body = entity?.findColumnWithDatabaseName('body');
  return body?.type === ORDINARY.body.type && options.type in TEXTS;
}
