import type { ColumnFacts, TableFacts } from './table-facts';

const COLUMNS: Readonly<Record<string, { readonly kind: ColumnFacts['kind']; readonly nullable: boolean }>> =
  {
    id: { kind: 'text', nullable: false },
    version: { kind: 'integer', nullable: false },
    secret_hash: { kind: 'text', nullable: false },
    principal: { kind: 'text', nullable: true },
    expires_at: { kind: 'integer', nullable: false },
    body: { kind: 'text', nullable: false },
  };

/** What is wrong with the table, in words; empty when the store can work with it. */
export function schemaProblems(table: TableFacts): string[] {
  const problems = Object.entries(COLUMNS).flatMap(([name, wanted]) =>
    columnProblems(name, wanted, table.columns.get(name)),
  );
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

function columnProblems(
  name: string,
  wanted: { readonly kind: ColumnFacts['kind']; readonly nullable: boolean },
  found: ColumnFacts | undefined,
): string[] {
  if (found === undefined) return [`the column ${name} is missing`];
  const problems = [];
  if (found.kind !== wanted.kind)
    problems.push(`the column ${name} is of type '${found.type}', which is no ${wanted.kind} type`);
  if (wanted.nullable && !found.nullable) problems.push(`the column ${name} must allow NULL`);
  if (found.looseCollation !== undefined) {
    problems.push(
      `the column ${name} has the collation ${found.looseCollation}, which takes different values for equal`,
    );
  }
  return problems;
}
