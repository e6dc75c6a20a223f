import { SessionError } from '../../../core/session.errors';
import type { ColumnFacts, TableFacts } from '../schema-check';
import type { FailureKind, RunQuery, SessionTable, SqlDialect } from '../sql-dialect';

interface ColumnRow {
  readonly name: string;
  /** As declared, such as `character varying(22)`. */
  readonly type: string;
  /** The name of the type, such as `varchar`. */
  readonly base: string;
  readonly limit: string | null;
  readonly nullable: string;
  readonly loose: string | null;
}

interface IndexRow {
  /** The columns in order, separated by spaces. */
  readonly columns: string;
  readonly main: string;
}

// to_regclass finds the same table as the statements, by the search path. Booleans are selected as the texts 'yes' and 'no'.
const COLUMNS = `SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type, t.typname::text AS base,
    CASE WHEN a.atttypmod > 4 THEN a.atttypmod - 4 END AS "limit",
    CASE WHEN NOT a.attnotnull OR a.atthasdef OR a.attidentity <> '' THEN 'yes' ELSE 'no' END AS nullable,
    CASE WHEN c.collisdeterministic = false THEN c.collname::text END AS loose
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation c ON c.oid = a.attcollation
  WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped`;

const ENCODING = `SELECT current_setting('server_encoding') AS name`;

/** Valid indexes that cover all rows. */
const INDEXES = `SELECT string_agg(a.attname::text, ' ' ORDER BY k.place) AS columns,
    CASE WHEN i.indisprimary THEN 'yes' ELSE 'no' END AS main
  FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
  LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
  WHERE i.indrelid = to_regclass($1) AND i.indpred IS NULL AND i.indisvalid GROUP BY i.indexrelid, i.indisprimary`;

const INTEGERS: Readonly<Record<string, number>> = { int2: 2 ** 15 - 1, int4: 2 ** 31 - 1, int8: Infinity };
const TEXTS = ['varchar', 'text'];

/** @throws SessionError `SESSION_SCHEMA_INVALID` for a database whose encoding lacks characters */
async function inspect(ask: RunQuery, { quoted }: SessionTable): Promise<TableFacts | null> {
  const rows = await ask<ColumnRow>(COLUMNS, [quoted]);
  if (rows.length === 0) return null;
  const [encoding] = await ask<{ name: string }>(ENCODING);
  checkEncoding(encoding!.name);
  const indexes = await ask<IndexRow>(INDEXES, [quoted]);
  return {
    columns: new Map(rows.map((row) => [row.name, columnFacts(row)])),
    indexed: new Set(indexes.map(({ columns }) => columns.split(' ')[0]!)),
    primaryKey: indexes.find(({ main }) => main === 'yes')?.columns.split(' ') ?? [],
  };
}

function columnFacts({ type, base, limit, nullable, loose }: ColumnRow): ColumnFacts {
  const integer = INTEGERS[base];
  return {
    kind: integer !== undefined ? 'integer' : TEXTS.includes(base) ? 'text' : 'other',
    type,
    limit: integer ?? (limit === null ? undefined : Number(limit)),
    nullable: nullable === 'yes',
    looseCollation: loose ?? undefined,
  };
}

function checkEncoding(encoding: string): void {
  if (encoding === 'UTF8') return;
  throw new SessionError(
    'SESSION_SCHEMA_INVALID',
    `The database has the encoding ${encoding}, which lacks characters that a session may contain. ` +
      "Create a database with ENCODING 'UTF8' for the sessions.",
  );
}

/** SQLSTATE codes and what they mean for a single statement (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const FAILURE_KINDS: Readonly<Record<string, FailureKind>> = {
  23505: 'duplicate',
  40001: 'conflict', // serialization failure
  '40P01': 'conflict', // deadlock
  '55P03': 'conflict', // lock_timeout
  25001: 'refused', // a transaction is open
  25006: 'refused', // read-only: the server has become a standby
  '0A000': 'refused', // the table was altered under a prepared statement
  26000: 'refused', // unknown prepared statement,
  '42P05': 'refused', // or a duplicate one: a proxy has switched the server connection
  53300: 'refused', // too many connections
};

/** What PostgreSQL and CockroachDB, which uses its protocol, have in common. */
export const postgresProtocol = {
  parameter: (index) => `$${index + 1}`,
  quotes: ['"', '"'],
  types: { text: (length) => `varchar(${length})`, integer: 'integer', body: 'text' },
  isPrincipal: ({ principal }) => `${principal} = :0`,
  codeOf: ({ code, originalCode }) => [originalCode, code].find(isSqlState) ?? null,
  // After errors of the classes 08 and 57P the server closes the connection.
  kindOf: (code) => FAILURE_KINDS[code] ?? (/^(08|57P)/.test(code) ? 'lost' : 'other'),
  // Class 22: data exceptions.
  quotesValues: (code) => code.startsWith('22'),
} satisfies Partial<SqlDialect>;

export const postgres: SqlDialect = {
  ...postgresProtocol,
  name: 'postgres',
  // The array is evaluated once. A plain subquery might run for each row, and skip and return different rows each time.
  sweep: ({ table, id, expiresAt }) =>
    `DELETE FROM ${table} WHERE ${id} = ANY (ARRAY(` +
    `SELECT ${id} FROM ${table} WHERE ${expiresAt} <= :0 ORDER BY ${expiresAt} LIMIT :1 FOR UPDATE SKIP LOCKED)) ` +
    `AND ${expiresAt} <= :0`,
  returningIds: ({ id }) => ` RETURNING ${id}`,
  inspect,
};

/** Each has a digit, unlike codes of Node such as `EPIPE`. Those of Prisma begin with a P and another digit than 0. */
function isSqlState(code: unknown): code is string {
  return typeof code === 'string' && /^(?!P[1-9])(?=.*\d)[0-9A-Z]{5}$/.test(code);
}
