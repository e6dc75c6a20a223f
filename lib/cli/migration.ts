import { sessionTableSql } from '../stores/sql/session-table-sql';
import type { SqlDialectName } from '../stores/sql/sql-dialect';
import { SQL_DIALECTS } from '../stores/sql/sql-dialects';
import { parse, quoted, UsageError, type Command } from './arguments';

const OPTIONS = {
  dialect: { type: 'string' },
  table: { type: 'string' },
  schema: { type: 'string' },
  drizzle: { type: 'boolean', default: false },
} as const;

/** Drizzle runs what stands between two of these at once, and some drivers take one statement only. */
const BREAKPOINT = '--> statement-breakpoint';

/** Prints the SQL that creates the session table. */
export const migration: Command = async (args, output) => {
  const { dialect = '', table, schema, drizzle } = parse(args, OPTIONS).values;
  if (!isDialect(dialect)) {
    const problem = dialect === '' ? '--dialect is missing' : `There is no dialect${quoted(dialect)}`;
    throw new UsageError(`${problem}: ${SQL_DIALECTS.join(', ')}. MariaDB is mysql.`);
  }
  const options = { dialect, ...(table !== undefined && { tableName: table }), ...(schema && { schema }) };
  for (const [n, statement] of sessionTableSql(options).entries()) {
    if (drizzle && n > 0) await output.write(BREAKPOINT);
    await output.write(`${statement};`);
  }
};

function isDialect(name: string): name is SqlDialectName {
  return (SQL_DIALECTS as readonly string[]).includes(name);
}
