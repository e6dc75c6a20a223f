import type { SqlKind } from './server-database';

const TABLE = 'ALTER TABLE tessera_sessions';

/** What somebody may have done to the table, and what the start-up check says of it. */
export const differences: Record<SqlKind, [title: string, statement: string, problem: string][]> = {
  postgres: [
    ['a missing column', `${TABLE} DROP COLUMN body`, 'the column body is missing'],
    ['a type that changes texts', `${TABLE} ALTER body TYPE jsonb USING NULL`, "the column body is of type 'jsonb'"],
    ['padded texts', `${TABLE} ALTER principal TYPE char(255)`, "the column principal is of type 'character(255)'"],
    ['a timestamp', `${TABLE} ALTER expires_at TYPE timestamptz USING now()`, "the column expires_at is of type 'timestamp"],
    ['a small integer', `${TABLE} ALTER expires_at TYPE integer`, "the column expires_at is of type 'integer', which is too small"],
    ['a short text', `${TABLE} ALTER principal TYPE varchar(100)`, "the column principal is of type 'character varying(100)', which is too small"],
    ['a principal that must be there', `${TABLE} ALTER principal SET NOT NULL`, 'the column principal must allow NULL'],
    ['a column that nobody fills', `${TABLE} ADD tenant text NOT NULL`, 'the column tenant, which the store never fills'],
    ['no index on the expiry', 'DROP INDEX tessera_sessions_expires_at_idx', 'no index begins with the column expires_at'],
    [
      'an index on some principals',
      'DROP INDEX tessera_sessions_principal_idx; CREATE INDEX p ON tessera_sessions (principal) WHERE version > 1',
      'no index begins with the column principal',
    ],
    [
      'another primary key',
      `DROP TABLE tessera_sessions; CREATE TABLE tessera_sessions (id varchar(22), version integer NOT NULL, secret_hash varchar(43) NOT NULL, principal varchar(255), expires_at bigint NOT NULL, body text NOT NULL, PRIMARY KEY (id, version)); CREATE INDEX p ON tessera_sessions (principal); CREATE INDEX e ON tessera_sessions (expires_at)`,
      'the primary key is (id, version) instead of (id)',
    ],
    [
      'a collation without regard to case',
      `DROP COLLATION IF EXISTS anycase; CREATE COLLATION anycase (provider = icu, locale = 'und-u-ks-level2', deterministic = false); ${TABLE} ALTER principal TYPE varchar(255) COLLATE anycase`,
      'the column principal has the collation anycase',
    ],
  ],
  mariadb: [
    ['a missing column', `${TABLE} DROP COLUMN body`, 'the column body is missing'],
    ['a type that changes texts', `${TABLE} MODIFY body mediumblob NOT NULL`, "the column body is of type 'mediumblob'"],
    ['a body of 64 KB at most', `${TABLE} MODIFY body text COLLATE utf8mb4_bin NOT NULL`, "the column body is of type 'text', which is too small"],
    ['a timestamp', `${TABLE} MODIFY expires_at datetime NOT NULL`, "the column expires_at is of type 'datetime'"],
    ['a small integer', `${TABLE} MODIFY expires_at int NOT NULL`, "the column expires_at is of type 'int(11)', which is too small"],
    ['a short text', `${TABLE} MODIFY principal varchar(100) COLLATE utf8mb4_bin`, "the column principal is of type 'varchar(100)', which is too small"],
    ['a collation without regard to case', `${TABLE} MODIFY id varchar(22) COLLATE utf8mb4_general_ci NOT NULL`, 'the column id has the collation utf8mb4_general_ci'],
    ['a collation without regard to accents', `${TABLE} MODIFY principal varchar(255) COLLATE utf8mb4_unicode_ci`, 'the column principal has the collation utf8mb4_unicode_ci'],
    ['a character set without emoji', `${TABLE} MODIFY body mediumtext CHARACTER SET utf8mb3 NOT NULL`, 'the column body has the character set utf8mb3, which lacks characters'],
    ['a principal that must be there', `${TABLE} MODIFY principal varchar(255) COLLATE utf8mb4_bin NOT NULL`, 'the column principal must allow NULL'],
    ['a column that nobody fills', `${TABLE} ADD tenant text NOT NULL`, 'the column tenant, which the store never fills'],
    ['no index on the expiry', `${TABLE} DROP INDEX tessera_sessions_expires_at_idx`, 'no index begins with the column expires_at'],
    [
      'an index on beginnings of principals',
      `${TABLE} DROP INDEX tessera_sessions_principal_idx, ADD INDEX (principal(10))`,
      'no index begins with the column principal',
    ],
    ['another primary key', `${TABLE} DROP PRIMARY KEY, ADD PRIMARY KEY (id, version)`, 'the primary key is (id, version) instead of (id)'],
    ['an engine that a crash leaves in pieces', `${TABLE} ENGINE = Aria`, 'its engine is Aria'],
  ],
}; // prettier-ignore

/** What does no harm. */
export const larger: Record<SqlKind, string[]> = {
  postgres: [
    `${TABLE} ALTER id TYPE text, ALTER principal TYPE text, ALTER version TYPE bigint`,
    `${TABLE} ADD note text, ADD made timestamptz NOT NULL DEFAULT now()`,
  ],
  mariadb: [
    `${TABLE} MODIFY id varchar(100) COLLATE utf8mb4_nopad_bin NOT NULL, MODIFY version bigint NOT NULL`,
    `${TABLE} MODIFY secret_hash varchar(43) CHARACTER SET ascii NOT NULL, MODIFY body longtext COLLATE utf8mb4_general_ci NOT NULL`,
    `${TABLE} ADD note text, ADD made timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP`,
  ],
};
