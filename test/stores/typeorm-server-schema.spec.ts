import {
  CreateSessionTable,
  SessionSchema,
  TypeOrmSessionStore,
  createSessionTable,
  sessionSchema,
} from 'nestjs-tessera/typeorm';
import type { DataSource } from 'typeorm';
import { aRecord } from '../../lib/testing/store-suite/records';
import { call } from '../../lib/testing/store-suite/store-suite';
import { describeWith, describeWithPrivate, type Service } from '../support/servers';
import { differences, larger } from './schema-differences';
import { application, openApplication, sqlKinds } from './server-database';

async function prepare(dataSource: DataSource, tableName?: string): Promise<void> {
  const store = new TypeOrmSessionStore(dataSource, { tableName });
  await store.prepare().finally(() => store.close());
}

/** What the start-up check says, or nothing. */
function refusal(dataSource: DataSource): Promise<string> {
  return prepare(dataSource).then(
    () => '',
    (error: Error) => error.message,
  );
}

for (const kind of sqlKinds) {
  describeWith(kind, `the session table on ${kind}`, (service) => {
    describe('made by its migration', () => {
      const admins = createSessionTable('admin_sessions');

      it.each<{ how: string; options?: object; tableName?: string }>([
        { how: 'as it comes' },
        { how: 'under another name', options: { migrations: [admins] }, tableName: 'admin_sessions' },
        {
          how: 'twice',
          options: { migrations: [CreateSessionTable, admins] },
          tableName: 'admin_sessions',
        },
        { how: 'with an entityPrefix', options: { entityPrefix: 'app_' } },
      ])(
        'passes the check, and is exactly as the entity describes it: $how',
        async ({ options, tableName }) => {
          const entities = [sessionSchema({ type: kind, ...(tableName && { tableName }), ...options })];
          const app = await openApplication(kind, service().url, { entities, ...options });
          await prepare(app, tableName);
          const { upQueries } = await app.driver.createSchemaBuilder().log();
          expect(upQueries.map(({ query }) => query)).toEqual([]);
        },
      );

      it('W16, W33: stands beside that of another application with another entityPrefix', async () => {
        await openApplication(kind, service().url, { entityPrefix: 'shop_' });
        const other = application(kind, service().url, {
          entityPrefix: 'blog_',
          migrationsTableName: 'blog_migrations',
          entities: [sessionSchema({ type: kind, entityPrefix: 'blog_' })],
        });
        await other.initialize();
        await other.runMigrations();
        await prepare(other);
        const { upQueries } = await other.driver.createSchemaBuilder().log();
        expect(upQueries.map(({ query }) => query)).toEqual([]);
      });

      it('F7: is missed, by name and place, with what to do', async () => {
        const app = await openApplication(kind, service().url);
        await app.undoLastMigration();
        await expect(prepare(app)).rejects.toMatchObject({
          code: 'SESSION_SCHEMA_INVALID',
          message: expect.stringMatching(
            /^The table tessera_sessions in the database \w+ does not exist\. Add CreateSessionTable of nestjs-tessera\/typeorm to the migrations of your DataSource, and run it/,
          ),
        });
      });

      it('can be read as an entity, without hash and body unless they are asked for', async () => {
        const entity = sessionSchema({ type: kind });
        const app = await openApplication(kind, service().url, { entities: [entity] });
        const store = new TypeOrmSessionStore(app);
        const { id, version, principal, expiresAt, ...rest } = aRecord({ principal: 'default:ada' });
        await store.insert({ id, version, principal, expiresAt, ...rest }, call);
        await store.close();
        expect(await app.getRepository(entity).find()).toEqual([{ id, version, principal, expiresAt }]);
      });

      it('F7: needs the database to be reachable, and says so without a password', async () => {
        const url = new URL(service().url);
        Object.assign(url, { username: 'nobody', password: 'hunter2' });
        await expect(prepare(application(kind, url.href))).rejects.toMatchObject({
          code: 'SESSION_STORE_UNAVAILABLE',
          message: expect.not.stringContaining('hunter2'),
        });
      });
    });

    describe('made by somebody else', () => {
      it.each(differences[kind])('F7: is refused for %s', async (_, statement, problem) => {
        const app = await openApplication(kind, service().url);
        for (const part of statement.split(';')) await app.query(part);
        const message = await refusal(app);
        expect(message).toContain(`differs from what sessions need: ${problem}`);
        expect(message.split(';')).toHaveLength(1);
      });

      it('F7: is accepted with columns that are larger, and columns that may be empty', async () => {
        const app = await openApplication(kind, service().url);
        for (const statement of larger[kind]) await app.query(statement);
        expect(await refusal(app)).toBe('');
      });
    });

    if (kind === 'postgres') describe('on PostgreSQL alone', () => describePostgres(service));
    else {
      it('passes the check when MariaDB is called mysql', async () => {
        const app = await openApplication('mariadb', service().url, { type: 'mysql' });
        await expect(prepare(app)).resolves.toBeUndefined();
      });

      it('F7: is refused an entity that would make it too small', async () => {
        const app = await openApplication('mariadb', service().url, { entities: [SessionSchema] });
        const advice = "replace it with sessionSchema({ type: 'mariadb' })";
        expect(await refusal(app)).toContain(advice);
      });
    }
  });
}

