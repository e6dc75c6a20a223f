/** Quoted names; the table's includes its schema if one is set. */
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
 * The statements that differ between databases. `:0` is a placeholder for the first value, `:1` for the second; each may occur several
 * times.
 */
export interface SqlDialect {
  /** A condition that is true when the principal is exactly the text `:0`, including trailing spaces. Must use an index. */
  isPrincipal(names: QuotedNames): string;
  /** Selects at most `:1` records with ids after `:0`, ordered by id. */
  page(names: QuotedNames): string;
  /** Removes at most `:1` records that expire at or before `:0`, earliest first. */
  sweep(names: QuotedNames): string;
  /** Ends a DELETE so that it returns the ids of the deleted rows. Only where they are announced. */
  returningIds?(names: QuotedNames): string;
}

/** `page` for databases with LIMIT. */
export function limitedPage({ table, all, id }: QuotedNames): string {
  return `SELECT ${all} FROM ${table} WHERE ${id} > :0 ORDER BY ${id} LIMIT :1`;
}
