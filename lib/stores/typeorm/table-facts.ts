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
