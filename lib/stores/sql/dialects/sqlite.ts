import type { ColumnFacts, TableFacts } from '../schema-check';
import type { DriverError, RunQuery, SessionTable, SqlDialect } from '../sql-dialect';

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

async function inspect(ask: RunQuery, { name: table }: SessionTable): Promise<TableFacts | null> {
  const rows = await ask<ColumnRow>(COLUMNS, [table]);
  if (rows.length === 0) return null;
  const indexed = new Map((await ask<IndexRow>(INDEXED, [table])).map(({ name, coll }) => [name, coll]));
  const columns = rows.map((row): [string, ColumnFacts] => {
    const collation = indexed.get(row.name);
    const looseCollation = collation === undefined || collation === 'BINARY' ? undefined : collation;
    const nullable = Number(row.notnull) === 0 || row.dflt_value !== null;
    return [row.name, { kind: kindOf(row.type), type: row.type, nullable, looseCollation }];
  });
  return {
    columns: new Map(columns),
    indexed: new Set([...indexed.keys()].filter((name) => name !== null)),
    primaryKey: rows.filter(({ pk }) => Number(pk) > 0).map(({ name }) => name),
  };
}

/** SQLite's rule for the affinity of a declared type (https://sqlite.org/datatype3.html#determination_of_column_affinity). */
function kindOf(type: string): ColumnFacts['kind'] {
  if (/INT/i.test(type)) return 'integer';
  if (/CHAR|CLOB|TEXT/i.test(type)) return 'text';
  return 'other';
}

/** Result codes (https://sqlite.org/rescode.html), by their numbers. */
const CODES: Readonly<Record<number, string>> = {
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  1555: 'SQLITE_CONSTRAINT_PRIMARYKEY',
  2067: 'SQLITE_CONSTRAINT_UNIQUE',
};

export const sqlite: SqlDialect = {
  name: 'sqlite',
  parameter: () => '?',
  quotes: ['"', '"'],
  types: { text: (length) => `varchar(${length})`, integer: 'integer', body: 'text' },
  isPrincipal: ({ principal }) => `${principal} = :0`,
  // SQLite allows one writer at a time, so a row cannot be extended between subquery and delete.
  sweep: ({ table, id, expiresAt }) =>
    `DELETE FROM ${table} WHERE ${id} IN (` +
    `SELECT ${id} FROM ${table} WHERE ${expiresAt} <= :0 ORDER BY ${expiresAt} LIMIT :1)`,
  inspect,
  codeOf: resultCode,
  kindOf: (code) =>
    /^SQLITE_(BUSY|LOCKED)/.test(code)
      ? 'locked'
      : /^SQLITE_CONSTRAINT_(PRIMARYKEY|UNIQUE)$/.test(code)
        ? 'duplicate'
        : 'other',
  quotesValues: () => false,
};

function resultCode({ code, originalCode, errcode, extendedCode, message }: DriverError): string | null {
  // better-sqlite3, while the application iterates over rows. It has no code.
  if (message === 'This database connection is busy executing a query') return 'SQLITE_BUSY';
  const name = [originalCode, code].find((each) => typeof each === 'string' && each.startsWith('SQLITE_'));
  if (name !== undefined) return name as string;
  const number = [errcode, extendedCode].find((each) => typeof each === 'number');
  if (number === undefined) return null;
  return CODES[number] ?? CODES[number & 255] ?? `SQLITE_${number}`;
}
