import type { RunQuery } from './database-server';
import type { SessionTable } from './session-table';
import type { ColumnFacts, TableFacts } from './table-facts';

interface ColumnRow {
  readonly name: string;
  readonly base: string;
  /** -1 for `max`. */
  readonly bytes: number;
  readonly collation: string | null;
  readonly nullable: number;
}

interface IndexRow {
  readonly col: string;
  readonly place: number;
  readonly is_primary_key: boolean;
}

const COLUMNS = `SELECT c.name AS name, TYPE_NAME(c.system_type_id) AS base, c.max_length AS bytes, c.collation_name AS collation,
    CASE WHEN c.is_nullable = 1 OR c.default_object_id <> 0 OR c.is_identity = 1 OR c.is_computed = 1 THEN 1 ELSE 0 END AS nullable
  FROM sys.columns AS c WHERE c.object_id = OBJECT_ID(@0)`;
/** Enabled indexes that cover all rows. */
const INDEXES = `SELECT COL_NAME(k.object_id, k.column_id) AS col, k.key_ordinal AS place, i.is_primary_key AS is_primary_key
  FROM sys.indexes AS i JOIN sys.index_columns AS k ON k.object_id = i.object_id AND k.index_id = i.index_id
  WHERE i.object_id = OBJECT_ID(@0) AND i.has_filter = 0 AND i.is_disabled = 0 AND k.key_ordinal > 0 ORDER BY k.key_ordinal`;

const INTEGERS: Readonly<Record<string, number>> = { int: 2 ** 31 - 1, bigint: Infinity };

export async function inspectSqlServerTable(
  ask: RunQuery,
  { name, schema }: SessionTable,
): Promise<TableFacts | null> {
  const path = [schema, name].flatMap((part) => (part ? [`[${part.replaceAll(']', ']]')}]`] : [])).join('.');
  const rows = await ask<ColumnRow>(COLUMNS, [path]);
  if (rows.length === 0) return null;
  const indexes = await ask<IndexRow>(INDEXES, [path]);
  return {
    columns: new Map(rows.map((row) => [row.name, columnFacts(row)])),
    indexed: new Set(indexes.filter(({ place }) => place === 1).map(({ col }) => col)),
    primaryKey: indexes.filter(({ is_primary_key }) => is_primary_key).map(({ col }) => col),
  };
}

function columnFacts({ base, bytes, collation, nullable }: ColumnRow): ColumnFacts {
  const integer = INTEGERS[base];
  const isWide = base === 'nvarchar';
  const isText = isWide || base === 'varchar';
  return {
    kind: integer !== undefined ? 'integer' : isText ? 'text' : 'other',
    type: base,
    limit: integer ?? (isText && bytes > 0 ? bytes / (isWide ? 2 : 1) : undefined),
    nullable: nullable === 1,
    looseCollation: collation !== null && !/_BIN2?(_UTF8)?$/.test(collation) ? collation : undefined,
    // The collation of a varchar determines its character set.
    narrowCharset: isText && !isWide && !collation?.endsWith('_UTF8') ? (collation ?? undefined) : undefined,
  };
}
