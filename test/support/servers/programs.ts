import { Redis } from 'ioredis';
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';

/** What differs between the servers that can be started. */
export interface ServerProgram {
  /** The names of each program that is needed, the one that serves first. */
  readonly binaries: readonly (readonly string[])[];
  /** Makes an empty data directory, once. The programs come in the order of `binaries`. */
  prepare?(programs: readonly string[], data: string): readonly string[];
  /** What serves from it. */
  serve(program: string, data: string, port: number): readonly string[];
  url(port: number): string;
  /** Rejects as long as the server does not answer. */
  greet(url: string): Promise<void>;
}

/** How long one greeting may take, in milliseconds. */
const GREETING = 2000;

export const postgres: ServerProgram = {
  binaries: [['postgres'], ['initdb']],
  // What is not synced here the server syncs at its first checkpoint.
  prepare: ([, initdb], data) => [
    initdb!,
    ...['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--wal-segsize=1'],
    ...['--no-sync', '--no-instructions'],
  ],
  serve: (program, data, port) => [
    program,
    ...['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', ''],
    // Not in /dev/shm, where a kill would leave it behind.
    ...['-c', 'dynamic_shared_memory_type=mmap'],
  ],
  url: (port) => `postgres://postgres@127.0.0.1:${port}/postgres`,
  async greet(connectionString) {
    const client = new Client({ connectionString, connectionTimeoutMillis: GREETING });
    client.on('error', () => {});
    await client.connect();
    await client.end();
  },
};

export const mariadb: ServerProgram = {
  binaries: [['mariadbd'], ['mariadb-install-db']],
  prepare: ([, install], data) => [
    install!,
    ...['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal'],
    '--innodb-log-file-size=8M',
  ],
  serve: (program, data, port) => [
    program,
    ...['--no-defaults', `--datadir=${data}`, `--socket=${data}.sock`, `--pid-file=${data}.pid`],
    ...[`--port=${port}`, '--bind-address=127.0.0.1', '--skip-networking=0', '--skip-name-resolve'],
    ...['--character-set-server=utf8mb4', '--innodb-log-file-size=8M', '--innodb-buffer-pool-size=32M'],
  ],
  url: (port) => `mysql://root@127.0.0.1:${port}/test`,
  async greet(uri) {
    const connection = await createConnection({ uri, connectTimeout: GREETING });
    await connection.end();
  },
};

/** @param options begin with two dashes, as on its command line; without any, nothing is written to disk */
export function redis(options: readonly string[] = []): ServerProgram {
  return {
    binaries: [['redis-server', 'valkey-server']],
    serve: (program, data, port) => [
      program,
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', data, '--save', ''],
      ...options,
    ],
    url: (port) => `redis://127.0.0.1:${port}`,
    async greet(url) {
      await redisCommand(url, 'PING');
    },
  };
}

/** One command on a connection of its own, which gives up soon. */
export async function redisCommand(url: string, command: string, ...parts: string[]): Promise<unknown> {
  const client = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    enableReadyCheck: false,
  });
  client.on('error', () => {});
  // Not the client's own timeout, whose timer outlives the command.
  const tooLate = setTimeout(() => client.disconnect(), GREETING);
  try {
    await client.connect();
    return await client.call(command, ...parts);
  } finally {
    clearTimeout(tooLate);
    // One that has ended already would wait for its end.
    if (client.status !== 'end') client.disconnect();
  }
}