describeWithPrivate('mariadb', 'the session table on a server that cuts values off', (server) => {
  it.each(['', 'ANSI_QUOTES'])('W28: is refused with sql_mode %p', async (mode) => {
    const app = await openApplication('mariadb', server().url);
    await app.query(`SET GLOBAL sql_mode = '${mode}'`);
    expect(await refusal(app)).toMatch(/sql_mode '.*' cuts off .* Add STRICT_TRANS_TABLES to it/);
  });

  it.each(['STRICT_TRANS_TABLES', 'STRICT_ALL_TABLES'])('W28: passes with sql_mode %s', async (mode) => {
    const app = await openApplication('mariadb', server().url);
    await app.query(`SET GLOBAL sql_mode = '${mode}'`);
    expect(await refusal(app)).toBe('');
  });
});

function describePostgres(service: () => Service): void {
  const options = { schema: 'app', entities: [SessionSchema] };

  async function openSchema(): Promise<DataSource> {
    const bare = await openApplication('postgres', service().url);
    await bare.query('DROP SCHEMA IF EXISTS app CASCADE');
    await bare.query('CREATE SCHEMA app');
    await bare.destroy();
    return application('postgres', service().url, options).initialize();
  }

  it('W16: is made, found and used in a schema', async () => {
    const app = await openSchema();
    await app.query('CREATE TABLE public.other (n int)');
    await expect(prepare(app)).rejects.toThrow(/does not exist/); // the one in public is not it
    await app.query('DROP TABLE migrations');
    await app.runMigrations();
    await prepare(app);
    const store = new TypeOrmSessionStore(app);
    await store.insert(aRecord(), call);
    await store.close();
    expect(await app.query('SELECT count(*)::int AS n FROM app.tessera_sessions')).toEqual([{ n: 1 }]);
    expect(await app.query('SELECT count(*)::int AS n FROM public.tessera_sessions')).toEqual([{ n: 0 }]);
    const { upQueries } = await app.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });

  it('F7: is refused in a database whose encoding lacks characters', async () => {
    const app = await openApplication('postgres', service().url);
    const database = `${new URL(service().url).pathname.slice(1)}_latin1`;
    await app.query(
      `CREATE DATABASE ${database} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`,
    );
    const url = new URL(service().url);
    url.pathname = `/${database}`;
    const latin = await openApplication('postgres', url.href);
    try {
      expect(await refusal(latin)).toMatch(/encoding LATIN1.*ENCODING 'UTF8'/);
    } finally {
      await latin.destroy();
      await app.query(`DROP DATABASE ${database}`);
    }
  });
}
