import { SessionError } from '../../core/session.errors';
import type { RunQuery } from './database-server';
import type { SessionTable } from './session-table';
import type { ColumnFacts, TableFacts } from './table-facts';

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

const SERVER = 'SELECT VERSION() AS version, @@sql_mode AS mode';
const ENGINE = `SELECT ENGINE AS engine FROM information_schema.TABLES
  WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?`;
const COLUMNS = `SELECT COLUMN_NAME AS name, COLUMN_TYPE AS type, DATA_TYPE AS base, CHARACTER_OCTET_LENGTH AS bytes,
    CHARACTER_SET_NAME AS charset, COLLATION_NAME AS collation,
    IF(IS_NULLABLE = 'YES' OR COLUMN_DEFAULT IS NOT NULL OR EXTRA <> '', 'yes', 'no') AS nullable
  FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?`;
/** Indexes of whole values, without prefix indexes. */
const INDEXES = `SELECT INDEX_NAME AS name, COLUMN_NAME AS col, SEQ_IN_INDEX AS place FROM information_schema.STATISTICS
  WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND SUB_PART IS NULL AND INDEX_TYPE = 'BTREE' ORDER BY SEQ_IN_INDEX`;

const INTEGERS: Readonly<Record<string, number>> = { int: 2 ** 31 - 1, bigint: Infinity };
const TEXTS = ['varchar', 'tinytext', 'text', 'mediumtext', 'longtext'];

/** @throws SessionError `SESSION_SCHEMA_INVALID` for a server that is too old, or would cut values off */
export async function inspectMysqlTable(ask: RunQuery, { name }: SessionTable): Promise<TableFacts | null> {
  const [server] = await ask<{ version: string; mode: string }>(SERVER);
  checkVersion(server!.version);
  checkMode(server!.mode);
  const [table] = await ask<{ engine: string | null }>(ENGINE, [name]);
  if (table === undefined) return null;
  const rows = await ask<ColumnRow>(COLUMNS, [name]);
  const indexes = await ask<IndexRow>(INDEXES, [name]);
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
    `The server has version ${version}. TypeOrmSessionStore needs MariaDB 10.6, MySQL 8.0, or a later version.`,
  );
}

/** Without a strict mode the server confirms a write of which it has cut off what did not fit. */
function checkMode(mode: string): void {
  if (/\bSTRICT_(TRANS|ALL)_TABLES\b/.test(mode)) return;
  throw new SessionError(
    'SESSION_SCHEMA_INVALID',
    `The server's sql_mode '${mode}' cuts off what does not fit into a column, so that a session would be lost. Add STRICT_TRANS_TABLES to it.`,
  );
}
