import type { FailureKind, SqlDialect } from '../sql-dialect';

/** Error numbers and what they mean for a single statement. */
const FAILURE_KINDS: Readonly<Record<string, FailureKind>> = {
  2601: 'duplicate',
  2627: 'duplicate',
  1205: 'conflict', // deadlock
  1222: 'conflict', // LOCK_TIMEOUT
  3960: 'conflict', // snapshot isolation
  978: 'refused', // a readable secondary
  3906: 'refused', // a read-only database
};
/** Errors about a value that does not fit its column. */
const QUOTING_ERRORS = ['245', '2628', '8114'];

const text = (length: number | 'max') => `nvarchar(${length}) COLLATE Latin1_General_100_BIN2`;

/** Microsoft SQL Server. Not run here: its statements are only compared with its manual. */
export const sqlServer: SqlDialect = {
  name: 'sqlserver',
  parameter: (index) => `@${index}`,
  quotes: ['"', '"'],
  types: { text, integer: 'int', body: text('max') },
  // `=` ignores trailing spaces under every collation.
  isPrincipal: ({ principal }) => `${principal} = :0 AND DATALENGTH(${principal}) = DATALENGTH(:0)`,
  page: ({ table, record, id }) => `SELECT TOP (:1) ${record} FROM ${table} WHERE ${id} > :0 ORDER BY ${id}`,
  sweep: ({ table, id, expiresAt }) =>
    `WITH due AS (SELECT TOP (:1) ${id} FROM ${table} WITH (ROWLOCK, UPDLOCK, READPAST) ` +
    `WHERE ${expiresAt} <= :0 ORDER BY ${expiresAt}) DELETE FROM due`,
  codeOf: ({ number }) => (typeof number === 'number' && number > 0 ? String(number) : null),
  kindOf: (code) => FAILURE_KINDS[code] ?? 'other',
  quotesValues: (code) => QUOTING_ERRORS.includes(code),
};
