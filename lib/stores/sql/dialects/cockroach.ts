import type { SqlDialect } from '../sql-dialect';
import { postgresProtocol } from './postgres';

/** Not run here: its statements are only compared with its manual. */
export const cockroach: SqlDialect = {
  ...postgresProtocol,
  name: 'cockroachdb',
  // LIMIT of DELETE; a conflict with another write is retried. SKIP LOCKED may skip rows that are not locked.
  sweep: ({ table, expiresAt }) =>
    `DELETE FROM ${table} WHERE ${expiresAt} <= :0 ORDER BY ${expiresAt} LIMIT :1`,
};
