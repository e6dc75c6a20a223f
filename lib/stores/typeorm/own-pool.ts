import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { SessionError } from '../../core/session.errors';
import { fromBetterSqlite3 } from '../sql/clients/better-sqlite3';
import { fromMysql2 } from '../sql/clients/mysql2';
import { fromPg } from '../sql/clients/pg';
import type { SqlClient } from '../sql/sql-client';
import type { SqlDialectName } from '../sql/sql-dialect';
import { unlessAborted } from '../sql/unless-aborted';

/** Default timeout of connecting to a server, in milliseconds. */
const CONNECTING_TIMEOUT = 3000;
/** How long opening the pool may take, in milliseconds. */
const OPENING_TIMEOUT = 5000;
/** How long closing may take, in milliseconds: a frozen server does not answer. */
const CLOSING_TIMEOUT = 2000;
/** Idle time after which a connection is closed, in milliseconds. */
const IDLE_TIMEOUT = 10_000;
/** Default maximum number of the store's connections. They are opened on demand. */
const DEFAULT_POOL_SIZE = 10;

type Options = Record<string, unknown>;

/** The options of a DataSource, as far as several drivers have them. */
type Given = Options & { readonly replication?: { readonly master: Options }; readonly extra?: Options };

/** The parts of TypeORM's drivers that the clients need. */
interface DriverParts {
  /** The pool of pg. */
  readonly master: never;
  /** The pool of mysql2. */
  readonly pool: never;
  /** The database of better-sqlite3. */
  readonly databaseConnection: never;
}

/** How the store connects to one kind of database. */
interface Kind {
  readonly dialect: SqlDialectName;
  /** The options for the store's connections. Entities, migrations, logging and the like are left out. */
  options(given: Given, poolSize: number | undefined): Options;
  client(driver: DriverParts): SqlClient;
}

const MYSQL: Kind = { dialect: 'mysql', options: mysqlOptions, client: ({ pool }) => fromMysql2(pool) };
const KINDS: Readonly<Partial<Record<DataSourceOptions['type'], Kind>>> = {
  postgres: { dialect: 'postgres', options: pgOptions, client: ({ master }) => fromPg(master) },
  mysql: MYSQL,
  mariadb: MYSQL,
  'better-sqlite3': {
    dialect: 'sqlite',
    options: sqliteOptions,
    client: ({ databaseConnection }) => fromBetterSqlite3(databaseConnection),
  },
  cockroachdb: {
    dialect: 'cockroachdb',
    options: pgOptions,
    client: ({ master }) => fromPg(master, 'cockroachdb'),
  },
};

/** The name of a table with the DataSource's `entityPrefix`, which TypeORM adds to all tables of entities. */
export function nameInDatabase({ options, namingStrategy }: DataSource, tableName: string): string {
  return options.entityPrefix ? namingStrategy.prefixTableName(options.entityPrefix, tableName) : tableName;
}

/** The dialect of a DataSource; `undefined` if sessions cannot be stored in its kind of database. */
export function dialectOf({ options }: DataSource): SqlDialectName | undefined {
  return KINDS[options.type]?.dialect;
}

/**
 * The store's own connections to the database of a DataSource. With the application's pool, requests whose transactions occupy all
 * connections would wait for their sessions until the timeout, and a session write would inherit the state of a connection, such as `SET
 * autocommit = 0`. On SQLite it would wait for each transaction of the application.
 * @param poolSize maximum number of connections to a server
 * @throws SessionError `SESSION_OPTIONS_INVALID` for an unsupported database, or one that a second connection cannot reach
 */
export function ownPool({ options, driver }: DataSource, poolSize: number | undefined): SqlClient {
  const kind = KINDS[options.type];
  if (kind === undefined)
    throw invalid(
      `TypeOrmSessionStore does not support a DataSource of type '${options.type}'. Use '${Object.keys(KINDS).join("', '")}', ` +
        'or SqlSessionStore of nestjs-tessera/sql with your driver.',
    );
  const given = options as unknown as Given;
  const { type, driver: module, nativeDriver } = given;
  const own: Options = {
    ...{ type, driver: module, nativeDriver, logging: false },
    ...kind.options({ ...given, ...given.replication?.master }, poolSize),
  };
  const file = kind.dialect === 'sqlite' && (own['database'] as string);
  const name = file || (driver.database && `the database ${driver.database}`);
  let opening: Promise<{ pool: DataSource; client: SqlClient }> | undefined;

  const open = () =>
    (opening ??= openPool(own as unknown as DataSourceOptions).then(
      (pool) => ({ pool, client: kind.client(pool.driver as unknown as DriverParts) }),
      (error: unknown) => {
        opening = undefined; // the next call tries again
        throw error;
      },
    ));

  return {
    dialect: kind.dialect,
    ...(name && { place: name }),
    execute: async (...all) => (await open()).client.execute(...all),
    ...(options.type === 'postgres' && {
      listen: async (...all: Parameters<NonNullable<SqlClient['listen']>>) =>
        (await open()).client.listen!(...all),
    }),
    close: async () => {
      const closing = opening?.then(({ pool }) => pool.destroy()).catch(() => undefined);
      opening = undefined;
      await Promise.race([closing, pause(CLOSING_TIMEOUT, undefined, { ref: false })]);
    },
  };
}

