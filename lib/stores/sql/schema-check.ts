/** The definition of a table, as far as the schema check needs it, in the same terms for every database. */
export interface TableFacts {
  readonly columns: ReadonlyMap<string, ColumnFacts>;
  /** Columns that are the first of an index, including the primary key's. */
  readonly indexed: ReadonlySet<string>;
  readonly primaryKey: readonly string[];
  /** Problems that only this kind of database can have, as texts. */
  readonly problems?: readonly string[];
}

export interface ColumnFacts {
  /** The kind of values; `other` for a type that would change a text or an integer. */
  readonly kind: 'text' | 'integer' | 'other';
  /** The declared type, for messages. */
  readonly type: string;
  readonly nullable: boolean;
  /** The length of text that it holds in any case, in characters, or the largest integer. @default no relevant limit */
  readonly limit?: number | undefined;
  /** The name of the collation if it treats different texts as equal, such as lower and upper case. */
  readonly looseCollation?: string | undefined;
  /** The name of the character set if it lacks characters. */
  readonly narrowCharset?: string | undefined;
}

interface WantedColumn {
  readonly kind: ColumnFacts['kind'];
  /** The longest text, in characters, or the largest integer that the column must hold. */
  readonly limit: number;
  readonly nullable?: true;
  /** Whether statements search for an exact text in the column. */
  readonly compared?: true;
  /** Whether the column must hold all Unicode characters. */
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

/** The problems of the table, as texts; empty when the store can use it. */
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
      problems.push(`the column ${name}, which the store never fills, must allow NULL or have a default`);
  }
  return problems;
}

function columnProblems(name: string, wanted: WantedColumn, found: ColumnFacts | undefined): string[] {
  if (found === undefined) return [`the column ${name} is missing`];
  const { kind, type, limit = Infinity, nullable, looseCollation, narrowCharset } = found;
  if (kind !== wanted.kind)
    return [
      `the column ${name} is of type '${type}', which is not ${wanted.kind === 'integer' ? 'an integer' : 'a text'} type`,
    ];
  const problems = [];
  if (limit < wanted.limit) problems.push(`the column ${name} is of type '${type}', which is too small`);
  if (wanted.nullable && !nullable) problems.push(`the column ${name} must allow NULL`);
  if (wanted.compared && looseCollation !== undefined) {
    problems.push(
      `the column ${name} has the collation ${looseCollation}, which treats different values as equal`,
    );
  }
  if (wanted.unicode && narrowCharset !== undefined)
    problems.push(`the column ${name} has the character set ${narrowCharset}, which lacks characters`);
  return problems;
}
