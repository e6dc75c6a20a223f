import type { ColumnFacts, TableFacts } from './table-facts';

interface WantedColumn {
  readonly kind: ColumnFacts['kind'];
  /** The longest text, in characters, or the largest integer that it has to hold. */
  readonly limit: number;
  readonly nullable?: true;
  /** Whether it is searched for a text, which then has to be exactly that. */
  readonly compared?: true;
  /** Whether there may be any character in it. */
  readonly unicode?: true;
}

const COLUMNS: Readonly<Record<string, WantedColumn>> = {
  id: { kind: 'text', limit: 22, compared: true },
  version: { kind: 'integer', limit: 2 ** 31 - 1 },
  secret_hash: { kind: 'text', limit: 43 },
  principal: { kind: 'text', limit: 255, nullable: true, compared: true, unicode: true },
  expires_at: { kind: 'integer', limit: Number.MAX_SAFE_INTEGER },
  body: { kind: 'text', limit: 1_000_000, unicode: true },
};

/** What is wrong with the table, in words; empty when the store can work with it. */
export function schemaProblems(table: TableFacts): string[] {
  const problems = [...(table.problems ?? [])];
  for (const [name, wanted] of Object.entries(COLUMNS))
    problems.push(...columnProblems(name, wanted, table.columns.get(name)));
  if (table.primaryKey.join() !== 'id')
    problems.push(`the primary key is (${table.primaryKey.join(', ')}) instead of (id)`);
  for (const name of ['principal', 'expires_at']) {
    if (table.columns.has(name) && !table.indexed.has(name))
      problems.push(`no index begins with the column ${name}`);
  }
  for (const [name, { nullable }] of table.columns) {
    if (!(name in COLUMNS) && !nullable)
      problems.push(`the column ${name}, which the store never fills, must not be empty`);
  }
  return problems;
}

function columnProblems(name: string, wanted: WantedColumn, found: ColumnFacts | undefined): string[] {
  if (found === undefined) return [`the column ${name} is missing`];
  const { kind, type, limit = Infinity, nullable, looseCollation, narrowCharset } = found;
  if (kind !== wanted.kind)
    return [`the column ${name} is of type '${type}', which is no ${wanted.kind} type`];
  const problems = [];
  if (limit < wanted.limit) problems.push(`the column ${name} is of type '${type}', which is too small`);
  if (wanted.nullable && !nullable) problems.push(`the column ${name} must allow NULL`);
  if (wanted.compared && looseCollation !== undefined) {
    problems.push(
      `the column ${name} has the collation ${looseCollation}, which takes different values for equal`,
    );
  }
  if (wanted.unicode && narrowCharset !== undefined)
    problems.push(`the column ${name} has the character set ${narrowCharset}, which lacks characters`);
  return problems;
}