/** Opens the pool with a timeout; TypeORM's own queries on a new pool have none. */
async function openPool(options: DataSourceOptions): Promise<DataSource> {
  const pool = new DataSource(options);
  const opening = pool.initialize();
  const signal = AbortSignal.timeout(OPENING_TIMEOUT);
  try {
    await unlessAborted(opening, signal);
  } catch (error) {
    void opening.then(() => pool.destroy()).catch(() => undefined);
    void pool.driver.disconnect().catch(() => undefined);
    if (signal.aborted) throw new Error(`the server did not answer within ${OPENING_TIMEOUT} ms`);
    throw error;
  }
  // Again, because prepareDatabase may have changed it: with a timeout better-sqlite3 blocks the whole process while it waits.
  if (options.type === 'better-sqlite3') await pool.query('PRAGMA busy_timeout = 0');
  return pool;
}

/** The configured pool size. By default {@link DEFAULT_POOL_SIZE}, and at most the size of the application's pool. */
function poolSizeOf(told: number | undefined, ...ofApplication: unknown[]): number {
  const own = ofApplication.find((size): size is number => typeof size === 'number' && size > 0);
  return told ?? Math.min(DEFAULT_POOL_SIZE, own ?? DEFAULT_POOL_SIZE);
}

function pick(given: Given, ...names: readonly string[]): Options {
  const all = ['url', 'host', 'port', 'username', 'password', 'database', 'ssl', ...names];
  return Object.fromEntries(all.filter((name) => name in given).map((name) => [name, given[name]]));
}

function pgOptions(given: Given, poolSize: number | undefined): Options {
  return {
    ...pick(given, 'applicationName'),
    installExtensions: false,
    timeTravelQueries: false,
    extra: {
      connectionTimeoutMillis: given['connectTimeoutMS'] ?? CONNECTING_TIMEOUT,
      idleTimeoutMillis: IDLE_TIMEOUT,
      keepAlive: true,
      // A server that is gone does not answer the farewell of an idle connection. The process need not wait for it.
      allowExitOnIdle: true,
      ...given.extra,
      max: poolSizeOf(poolSize, given['poolSize'], given.extra?.['max']),
      ...{ min: 0, binary: false, pipeline: false, query_timeout: undefined },
    },
  };
}

function mysqlOptions(given: Given, poolSize: number | undefined): Options {
  const connectionLimit = poolSizeOf(poolSize, given['poolSize'], given.extra?.['connectionLimit']);
  return {
    ...pick(given, 'socketPath', 'insecureAuth'),
    charset: 'utf8mb4',
    connectTimeout: given['connectTimeout'] ?? CONNECTING_TIMEOUT,
    extra: {
      ...{ idleTimeout: IDLE_TIMEOUT, enableKeepAlive: true, ...given.extra, connectionLimit },
      maxIdle: Math.max(1, connectionLimit - 1), // below the limit, or idle connections would never be closed
      ...{ waitForConnections: true, queueLimit: 0, resetOnRelease: false },
      ...{ charset: 'utf8mb4', multipleStatements: false, debug: false },
    },
  };
}

/** `logging` and `verbose` would print hashes and bodies; the file keeps its journal mode, and is not created: the migrations do that. */
function sqliteOptions(given: Given): Options {
  if (given['readonly'])
    throw invalid('TypeOrmSessionStore was given a DataSource with readonly: true. Pass one that may write.');
  const database = typeof given['database'] === 'string' ? given['database'].trim() : '';
  if (database === '' || database === ':memory:')
    throw invalid(
      'TypeOrmSessionStore was given an in-memory or temporary SQLite database, which a second connection cannot reach. ' +
        'Use a file, or new MemorySessionStore() if sessions may be lost when the process ends.',
    );
  return {
    ...pick(given, 'key', 'nativeBinding', 'prepareDatabase'),
    database: resolve(database), // absolute, so that a later change of the working directory has no effect
    fileMustExist: true,
    timeout: 0,
  };
}

function invalid(message: string): SessionError {
  return new SessionError('SESSION_OPTIONS_INVALID', message);
}
