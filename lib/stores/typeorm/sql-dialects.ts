import { limitedPage, type SqlDialect } from './sql-dialect';

export const sqliteDialect: SqlDialect = {
  isPrincipal: ({ principal }) => `${principal} = :0`,
  page: limitedPage,
  // One connection writes at a time, so the row cannot have been extended since it was picked.
  sweep: ({ table, id, expiresAt }) =>
    `DELETE FROM ${table} WHERE ${id} IN (` +
    `SELECT ${id} FROM ${table} WHERE ${expiresAt} <= :0 ORDER BY ${expiresAt} LIMIT :1)`,
};

export const postgresDialect: SqlDialect = {
  isPrincipal: ({ principal }) => `${principal} = :0`,
  page: limitedPage,
  // An array is made once; a plain subquery might be run anew for each row, and each time skip and take others.
  sweep: ({ table, id, expiresAt }) =>
    `DELETE FROM ${table} WHERE ${id} = ANY (ARRAY(` +
    `SELECT ${id} FROM ${table} WHERE ${expiresAt} <= :0 ORDER BY ${expiresAt} LIMIT :1 FOR UPDATE SKIP LOCKED)) ` +
    `AND ${expiresAt} <= :0`,
};

/** Its DELETE has a LIMIT of its own, and what meets somebody else's write is repeated. Its SKIP LOCKED can skip rows that nobody locks. */
export const cockroachDialect: SqlDialect = {
  isPrincipal: ({ principal }) => `${principal} = :0`,
  page: limitedPage,
  sweep: ({ table, expiresAt }) =>
    `DELETE FROM ${table} WHERE ${expiresAt} <= :0 ORDER BY ${expiresAt} LIMIT :1`,
};

/** MySQL and MariaDB. */
export const mysqlDialect: SqlDialect = {
  // `=` overlooks spaces at the end under all collations but those that the two have under different names.
  isPrincipal: ({ principal }) => `${principal} = :0 AND CHAR_LENGTH(${principal}) = CHAR_LENGTH(:0)`,
  page: limitedPage,
  // A join: to IN (SELECT …) in a DELETE they answer by reading, and locking, the whole table. The join's order keeps it so.
  sweep: ({ table, id, expiresAt }) =>
    `DELETE dead FROM (` +
    `SELECT ${id} FROM ${table} WHERE ${expiresAt} <= :0 ORDER BY ${expiresAt} LIMIT :1 FOR UPDATE SKIP LOCKED) AS due ` +
    `STRAIGHT_JOIN ${table} AS dead ON dead.${id} = due.${id} WHERE dead.${expiresAt} <= :0`,
};

export const sqlServerDialect: SqlDialect = {
  // `=` overlooks spaces at the end, whatever the collation.
  isPrincipal: ({ principal }) => `${principal} = :0 AND DATALENGTH(${principal}) = DATALENGTH(:0)`,
  page: ({ table, all, id }) => `SELECT TOP (:1) ${all} FROM ${table} WHERE ${id} > :0 ORDER BY ${id}`,
  sweep: ({ table, id, expiresAt }) =>
    `WITH due AS (SELECT TOP (:1) ${id} FROM ${table} WITH (ROWLOCK, UPDLOCK, READPAST) ` +
    `WHERE ${expiresAt} <= :0 ORDER BY ${expiresAt}) DELETE FROM due`,
};
