import { SessionError } from '../../../core/session.errors';
import type { ColumnFacts, TableFacts } from '../schema-check';
import type { DriverError, FailureKind, RunQuery, SessionTable, SqlDialect } from '../sql-dialect';

interface ColumnRow {
  readonly name: string;
  /** As declared, such as `varchar(22)`. */
  readonly type: string;
  /** The name of the type, such as `varchar`. */
  readonly base: string;
  readonly bytes: number | string | null;
  readonly charset: string | null;
  readonly collation: string | null;
  readonly nullable: string;
}

interface IndexRow {
  readonly name: string;
  readonly col: string;
  readonly place: number | string;
}

interface ServerRow {
  readonly version: string;
  readonly mode: string;
  readonly autocommit: number | bigint | string;
  readonly echo: string;
}

const SERVER = 'SELECT VERSION() AS version, @@sql_mode AS mode, @@autocommit AS autocommit, ? AS echo';
/** What a client changes that escapes values for another `sql_mode`, or uses another character set. */
const ECHO = '\\\u{1F600}';
const THIS_TABLE = 'TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ?';
const ENGINE = `SELECT ENGINE AS engine FROM information_schema.TABLES WHERE ${THIS_TABLE}`;
const COLUMNS = `SELECT COLUMN_NAME AS name, COLUMN_TYPE AS type, DATA_TYPE AS base, CHARACTER_OCTET_LENGTH AS bytes,
    CHARACTER_SET_NAME AS charset, COLLATION_NAME AS collation,
    IF(IS_NULLABLE = 'YES' OR COLUMN_DEFAULT IS NOT NULL OR EXTRA <> '', 'yes', 'no') AS nullable
  FROM information_schema.COLUMNS WHERE ${THIS_TABLE}`;
/** Indexes of whole values, without prefix indexes. */
const INDEXES = `SELECT INDEX_NAME AS name, COLUMN_NAME AS col, SEQ_IN_INDEX AS place FROM information_schema.STATISTICS
  WHERE ${THIS_TABLE} AND SUB_PART IS NULL AND INDEX_TYPE = 'BTREE' ORDER BY SEQ_IN_INDEX`;

const INTEGERS: Readonly<Record<string, number>> = { int: 2 ** 31 - 1, bigint: Infinity };
const TEXTS = ['varchar', 'tinytext', 'text', 'mediumtext', 'longtext'];

/** @throws SessionError `SESSION_SCHEMA_INVALID` for a server that is too old, or a connection that would change or lose values */
async function inspect(ask: RunQuery, { schema, name }: SessionTable): Promise<TableFacts | null> {
  const [server] = (await ask<ServerRow>(SERVER, [ECHO])) as [ServerRow];
  checkVersion(server.version);
  checkMode(server);
  const place = [schema ?? null, name];
  const [table] = await ask<{ engine: string | null }>(ENGINE, place);
  if (table === undefined) return null;
  const rows = await ask<ColumnRow>(COLUMNS, place);
  const indexes = await ask<IndexRow>(INDEXES, place);
  return {
    columns: new Map(rows.map((row) => [row.name, columnFacts(row)])),
    indexed: new Set(indexes.filter(({ place }) => Number(place) === 1).map(({ col }) => col)),
    primaryKey: indexes.filter((index) => index.name === 'PRIMARY').map(({ col }) => col),
    problems: /^innodb$/i.test(table.engine ?? '')
      ? []
      : [`its engine is ${table.engine}, and only InnoDB keeps confirmed writes through a crash`],
  };
}

function columnFacts({ type, base, bytes, charset, collation, nullable }: ColumnRow): ColumnFacts {
  const integer = INTEGERS[base];
  const isText = TEXTS.includes(base);
  const isUnicode = charset === 'utf8mb4';
  return {
    kind: integer !== undefined ? 'integer' : isText ? 'text' : 'other',
    type,
    // A character of utf8mb4 takes up to four bytes.
    limit: integer ?? (isText ? Number(bytes) / (isUnicode ? 4 : 1) : undefined),
    nullable: nullable === 'yes',
    looseCollation: collation !== null && !/_bin$/.test(collation) ? collation : undefined,
    narrowCharset: isText && !isUnicode ? (charset ?? undefined) : undefined,
  };
}

