import type { Driver } from 'typeorm';

/** The store's statements. Each is complete in itself, so that no two have to be kept together by a transaction. */
export interface SessionStatements {
  /** id */
  readonly find: string;
  /** id, version, secret hash, principal, expiry, body */
  readonly insert: string;
  /** version, secret hash, principal, expiry, body; id, expected version */
  readonly update: string;
  /** expiry; id, expected version */
  readonly extend: string;
  /** id */
  readonly delete: string;
  /** principal */
  readonly findByPrincipal: string;
  /** principal */
  readonly deleteByPrincipal: string;
  /** the last id of the page before, or '' ; page size */
  readonly page: string;
  /** now, limit, now */
  readonly sweep: string;
}

/** Writes the statements in the driver's dialect. Values never become part of them. */
export function sessionStatements(driver: Driver, tableName: string): SessionStatements {
  const table = driver.escape(tableName);
  const [id, version, secretHash, principal, expiresAt, body] = [
    'id', 'version', 'secret_hash', 'principal', 'expires_at', 'body',
  ].map((column) => driver.escape(column)); // prettier-ignore
  const all = [id, version, secretHash, principal, expiresAt, body].join(', ');

  return {
    find: sql`SELECT ${all} FROM ${table} WHERE ${id} = ?`,
    insert: sql`INSERT INTO ${table} (${all}) VALUES (?, ?, ?, ?, ?, ?)`,
    update: sql`UPDATE ${table} SET ${version} = ?, ${secretHash} = ?, ${principal} = ?, ${expiresAt} = ?, ${body} = ?
      WHERE ${id} = ? AND ${version} = ?`,
    extend: sql`UPDATE ${table} SET ${expiresAt} = ? WHERE ${id} = ? AND ${version} = ?`,
    delete: sql`DELETE FROM ${table} WHERE ${id} = ?`,
    findByPrincipal: sql`SELECT ${all} FROM ${table} WHERE ${principal} = ?`,
    deleteByPrincipal: sql`DELETE FROM ${table} WHERE ${principal} = ?`,
    page: sql`SELECT ${all} FROM ${table} WHERE ${id} > ? ORDER BY ${id} LIMIT ?`,
    // The expiry is looked at again as the row goes, for the sake of databases where the row may have been extended since it
    // was picked. The subquery is wrapped because MySQL allows no LIMIT in a bare one.
    sweep: sql`DELETE FROM ${table} WHERE ${id} IN (SELECT ${id} FROM (
      SELECT ${id} FROM ${table} WHERE ${expiresAt} <= ? ORDER BY ${expiresAt} LIMIT ?) AS due) AND ${expiresAt} <= ?`,
  };

  /** Numbers the question marks where the driver wants that. */
  function sql(parts: TemplateStringsArray, ...identifiers: (string | undefined)[]): string {
    let parameters = 0;
    return String.raw(
      {
        raw: parts.map((part) =>
          part.replace(/\s+/g, ' ').replace(/\?/g, () => driver.createParameter('p', parameters++)),
        ),
      },
      ...identifiers,
    );
  }
}
