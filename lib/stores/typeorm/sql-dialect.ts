/** Names as they stand in statements: quoted, and the table's with its schema where one is set. */
export interface QuotedNames {
  readonly table: string;
  readonly id: string;
  readonly version: string;
  readonly secretHash: string;
  readonly principal: string;
  readonly expiresAt: string;
  readonly body: string;
  /** All columns, separated by commas. */
  readonly all: string;
}

/**
 * The few statements that databases disagree about. In all of them `:0` stands for the first of the statement's values, `:1` for the
 * second, as often as needed: values never become part of a statement.
 */
export interface SqlDialect {
  /** Whether a principal is exactly the text `:0`, by an index, and down to spaces at the end. */
  isPrincipal(names: QuotedNames): string;
  /** The records after the id `:0` in the order of ids, at most `:1`. */
  page(names: QuotedNames): string;
  /** Removes at most `:1` records that expire at or before `:0`, the oldest first. */
  sweep(names: QuotedNames): string;
}

/** The page of every database that knows LIMIT. */
export function limitedPage({ table, all, id }: QuotedNames): string {
  return `SELECT ${all} FROM ${table} WHERE ${id} > :0 ORDER BY ${id} LIMIT :1`;
}
