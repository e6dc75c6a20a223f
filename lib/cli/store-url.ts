import { existsSync } from 'node:fs';
import type { SessionStore } from '../core/session-store';
import { FileSessionStore } from '../stores/file/file-session-store';
import type { RedisClient } from '../stores/redis/redis-client';
import { RedisSessionStore } from '../stores/redis/redis-session-store';
import { fromBetterSqlite3 } from '../stores/sql/clients/better-sqlite3';
import { fromMysql2 } from '../stores/sql/clients/mysql2';
import { fromPg } from '../stores/sql/clients/pg';
import type { SqlClient } from '../stores/sql/sql-client';
import { SqlSessionStore } from '../stores/sql/sql-session-store';
import { fromEnvironment, messageOf, UsageError, type Output } from './arguments';
import { driver, redisPackage } from './peers';
import { serverUrl, tlsOfMysql } from './server-url';

/** Options that only some stores have. */
export interface StoreNames {
  /** Of the keys in Redis. */
  readonly prefix?: string | undefined;
  /** Of the table in a database. */
  readonly table?: string | undefined;
  /** Of that table. */
  readonly schema?: string | undefined;
}

/** How long connecting to a server may take, in milliseconds. */
const CONNECT_TIMEOUT = 10_000;

type Note = Output['note'];

type Open = (url: string, names: StoreNames, note: Note) => SessionStore;

const SCHEMES: ReadonlyMap<string, Open> = new Map([
  ['redis', redisStore],
  ['rediss', redisStore],
  ['postgres', pgStore],
  ['postgresql', pgStore],
  ['mysql', mysqlStore],
  ['mariadb', mysqlStore],
  ['cockroachdb', pgStore],
  ['sqlite', sqliteStore],
  ['file', (url) => new FileSessionStore(existing(url))],
]);

/**
 * Returns the store that an argument names: a URL, or `env:NAME` for a URL with a password. The store is not prepared yet.
 * @throws UsageError, whose message has no part of the URL; Error when a package is missing; what the store's constructor throws
 */
export function storeAt(argument: string | undefined, names: StoreNames, note: Note): SessionStore {
  if (argument === undefined) throw new UsageError('--store is missing: the URL of the store.');
  const url = fromEnvironment(argument);
  const scheme = /^([a-z]+):/i.exec(url)?.[1]?.toLowerCase() ?? '';
  const open = SCHEMES.get(scheme);
  if (open === undefined)
    throw new UsageError(
      `--store must be a URL that begins with ${[...SCHEMES.keys()].map((each) => `${each}:`).join(', ')}.`,
    );
  // An option that does nothing would let the command work on other sessions than those that are meant.
  const isRedis = open === redisStore;
  if (!isRedis && names.prefix !== undefined) throw new UsageError('--prefix is an option of Redis.');
  if ((isRedis || scheme === 'file') && (names.table !== undefined || names.schema !== undefined))
    throw new UsageError('--table and --schema are options of databases.');
  return open(url, names, note);
}

function redisStore(url: string, { prefix }: StoreNames, note: Note): SessionStore {
  if (prefix === undefined)
    throw new UsageError("--prefix is missing: that of the store's keys, such as --prefix myapp:sessions:");
  if (!/^\/?\d*$/.test(serverUrl(url).pathname))
    throw new UsageError('The path of a URL of Redis is the number of a database: redis://host:6379/0.');
  // A server that evicts is for the application to refuse.
  return new RedisSessionStore(redisClient(url, note), { prefix, closeClient: true, allowEviction: true });
}

/** Returns a client that does not wait for a server to come back. */
function redisClient(url: string, note: Note): RedisClient {
  const found = redisPackage();
  const connectTimeout = CONNECT_TIMEOUT;
  if ('redis' in found)
    return found.redis.createClient({ url, socket: { connectTimeout, reconnectStrategy: false } });
  const client = new found.ioredis.Redis(url, {
    connectTimeout,
    lazyConnect: true,
    retryStrategy: () => null,
  });
  // Its commands say only that the connection is closed. Without a listener it prints this with a stack.
  return client.on('error', (error) => note(`Redis: ${messageOf(error)}`));
}

function pgStore(text: string, names: StoreNames, note: Note): SessionStore {
  const { protocol } = serverUrl(text);
  const { Pool } = driver('pg');
  // The driver knows the scheme of PostgreSQL, and reads what follows the question mark, such as `sslmode`.
  const connectionString = text.replace(/^[a-z]+/i, 'postgres');
  const pool = new Pool({ connectionString, connectionTimeoutMillis: CONNECT_TIMEOUT });
  pool.on('error', (error) => note(`PostgreSQL: ${messageOf(error)}`));
  const client = fromPg(pool, protocol === 'cockroachdb:' ? 'cockroachdb' : 'postgres');
  return sqlStore({ ...client, close: () => pool.end() }, names);
}

function mysqlStore(text: string, names: StoreNames): SessionStore {
  const url = serverUrl(text);
  const tls = tlsOfMysql(url);
  const { username, password, hostname, port, pathname } = url;
  const pool = driver('mysql2').createPool({
    ...{ host: hostname, port: Number(port || 3306), connectTimeout: CONNECT_TIMEOUT, ...tls },
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
  });
  return sqlStore({ ...fromMysql2(pool), close: () => pool.promise().end() }, names);
}

function sqliteStore(url: string, names: StoreNames): SessionStore {
  const Database = driver('better-sqlite3');
  const database = new Database(existing(url), { fileMustExist: true, timeout: 0 });
  return sqlStore({ ...fromBetterSqlite3(database), close: async () => void database.close() }, names);
}

function sqlStore(client: SqlClient, { table, schema }: StoreNames): SessionStore {
  const setup = () => 'Are --table and --schema those of the application?';
  const names = { ...(table !== undefined && { tableName: table }), ...(schema && { schema }) };
  return new SqlSessionStore({ ...client, setup, ...names });
}

/** Returns the path of a URL, which may be relative. The program creates no store. */
function existing(url: string): string {
  const path = url.replace(/^[a-z]+:(\/\/(?=\/))?/i, '');
  if (existsSync(path)) return path;
  throw new Error(`There is no store at ${path}.`);
}