/** Older versions lack SKIP LOCKED. */
function checkVersion(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOldEnough = /mariadb/i.test(version) ? major > 10 || (major === 10 && minor >= 6) : major >= 8;
  if (isOldEnough) return;
  throw new SessionError(
    'SESSION_SCHEMA_INVALID',
    `The server has version ${version}. Sessions need MariaDB 10.6, MySQL 8.0, or a later version.`,
  );
}

/** A server without a strict mode confirms a write that it has cut off, and one without autocommit a write that it may undo. */
function checkMode({ mode, autocommit, echo }: ServerRow): void {
  const isStrict = /\bSTRICT_(TRANS|ALL)_TABLES\b/.test(mode);
  if (isStrict && Number(autocommit) === 1 && echo === ECHO) return;
  const message = !isStrict
    ? `The server's sql_mode '${mode}' cuts off what does not fit into a column, so that a session would be lost. Add STRICT_TRANS_TABLES to it.`
    : echo === ECHO
      ? 'The connections have autocommit = 0, so that sessions would not be committed. Give the store a client with autocommit = 1.'
      : `The client changes backslashes or emoji in values. Its connections need the character set utf8mb4, and a sql_mode without NO_BACKSLASH_ESCAPES, got '${mode}'.`;
  throw new SessionError('SESSION_SCHEMA_INVALID', message);
}

/** Error numbers and what they mean for a single statement (https://mariadb.com/kb/en/mariadb-error-codes/). */
const FAILURE_KINDS: Readonly<Record<string, FailureKind>> = {
  1062: 'duplicate',
  1586: 'duplicate',
  1020: 'conflict', // the record has changed since it was read
  1205: 'conflict', // innodb_lock_wait_timeout
  1213: 'conflict', // deadlock
  1615: 'conflict', // the prepared statement must be prepared again
  1040: 'refused', // too many connections
  1047: 'refused', // a Galera node that is not part of the cluster
  1568: 'refused', // a transaction is open
  1243: 'refused', // unknown prepared statement: a proxy has switched the server connection
  1290: 'refused', // read-only: the server has become a replica
  1792: 'refused',
  1836: 'refused',
  1053: 'lost', // shutdown
  1927: 'lost', // KILL
  4031: 'lost', // wait_timeout
};
/** Errors about a value that does not fit its column, and about the syntax near a value that a client has put into the statement. */
const QUOTING_ERRORS = ['1064', '1264', '1265', '1292', '1366', '1406'];

const TEXT = 'CHARACTER SET utf8mb4 COLLATE utf8mb4_bin';

/** MySQL and MariaDB. */
export const mysql: SqlDialect = {
  name: 'mysql',
  parameter: () => '?',
  quotes: ['`', '`'],
  types: { text: (length) => `varchar(${length}) ${TEXT}`, integer: 'int', body: `mediumtext ${TEXT}` },
  // `=` ignores trailing spaces under all collations except some whose names differ between MySQL and MariaDB.
  isPrincipal: ({ principal }) => `${principal} = :0 AND CHAR_LENGTH(${principal}) = CHAR_LENGTH(:0)`,
  // A join, because DELETE with IN (SELECT …) reads and locks the whole table. STRAIGHT_JOIN fixes the join order.
  sweep: ({ table, id, expiresAt }) =>
    `DELETE dead FROM (` +
    `SELECT ${id} FROM ${table} WHERE ${expiresAt} <= :0 ORDER BY ${expiresAt} LIMIT :1 FOR UPDATE SKIP LOCKED) AS due ` +
    `STRAIGHT_JOIN ${table} AS dead ON dead.${id} = due.${id} WHERE dead.${expiresAt} <= :0`,
  inspect,
  codeOf: serverError,
  kindOf: (code) => FAILURE_KINDS[code] ?? 'other',
  quotesValues: (code) => QUOTING_ERRORS.includes(code),
};

/** Errors of the server have numbers from 1000 up, those of connections have none, negative ones, or such from 45000 up. */
function serverError({ errno, originalCode, code }: DriverError): string | null {
  const number = [errno, originalCode, code].map(Number).find((each) => each >= 1000 && each < 10_000);
  return number === undefined ? null : String(number);
}
