import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { Cluster, Redis } from 'ioredis';
import { createConnection, type Connection } from 'mysql2/promise';
import { Client } from 'pg';
import { describeWith, type Service, type ServiceKind } from '.';
import { describeLong, describeSome } from '../long';
import { ownPlace } from './own-place';
import { privateSourceOf, sourceOf } from './source';

const nowhere: readonly string[] = [];

describe('where a test file gets its server from', () => {
  it.each([
    ['postgres', { POSTGRES_URL: 'postgres://a/b' }, ['postgres://a/b']],
    ['postgres', { DATABASE_URL: 'postgresql://a/b' }, ['postgresql://a/b']],
    ['postgres', { POSTGRES_URL: 'postgres://a/b', DATABASE_URL: 'postgres://c/d' }, ['postgres://a/b']],
    ['mariadb', { MARIADB_URL: 'mariadb://a/b' }, ['mariadb://a/b']],
    ['mariadb', { DATABASE_URL: 'mysql://a/b' }, ['mysql://a/b']],
    ['redis', { REDIS_URL: 'redis://a' }, ['redis://a']],
    ['redis-cluster', { REDIS_CLUSTER_URLS: 'redis://a, redis://b' }, ['redis://a', 'redis://b']],
  ] as const)('is, for %s, what %j names', (kind, variables, urls) => {
    expect(sourceOf(kind, { variables, folders: nowhere })).toEqual({ kind: 'given', urls });
  });

  it.each([
    ['postgres', { DATABASE_URL: 'mysql://a/b', POSTGRES_URL: '' }],
    ['mariadb', { DATABASE_URL: 'postgres://a/b' }],
    ['redis-cluster', { REDIS_URL: 'redis://a' }],
  ] as const)('is not, for %s, what %j names', (kind, variables) => {
    expect(sourceOf(kind, { variables, folders: nowhere })).toMatchObject({ kind: 'missing' });
  });

  it.each([
    ['postgres', 'PostgreSQL', 'postgresql', 'POSTGRES_URL'],
    ['mariadb', 'MariaDB', 'mariadb-server-core', 'MARIADB_URL'],
    ['redis', 'Redis', 'redis-server', 'REDIS_URL'],
    ['redis-cluster', 'Redis Cluster', 'redis-server', 'REDIS_CLUSTER_URLS'],
  ] as const)('is nowhere, for %s, without program and variable, which it says', (kind, ...words) => {
    const { advice } = sourceOf(kind, { variables: {}, folders: nowhere }) as { advice: string };
    expect(words.filter((word) => !advice.includes(word))).toEqual([]);
  });

  it('is not the variable for a test that freezes and kills', () => {
    const source = privateSourceOf('redis', { variables: { REDIS_URL: 'redis://a' }, folders: nowhere });
    expect(source).toMatchObject({ kind: 'missing', advice: expect.not.stringContaining('REDIS_URL') });
  });
});

describeLong('a test file that needs a server which is not there', () => {
  const run = async (ci: string): Promise<{ code: number; output: string }> =>
    new Promise((done) => {
      const jest = resolve(require.resolve('jest/package.json'), '../bin/jest.js');
      const options = [
        '--testMatch',
        join(__dirname, 'missing.fixture.ts'),
        '--ci=false',
        '--coverage=false',
      ];
      const env = { ...process.env, CI: ci };
      execFile(process.execPath, [jest, ...options], { env }, (error, stdout, stderr) =>
        done({ code: Number(error?.code ?? 0), output: stdout + stderr }),
      );
    });

  it('is skipped, which the output says at its end', async () => {
    const { code, output } = await run('');
    expect(output).toMatch(/\nNot run\n {2}1 {2}PostgreSQL is needed: .*POSTGRES_URL.*\n$/);
    expect(output).toMatch(/Tests: +1 skipped, 1 total/);
    expect(code).toBe(0);
  });

  it('fails with CI=true, and says what to install', async () => {
    const { code, output } = await run('true');
    expect(output).toMatch(
      /a store on PostgreSQL › has what it needs\s+PostgreSQL is needed: .*apt-get install postgresql/,
    );
    expect(output).toMatch(/Tests: +1 failed, 1 total/);
    expect(code).toBe(1);
  });
});

const kinds = (['postgres', 'mariadb', 'redis', 'redis-cluster'] as const).map((name) => ({ name }));
const isQuick = ({ name }: (typeof kinds)[number]) => name === 'redis';

describeSome(kinds, isQuick, 'a place on', ({ name: kind }) => {
  describeWith(kind, 'that others use too', (service) => {
    it('is found at a URL, and every node of a cluster', () => {
      expect(service().urls[0]).toBe(service().url);
      if (kind !== 'redis-cluster') expect(service().urls).toHaveLength(1);
    });

    it('keeps what it writes to itself, and is gone afterwards', async () => {
      const [ours, theirs] = await Promise.all([
        ownPlace(kind, service().urls),
        ownPlace(kind, service().urls),
      ]);
      await write[kind](ours);
      await write[kind](theirs);
      await ours.leave();
      expect(await isThere[kind](service(), ours)).toBe(false);
      expect(await isThere[kind](service(), theirs)).toBe(true);
      await theirs.leave();
      expect(await isThere[kind](service(), theirs)).toBe(false);
    });
  });
});

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'];

const write: Record<ServiceKind, (place: Service) => Promise<unknown>> = {
  postgres: ({ url }) => withPostgres(url, (client) => client.query('CREATE TABLE numbers (number int)')),
  mariadb: ({ url }) => withMariadb(url, (client) => client.query('CREATE TABLE numbers (number int)')),
  redis: ({ url, prefix }) => withRedis(new Redis(url), (client) => setAll(client, prefix)),
  'redis-cluster': ({ urls, prefix }) =>
    withRedis(new Cluster([...urls]), (client) => setAll(client, prefix)),
};

const isThere: Record<ServiceKind, (service: Service, place: Service) => Promise<boolean>> = {
  postgres: ({ url }, place) =>
    withPostgres(url, async (client) => {
      const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [nameOf(place)]);
      return rowCount === 1;
    }),
  mariadb: ({ url }, place) =>
    withMariadb(url, async (client) => {
      const [rows] = await client.query('SHOW DATABASES LIKE ?', [nameOf(place)]);
      return (rows as unknown[]).length === 1;
    }),
  redis: ({ url }, { prefix }) => withRedis(new Redis(url), (client) => getAny(client, prefix)),
  'redis-cluster': ({ urls }, { prefix }) =>
    withRedis(new Cluster([...urls]), (client) => getAny(client, prefix)),
};

function nameOf({ url }: Service): string {
  return new URL(url).pathname.slice(1);
}

function setAll(client: Redis | Cluster, prefix: string): Promise<unknown> {
  return Promise.all(KEYS.map((key) => client.set(prefix + key, 'here')));
}

async function getAny(client: Redis | Cluster, prefix: string): Promise<boolean> {
  const values = await Promise.all(KEYS.map((key) => client.get(prefix + key)));
  return values.includes('here');
}

async function withPostgres<T>(connectionString: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString });
  await client.connect();
  return work(client).finally(() => client.end());
}

async function withMariadb<T>(uri: string, work: (client: Connection) => Promise<T>): Promise<T> {
  const connection = await createConnection({ uri });
  return work(connection).finally(() => connection.end());
}

async function withRedis<C extends Redis | Cluster, T>(
  client: C,
  work: (client: C) => Promise<T>,
): Promise<T> {
  return work(client).finally(() => client.disconnect());
}
