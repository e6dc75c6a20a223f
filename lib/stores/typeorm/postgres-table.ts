import { SessionError } from '../../core/session.errors';
import type { RunQuery } from './database-server';
import type { SessionTable } from './session-table';
import type { ColumnFacts, TableFacts } from './table-facts';

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
  readonly is_primary: string;
}

// to_regclass finds the same table as the statements, by the search path. Booleans are selected as the texts 'yes' and 'no'.
const COLUMNS = `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, t.typname AS base,
    CASE WHEN a.atttypmod > 4 THEN a.atttypmod - 4 END AS "limit",
    CASE WHEN NOT a.attnotnull OR a.atthasdef OR a.attidentity <> '' THEN 'yes' ELSE 'no' END AS nullable,
    CASE WHEN c.collisdeterministic = false THEN c.collname END AS loose
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation c ON c.oid = a.attcollation
  WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped`;

/** Valid indexes that cover all rows. */
const INDEXES = `SELECT string_agg(a.attname, ' ' ORDER BY k.place) AS columns,
    CASE WHEN i.indisprimary THEN 'yes' ELSE 'no' END AS is_primary
  FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
  LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
  WHERE i.indrelid = to_regclass($1) AND i.indpred IS NULL AND i.indisvalid GROUP BY i.indexrelid, i.indisprimary`;

const INTEGERS: Readonly<Record<string, number>> = { int2: 2 ** 15 - 1, int4: 2 ** 31 - 1, int8: Infinity };
const TEXTS = ['varchar', 'text'];

/** @throws SessionError `SESSION_SCHEMA_INVALID` for a database whose encoding lacks characters */
export async function inspectPostgresTable(
  ask: RunQuery,
  { quoted }: SessionTable,
): Promise<TableFacts | null> {
  const rows = await ask<ColumnRow>(COLUMNS, [quoted]);
  if (rows.length === 0) return null;
  const [encoding] = await ask<{ server_encoding: string }>('SHOW server_encoding');
  checkEncoding(encoding!.server_encoding);
  const indexes = await ask<IndexRow>(INDEXES, [quoted]);
  return {
    columns: new Map(rows.map((row) => [row.name, columnFacts(row)])),
    indexed: new Set(indexes.map(({ columns }) => columns.split(' ')[0]!)),
    primaryKey: indexes.find(({ is_primary }) => is_primary === 'yes')?.columns.split(' ') ?? [],
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
