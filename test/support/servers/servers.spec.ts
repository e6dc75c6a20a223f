import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import {
  describeWithPrivate,
  startMariadb,
  startPostgres,
  startRedis,
  type PrivateServer,
  type Server,
} from '.';
import { describeLong, describeSome } from '../long';
import { anyRuns, freezeTree } from './process-tree';
import { PID_FILE } from './server-directory';

/** A person's own connection, which writes numbers down and reads them again. */
interface Writer {
  write(number: number): Promise<unknown>;
  read(): Promise<number[]>;
  close(): Promise<unknown>;
}

const writers: Record<string, (url: string) => Promise<Writer>> = {
  async postgres(connectionString) {
    const client = new Client({ connectionString });
    client.on('error', () => {});
    await client.connect();
    await client.query('CREATE TABLE IF NOT EXISTS numbers (number int)');
    return {
      write: (number) => client.query('INSERT INTO numbers VALUES ($1)', [number]),
      read: async () => {
        const { rows } = await client.query<{ number: number }>('SELECT number FROM numbers');
        return rows.map((row) => row.number);
      },
      close: () => client.end(),
    };
  },
  async mariadb(uri) {
    const connection = await createConnection({ uri });
    connection.on('error', () => {});
    await connection.query('CREATE TABLE IF NOT EXISTS numbers (number int)');
    return {
      write: (number) => connection.query('INSERT INTO numbers VALUES (?)', [number]),
      read: async () => {
        const [rows] = await connection.query('SELECT number FROM numbers');
        return (rows as { number: number }[]).map((row) => row.number);
      },
      close: () => connection.end(),
    };
  },
  async redis(url) {
    const client = new Redis(url, { retryStrategy: () => null });
    client.on('error', () => {});
    return {
      write: (number) => client.rpush('numbers', number),
      read: async () => (await client.lrange('numbers', 0, -1)).map(Number),
      close: async () => client.status === 'end' || client.disconnect(),
    };
  },
};

const starters = {
  postgres: startPostgres,
  mariadb: startMariadb,
  redis: () => startRedis(['--appendonly', 'yes', '--appendfsync', 'always']),
};

type Way = [string, (server: Server) => unknown];
const running: Way = ['running', () => {}];
const frozen: Way = ['frozen', (server) => server.freeze()];
const killed: Way = ['killed', (server) => server.kill()];
const killedFrozen: Way = ['killed while frozen', (server) => (server.freeze(), server.kill())];
const stopped: Way = ['stopped', (server) => server.stop()];

/** Redis is the fastest, PostgreSQL the one with most to leave behind. */
const ways = {
  postgres: [frozen, killed],
  mariadb: [running],
  redis: [running, frozen, killed, killedFrozen, stopped],
};

describeLong('MariaDB', () => describeWithPrivate('mariadb', 'beside others', describeBeside));

function describeBeside(server: () => Server): void {
  it('keeps its temporary tables to itself: one that starts removes those of a shared directory', async () => {
    const connection = await createConnection({ uri: server().url });
    const [rows] = await connection.query('SELECT @@tmpdir AS place');
    await connection.end();
    expect(rows).toEqual([{ place: (server() as PrivateServer).directory }]);
  });
}

const kinds = (['postgres', 'mariadb', 'redis'] as const).map((name) => ({ name }));
const isQuick = ({ name }: (typeof kinds)[number]) => name === 'redis';

describeSome(kinds, isQuick, 'a server of', ({ name: kind }) => {
  describeWithPrivate(kind, 'that a test has to itself', (server) => {
    const closers: (() => Promise<unknown>)[] = [];
    const open = async ({ url }: Server): Promise<Writer> => {
      const writer = await writers[kind]!(url);
      closers.push(() => writer.close());
      return writer;
    };
    const start = async (): Promise<PrivateServer> => {
      const started = await starters[kind]();
      closers.push(() => started.stop());
      return started;
    };

    afterEach(async () => {
      server().thaw();
      for (const close of closers.splice(0)) await close().catch(() => {});
    });

    it('answers a client', async () => {
      const writer = await open(server());
      await writer.write(1);
      expect(await writer.read()).toEqual([1]);
    });

    it('runs as an ordinary user', () => {
      const uid = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pidOf(server())}/status`, 'utf8'))![1];
      expect(uid).not.toBe('0');
    });

    it('stands still while it is frozen, and goes on when it is thawed', async () => {
      const writer = await open(server());
      server().freeze();
      let isWritten = false;
      const written = writer.write(2).then(() => (isWritten = true));
      await pause(200);
      expect(isWritten).toBe(false);
      server().thaw();
      await written;
      expect(await writer.read()).toContain(2);
    });

    it('comes back from a kill on the same port, with everything it had acknowledged', async () => {
      const killed = kind === 'redis' ? await start() : server();
      const before = await open(killed);
      for (let number = 10; number < 30; number++) await before.write(number);
      await killed.kill();
      await expect(before.write(30)).rejects.toThrow();
      await killed.start();
      const after = await open(killed);
      expect(await after.read()).toEqual(
        expect.arrayContaining(Array.from({ length: 20 }, (_, index) => 10 + index)),
      );
    });

    it.each(ways[kind])('leaves nothing behind when it is stopped %s', async (_, first) => {
      const stopped = await start();
      const pids = freezeTree(pidOf(stopped));
      stopped.thaw();
      const memory = sharedMemoryOf(stopped);
      await first(stopped);
      await stopped.stop();

      expect(anyRuns(pids)).toBe(false);
      expect(existsSync(stopped.directory)).toBe(false);
      if (memory !== undefined) expect(sharedMemory()).not.toContain(memory);
    });
  });
});

function pidOf(server: Server): number {
  return Number(readFileSync(join((server as PrivateServer).directory, PID_FILE), 'utf8'));
}

/** The segment that PostgreSQL says it has. */
function sharedMemoryOf({ directory }: PrivateServer): string | undefined {
  const file = join(directory, 'data/postmaster.pid');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n')[6]!.trim().split(/ +/)[1] : undefined;
}

function sharedMemory(): string[] {
  const lines = readFileSync('/proc/sysvipc/shm', 'utf8').split('\n');
  return lines.map((line) => line.trim().split(/ +/)[1]!);
}
