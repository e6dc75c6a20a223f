import type { ColumnFacts, TableFacts } from './table-facts';

interface ColumnRow {
  readonly name: string;
  readonly type: string;
  readonly notnull: number;
  readonly pk: number;
  readonly dflt_value: string | null;
}

interface IndexRow {
  readonly name: string | null;
  readonly coll: string;
}

const COLUMNS = 'SELECT name, type, "notnull", pk, dflt_value FROM pragma_table_xinfo(?) ORDER BY pk';
/** The first column of each index that covers all rows. Only indexes expose a column's collation in SQLite. */
const INDEXED = `SELECT column.name, column.coll FROM pragma_index_list(?) AS list, pragma_index_xinfo(list.name) AS column
  WHERE column.seqno = 0 AND list.partial = 0`;

/** @param query runs a statement with the table's name as its only parameter */
export async function inspectSqliteTable(
  query: (sql: string) => Promise<readonly unknown[]>,
): Promise<TableFacts | null> {
  const rows = (await query(COLUMNS)) as ColumnRow[];
  if (rows.length === 0) return null;
  const indexed = new Map(((await query(INDEXED)) as IndexRow[]).map(({ name, coll }) => [name, coll]));
  const columns = rows.map((row): [string, ColumnFacts] => {
    const collation = indexed.get(row.name);
    const looseCollation = collation === undefined || collation === 'BINARY' ? undefined : collation;
    const nullable = row.notnull === 0 || row.dflt_value !== null;
    return [row.name, { kind: kindOf(row.type), type: row.type, nullable, looseCollation }];
  });
  return {
    columns: new Map(columns),
    indexed: new Set([...indexed.keys()].filter((name) => name !== null)),
    primaryKey: rows.filter(({ pk }) => pk > 0).map(({ name }) => name),
  };
}

/** SQLite's rule for the affinity of a declared type (https://sqlite.org/datatype3.html#determination_of_column_affinity). */
function kindOf(type: string): ColumnFacts['kind'] {
  if (/INT/i.test(type)) return 'integer';
  if (/CHAR|CLOB|TEXT/i.test(type)) return 'text';
  return 'other';
}
