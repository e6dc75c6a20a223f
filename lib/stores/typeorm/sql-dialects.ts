import { limitedPage, type SqlDialect } from './sql-dialect';

export const sqliteDialect: SqlDialect = {
  isPrincipal: ({ principal }) => `${principal} = :0`,
  page: limitedPage,
  // SQLite allows one writer at a time, so a row cannot be extended between subquery and delete.
  sweep: ({ table, id, expiresAt }) =>
    `DELETE FROM ${table} WHERE ${id} IN (` +
    `SELECT ${id} FROM ${table} WHERE ${expiresAt} <= :0 ORDER BY ${expiresAt} LIMIT :1)`,
};

export const postgresDialect: SqlDialect = {
  isPrincipal: ({ principal }) => `${principal} = :0`,
  page: limitedPage,
  // The array is evaluated once. A plain subquery might run for each row, and skip and return different rows each time.
  sweep: ({ table, id, expiresAt }) =>
    `DELETE FROM ${table} WHERE ${id} = ANY (ARRAY(` +
    `SELECT ${id} FROM ${table} WHERE ${expiresAt} <= :0 ORDER BY ${expiresAt} LIMIT :1 FOR UPDATE SKIP LOCKED)) ` +
    `AND ${expiresAt} <= :0`,
  returningIds: ({ id }) => ` RETURNING ${id}`,
};

/** Uses LIMIT of DELETE; a conflict with another write is retried. SKIP LOCKED of CockroachDB may skip rows that are not locked. */
export const cockroachDialect: SqlDialect = {
  isPrincipal: ({ principal }) => `${principal} = :0`,
  page: limitedPage,
  sweep: ({ table, expiresAt }) =>
    `DELETE FROM ${table} WHERE ${expiresAt} <= :0 ORDER BY ${expiresAt} LIMIT :1`,
};

/** MySQL and MariaDB. */
export const mysqlDialect: SqlDialect = {
  // `=` ignores trailing spaces under all collations except some whose names differ between MySQL and MariaDB.
  isPrincipal: ({ principal }) => `${principal} = :0 AND CHAR_LENGTH(${principal}) = CHAR_LENGTH(:0)`,
  page: limitedPage,
  // A join, because DELETE with IN (SELECT …) reads and locks the whole table. STRAIGHT_JOIN fixes the join order.
  sweep: ({ table, id, expiresAt }) =>
    `DELETE dead FROM (` +
    `SELECT ${id} FROM ${table} WHERE ${expiresAt} <= :0 ORDER BY ${expiresAt} LIMIT :1 FOR UPDATE SKIP LOCKED) AS due ` +
    `STRAIGHT_JOIN ${table} AS dead ON dead.${id} = due.${id} WHERE dead.${expiresAt} <= :0`,
};

export const sqlServerDialect: SqlDialect = {
  // `=` ignores trailing spaces under every collation.
  isPrincipal: ({ principal }) => `${principal} = :0 AND DATALENGTH(${principal}) = DATALENGTH(:0)`,
  page: ({ table, all, id }) => `SELECT TOP (:1) ${all} FROM ${table} WHERE ${id} > :0 ORDER BY ${id}`,
  sweep: ({ table, id, expiresAt }) =>
    `WITH due AS (SELECT TOP (:1) ${id} FROM ${table} WITH (ROWLOCK, UPDLOCK, READPAST) ` +
    `WHERE ${expiresAt} <= :0 ORDER BY ${expiresAt}) DELETE FROM due`,
};
