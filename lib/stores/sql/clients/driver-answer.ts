import type { SqlResult } from '../sql-client';

/** What drivers answer: rows, and the number of affected rows under one of several names. */
interface DriverAnswer {
  readonly rows?: readonly unknown[];
  /** pg */
  readonly rowCount?: number | null;
  /** mysql2, PGlite */
  readonly affectedRows?: number;
  /** mysql2, after an UPDATE: such as `Rows matched: 1  Changed: 0  Warnings: 0` */
  readonly info?: string;
  /** libSQL */
  readonly rowsAffected?: number;
  /** Kysely */
  readonly numAffectedRows?: bigint;
  /** SQLite */
  readonly changes?: number | bigint;
  /** postgres, whose answer is an array */
  readonly count?: number;
}

export function resultOf(answer: unknown): SqlResult {
  const {
    rows = [],
    info = '',
    rowCount,
    affectedRows,
    rowsAffected,
    numAffectedRows,
    changes,
    count,
  } = answer as DriverAnswer;
  // Without the flag FOUND_ROWS, MySQL's number of affected rows leaves out those that matched and did not change.
  const matched = /^Rows matched: (\d+)/.exec(info)?.[1];
  const affected =
    matched ?? rowCount ?? affectedRows ?? rowsAffected ?? numAffectedRows ?? changes ?? count ?? 0;
  return { rows: Array.isArray(answer) ? (answer as unknown[]) : rows, affected: Number(affected) };
}

/** mysql2 sends a number as floating point, which MySQL rejects in LIMIT. */
export function withoutNumbers<T>(values: readonly T[]): (T | string)[] {
  return values.map((value) => (typeof value === 'number' ? String(value) : value));
}
