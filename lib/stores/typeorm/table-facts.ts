/** What the schema check wants to know of a table, in terms that every database can answer. */
export interface TableFacts {
  readonly columns: ReadonlyMap<string, ColumnFacts>;
  /** Columns that an index begins with, the primary key's among them. */
  readonly indexed: ReadonlySet<string>;
  readonly primaryKey: readonly string[];
  /** What is wrong with it that only this kind of database knows of, in words. */
  readonly problems?: readonly string[];
}

export interface ColumnFacts {
  /** What it holds; `other` for what would change a text or an integer. */
  readonly kind: 'text' | 'integer' | 'other';
  /** As declared, for the message. */
  readonly type: string;
  readonly nullable: boolean;
  /** The longest text it surely holds, in characters, or the largest integer. @default no limit that matters */
  readonly limit?: number | undefined;
  /** The name of the collation when it takes different texts for equal, such as lower and upper case. */
  readonly looseCollation?: string | undefined;
  /** The name of the character set when there are characters that it has not. */
  readonly narrowCharset?: string | undefined;
}
