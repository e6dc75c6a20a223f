import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { SessionStore } from 'nestjs-tessera';
import { FileSessionStore } from 'nestjs-tessera/file';
import { RedisSessionStore } from 'nestjs-tessera/redis';
import { createSessionTable, TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { core, machineClock, type Core } from '../support/core';
import { describeLong, isAll } from '../support/long';
import { describeWith, type Service } from '../support/servers';
import '../support/session-data';
import { describeWithSqlite } from '../support/sqlite';
import { linesOf, run, runHere, type Run } from './program';

const ID = /^[\w-]{22}$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** A store that the program reaches too. */
interface Place {
  readonly store: SessionStore;
  /** How the program is told of it. */
  readonly args: string[];
  readonly env?: Record<string, string>;
  close(): Promise<unknown>;
}

/** What the program must do on every store. */
function behaviors(open: () => Promise<Place>): void {
  let place: Place;
  let app: Core;

  beforeEach(async () => {
    place = await open();
    app = core({ store: place.store, clock: machineClock });
  });
  afterEach(() => place.close());

  const circumstances = (): object => (place.env === undefined ? {} : { env: place.env });
  const sessions = (action: string, ...args: string[]): Promise<Run> =>
    runHere(['sessions', action, ...place.args, ...args], circumstances());
  const login = (id: string, realm = 'default'): Promise<string> =>
    app.issued(null, (session) => {
      session.set('theme', 'dark');
      session.login({ id, realm, roles: ['member'] });
    });
  const who = async (token: string): Promise<string | undefined> =>
    (await app.manager.open(token)).principal?.id;
  const idOf = (token: string): string => token.split('.')[0]!;
  /** What is listed, without the instants. */
  const listed = ({ stdout }: Run): string[] =>
    linesOf(stdout)
      .map((line) => line.split(/ {2,}/).filter((cell) => !INSTANT.test(cell)))
      .map(([id, ...cells]) => [ID.test(id!), ...cells].join(' '))
      .sort();

  it('lists every session, with nothing that opens one', async () => {
    const tokens = [
      await login('ada'),
      await login('bob', 'staff'),
      await app.issued(null, (session) => session.login({ id: 'cleo' }, { pending: true })),
      await app.issued(null, (session) => session.set('theme', 'dark')),
    ];
    const result = await sessions('list');
    const secrets = tokens.map((token) => token.split('.')[1]!);
    expect({ code: result.code, stderr: result.stderr, listed: listed(result) }).toEqual({
      ...{ code: 0, stderr: '' },
      listed: [
        'true login default:ada',
        'true login staff:bob',
        'true pending default:cleo',
        'true visitor -',
      ],
    });
    expect(secrets.filter((secret) => result.stdout.includes(secret))).toEqual([]);
  });

  it('lists the logins of a principal, as JSON too', async () => {
    const tokens = [await login('ada'), await login('ada'), await login('bob'), await login('ada', 'staff')];
    const [plain, json] = await Promise.all([
      sessions('list', '--principal', 'ada'),
      sessions('list', '--principal', 'staff:ada', '--json'),
    ]);
    expect({
      plain: listed(plain),
      json: linesOf(json.stdout).map((line) => JSON.parse(line) as object),
    }).toEqual({
      plain: ['true login default:ada', 'true login default:ada'],
      json: [
        {
          ...{ id: idOf(tokens[3]!), state: 'login', isPending: false, isLocked: false, remembered: false },
          principal: { id: 'ada', realm: 'staff', roles: ['member'] },
          ...{ actor: null, device: null, amr: [], level: 1 },
          ...{ createdAt: expect.any(Number), lastSeenAt: expect.any(Number) },
          ...{ authenticatedAt: expect.any(Number), expiresAt: expect.any(Number) },
        },
      ],
    });
  });

  it('S2: ends the sessions of a principal, which their processes notice and their clients are told', async () => {
    const [ada, other, bob] = [await login('ada'), await login('ada'), await login('bob')];
    const watched = await app.manager.open(ada);
    const noticed = new Promise((resolve) => app.manager.watchEnd(watched, resolve));
    const args = ['--principal', 'ada', '--reason', 'reported stolen'];
    // In a process of its own, as it is used.
    const ended = await run(['sessions', 'end', ...place.args, ...args], circumstances());
    await noticed;
    const after = { ada: await who(ada), other: await who(other), bob: await who(bob) };
    expect({ ended, after }).toEqual({
      ended: { code: 0, stdout: 'Ended the sessions of default:ada: 2.\n', stderr: '' },
      after: { ada: undefined, other: undefined, bob: 'bob' },
    });
    expect((await app.manager.open(ada)).endedBecause).toBe('reported stolen');
  });

  it('says when nothing was found: it may have looked in the wrong place', async () => {
    const stderr = expect.stringMatching(/^No session was found\. .*--prefix or --table/);
    expect({
      listed: await sessions('list', '--principal', 'eve'),
      ended: await sessions('end', '--principal', 'eve'),
    }).toEqual({
      listed: { code: 0, stdout: '', stderr },
      ended: { code: 0, stdout: 'Ended the sessions of default:eve: 0.\n', stderr },
    });
  });

  it('ends one session, if it is that of the principal', async () => {
    const [ada, other] = [await login('ada'), await login('ada')];
    const refused = await sessions('end', '--id', idOf(ada), '--principal', 'bob');
    const ended = await sessions('end', '--id', idOf(ada), '--principal', 'ada');
    const again = await sessions('end', '--id', idOf(ada));
    expect({ refused, ended, again, ada: await who(ada), other: await who(other) }).toEqual({
      refused: { code: 1, stdout: '', stderr: 'There is no such session of default:bob.\n' },
      ended: { code: 0, stdout: `Ended the session ${idOf(ada)}.\n`, stderr: '' },
      again: { code: 1, stdout: '', stderr: 'There is no such session.\n' },
      ...{ ada: undefined, other: 'ada' },
    });
  });
}

async function table(options: DataSourceOptions, tableName: string): Promise<Pick<Place, 'store' | 'close'>> {
  const database = await new DataSource(options).initialize();
  const runner = database.createQueryRunner();
  const Migration = createSessionTable(tableName);
  await runner.dropTable(tableName, true);
  await new Migration().up(runner);
  await runner.release();
  const store = new TypeOrmSessionStore(database, { tableName });
  return { store, close: () => store.close().then(() => database.destroy()) };
}

async function inFolder(open: (folder: string) => Promise<Place>): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'tessera-'));
  const place = await open(folder);
  return { ...place, close: () => place.close().finally(() => rm(folder, { recursive: true, force: true })) };
}

