import type { RunQuery } from './database-server';
import type { SessionTable } from './session-table';
import type { ColumnFacts, TableFacts } from './table-facts';

interface ColumnRow {
  readonly name: string;
  /** Such as `VARCHAR(22)`, `INT8`, `STRING COLLATE de`. */
  readonly type: string;
  readonly limit: string | null;
  readonly nullable: string;
}

interface KeyRow {
  readonly name: string;
}

const TABLE = 'table_schema = COALESCE($2, current_schema()) AND table_name = $1';
const COLUMNS = `SELECT column_name AS name, crdb_sql_type AS type, character_maximum_length AS "limit",
    CASE WHEN is_nullable = 'YES' OR column_default IS NOT NULL THEN 'yes' ELSE 'no' END AS nullable
  FROM information_schema.columns WHERE ${TABLE} AND is_hidden = 'NO'`;
const INDEXED = `SELECT column_name AS name FROM information_schema.statistics WHERE ${TABLE} AND seq_in_index = 1`;
const PRIMARY_KEY = `SELECT column_name AS name FROM information_schema.key_column_usage WHERE ${TABLE} AND constraint_name IN (
    SELECT constraint_name FROM information_schema.table_constraints WHERE ${TABLE} AND constraint_type = 'PRIMARY KEY')
  ORDER BY ordinal_position`;

const INTEGERS: Readonly<Record<string, number>> = { INT2: 2 ** 15 - 1, INT4: 2 ** 31 - 1, INT8: Infinity };

export async function inspectCockroachTable(
  ask: RunQuery,
  { name, schema }: SessionTable,
): Promise<TableFacts | null> {
  const where = [name, schema ?? null];
  const rows = await ask<ColumnRow>(COLUMNS, where);
  if (rows.length === 0) return null;
  const names = (keys: readonly KeyRow[]) => keys.map((key) => key.name);
  return {
    columns: new Map(rows.map((row) => [row.name, columnFacts(row)])),
    indexed: new Set(names(await ask<KeyRow>(INDEXED, where))),
    primaryKey: names(await ask<KeyRow>(PRIMARY_KEY, where)),
  };
}

/** In CockroachDB a text with a collation is a separate type, which cannot be compared with plain text. */
function columnFacts({ type, limit, nullable }: ColumnRow): ColumnFacts {
  const integer = INTEGERS[type];
  return {
    kind: integer !== undefined ? 'integer' : /^(STRING|VARCHAR)(\(\d+\))?$/.test(type) ? 'text' : 'other',
    type,
    limit: integer ?? (limit === null ? undefined : Number(limit)),
    nullable: nullable === 'yes',
  };
}
