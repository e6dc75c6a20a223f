// The reference of the API, as Markdown for the site: one module for each entry point of package.json. It fails on what is public and not
// documented, on what is public and not exported, and on links that lead nowhere.
import { readFileSync } from 'node:fs';

const { exports: entries } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
const sources = Object.values(entries)
  .filter((entry) => entry.types !== undefined)
  .map(({ types }) => types.replace(/^\.\/dist\/(.*)\.d\.ts$/, '../../lib/$1.ts'));

/** Members whose type is all that they are for: what tells the members of a union apart, and the brands of strings. */
const TAGS = [
  ...['CommitOutcome', 'TokenAnswer', 'TokenReading'].map((union) => `nestjs-tessera.${union}.__type.kind`),
  ...['SecretHash', 'SessionId', 'SessionToken'].map((text) => `nestjs-tessera.${text}.__type.__brand`),
];

/** Parts of a type, which TypeDoc asks to be documented apart from the whole. */
const PARTS = [
  'nestjs-tessera.SessionEventHandlerDecorator.__type.H',
  'nestjs-tessera/typeorm.CreateSessionTable.__type',
];

/** What a client of another package must have. An application passes that client, and never names these. */
const CLIENTS = [
  ...[
    'BetterSqlite3Database',
    'DrizzleDatabase',
    'Knex',
    'Kysely',
    'LibsqlClient',
    'MikroOrmEntityManager',
    'Mysql2Pool',
  ],
  ...['NodeSqliteDatabase', 'PgPool', 'Pglite', 'PostgresJs', 'PrismaClient', 'Sequelize'],
  ...['CookieAgent', 'SocketClass', 'StrategyClass'],
];

/** @type {Partial<import('typedoc').TypeDocOptions> & import('typedoc-plugin-markdown').PluginOptions} */
export default {
  plugin: ['typedoc-plugin-markdown', './typedoc.plugin.mjs'],
  tsconfig: '../../lib/tsconfig.json',
  entryPoints: sources,
  out: 'api',
  name: 'API reference',
  readme: 'none',
  sort: ['source-order'],
  sortEntryPoints: false,
  disableSources: true,
  excludeExternals: true,
  excludeInternal: true,
  excludePrivate: true,

  validation: { notExported: true, notDocumented: true, invalidLink: true },
  treatWarningsAsErrors: true,
  treatValidationWarningsAsErrors: true,
  requiredToBeDocumented: [
    ...['Class', 'Interface', 'TypeAlias', 'Enum', 'EnumMember', 'Function', 'Variable'],
    ...['Method', 'Property', 'Accessor'],
  ],
  intentionallyNotDocumented: [...TAGS, ...PARTS],
  intentionallyNotExported: CLIENTS,
  // Many defaults are prose, such as `@default the machine's clock`. typedoc.plugin.mjs finds the values.
  jsDocCompatibility: { defaultTag: false },

  entryFileName: 'index',
  membersWithOwnFile: ['Class', 'Interface', 'Function'],
  hidePageHeader: true,
  useCodeBlocks: true,
  expandParameters: true,
  sanitizeComments: true,
  indexFormat: 'table',
  parametersFormat: 'table',
  tableColumnSettings: { leftAlignHeaders: true, hideSources: true },
};