describe('nestjs-tessera sessions', () => {
  describe('in files', () => {
    behaviors(() =>
      inFolder(async (folder) => {
        const store = new FileSessionStore(folder, { durable: false });
        await store.prepare();
        return { store, args: ['--store', `file:${folder}`], close: async () => {} };
      }),
    );
  });

  describeWithSqlite('in SQLite', () => {
    behaviors(() =>
      inFolder(async (folder) => {
        const database = join(folder, 'app.sqlite');
        const opened = await table({ type: 'better-sqlite3', database, enableWAL: true }, 'app_sessions');
        return { ...opened, args: ['--store', `sqlite:${database}`, '--table', 'app_sessions'] };
      }),
    );
  });

  describeWith('redis', 'in Redis', (service) => {
    behaviors(async () => {
      const { url, prefix } = service();
      const client = new Redis(url);
      const store = new RedisSessionStore(client, { prefix: `${prefix}cli:` });
      for await (const { id } of store.records({ signal: new AbortController().signal }))
        await store.delete(id, { signal: new AbortController().signal });
      const args = ['--store', 'env:STORE', '--prefix', `${prefix}cli:`];
      return { store, args, env: { STORE: url }, close: () => client.quit() };
    });
  });

  for (const type of ['postgres', 'mariadb'] as const) {
    const on = (service: () => Pick<Service, 'url'>): void =>
      behaviors(async () => {
        const { url } = service();
        const opened = await table({ type, url }, 'app_sessions');
        const args = ['--store', 'env:STORE', '--table', 'app_sessions'];
        return { ...opened, args, env: { STORE: url } };
      });
    if (isAll) describeWith(type, `in ${type}`, on);
    else describeLong(`in ${type}`, () => on(() => ({ url: '' })));
  }

  it('L11: takes an id that looks like an option', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tessera-'));
    const result = await runHere([
      'sessions',
      'end',
      '--store',
      `file:${folder}`,
      '--id',
      `--${'A'.repeat(20)}`,
    ]);
    await rm(folder, { recursive: true, force: true });
    expect(result).toEqual({ code: 1, stdout: '', stderr: 'There is no such session.\n' });
  });

  it('shows no control characters of an id, and lists them in JSON', async () => {
    const id = '\u001b[2Jada\u009b\u{e0001}';
    const lists = await inFolder(async (folder) => {
      const store = new FileSessionStore(folder, { durable: false });
      await store.prepare();
      return { store, args: ['--store', `file:${folder}`], close: async () => {} };
    }).then(async ({ store, args, close }) => {
      await core({ store, clock: machineClock }).issued(null, (session) => session.login({ id }));
      const runs = [
        await runHere(['sessions', 'list', ...args]),
        await runHere(['sessions', 'list', '--json', ...args]),
      ];
      return close().then(() => runs.map(({ stdout }) => stdout));
    });
    const [text, json] = lists as [string, string];
    expect({
      text,
      json: JSON.parse(json) as object,
      isShown: ['\u001b', '\u009b', '\udb40'].some((each) => `${text}${json}`.includes(each)),
    }).toEqual({
      text: expect.stringContaining('default:\\u001b[2Jada\\u009b\\udb40\\udc01\n'),
      json: expect.objectContaining({ principal: { id, realm: 'default', roles: [] } }),
      isShown: false,
    });
  });

  it.each([
    ['pg', 'postgres://localhost/x'],
    ['mysql2', 'mysql://localhost/x'],
    ['better-sqlite3', `sqlite:${__filename}`],
  ])('says how to install %s', async (name, url) => {
    expect(await run(['sessions', 'list', '--store', url], { without: [name] })).toEqual({
      ...{ code: 1, stdout: '', stderr: `A package is missing: npm install ${name}\n` },
    });
  });

  describeWithSqlite('in SQLite with a table that refuses changes', () => {
    it('says what the database answered', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'tessera-'));
      const database = join(folder, 'app.sqlite');
      const { store, close } = await table({ type: 'better-sqlite3', database }, 'app_sessions');
      const token = await core({ store, clock: machineClock }).issued(null, (session) =>
        session.login({ id: 'ada' }),
      );
      const direct = await new DataSource({ type: 'better-sqlite3', database }).initialize();
      for (const operation of ['UPDATE', 'DELETE'])
        await direct.query(
          `CREATE TRIGGER no_${operation} BEFORE ${operation} ON app_sessions BEGIN SELECT RAISE(ABORT, 'read only'); END`,
        );
      await direct.destroy();
      const args = ['--store', `sqlite:${database}`, '--table', 'app_sessions', '--id', token.split('.')[0]!];
      const result = await runHere(['sessions', 'end', ...args]);
      await close();
      await rm(folder, { recursive: true, force: true });
      expect(result).toEqual({
        ...{ code: 1, stdout: '' },
        stderr: expect.stringMatching(/^The session store failed at 'update'.*read only/),
      });
    });
  });

  describeWithSqlite('in SQLite without the table', () => {
    it('F7: says so, and creates nothing', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'tessera-'));
      const database = join(folder, 'app.sqlite');
      await (await new DataSource({ type: 'better-sqlite3', database }).initialize()).destroy();
      const { code, stderr } = await runHere(['sessions', 'list', '--store', `sqlite:${database}`]);
      await rm(folder, { recursive: true, force: true });
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringMatching(/^The table tessera_sessions in .* does not exist\./),
      });
    });
  });
});
