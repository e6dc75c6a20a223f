import type { SqlClient, SqlValue } from '../sql-client';
import type { SqlDialectName } from '../sql-dialect';
import { resultOf, withoutNumbers } from './driver-answer';

type Knex = { raw(sql: string, bindings: never): { debug(enabled: boolean): PromiseLike<unknown> } };
type Kysely = { withoutPlugins(): { executeQuery(query: never): Promise<unknown> } };
type MikroOrmEntityManager = { getKnex(): Knex } | { fork(): unknown; getKysely(): Kysely };
type Sequelize = { query(sql: string, options: never): Promise<unknown> };

/** SQLite has one connection. */
const limitsOn = (dialect: SqlDialectName) =>
  [dialect === 'sqlite' ? 'one-connection' : 'shared-pool', 'calls-go-on'] as const;

/** A `Knex` instance. Its `debug` is off for sessions. */
export function fromKnex(knex: Knex, dialect: SqlDialectName): SqlClient {
  return {
    dialect,
    limits: limitsOn(dialect),
    async execute(sql, parameters) {
      const [text, bindings] = withQuestionMarks(sql, parameters);
      const answer = await knex.raw(text, bindings as never).debug(false);
      return resultOf(dialect === 'mysql' ? (answer as unknown[])[0] : answer);
    },
  };
}

/** A `Kysely` instance, used without its plugins, which may change results. With `log: ['query']` Kysely itself logs values. */
export function fromKysely(kysely: Kysely, dialect: SqlDialectName): SqlClient {
  const plain = kysely.withoutPlugins();
  return {
    dialect,
    limits: limitsOn(dialect),
    async execute(sql, parameters) {
      // What CompiledQuery.raw() of Kysely makes.
      const query = { kind: 'RawNode', sqlFragments: [sql], parameters: [] };
      const compiled = { sql, parameters, query, queryId: { queryId: sql } };
      return resultOf(await plain.executeQuery(compiled as never));
    },
  };
}

/**
 * The `EntityManager` of MikroORM: `orm.em`, outside of a transaction. Uses the Knex of version 6, or the Kysely of version 7, without
 * MikroORM's own `execute`, which writes the values into the SQL text.
 */
export function fromMikroOrm(em: MikroOrmEntityManager, dialect: SqlDialectName): SqlClient {
  if ('getKnex' in em) return fromKnex(em.getKnex(), dialect);
  return fromKysely((em.fork() as typeof em).getKysely(), dialect);
}

/** A `Sequelize` 6 instance. For sessions its logging, its replicas, which lag behind, and its `retry`, which repeats any write, are off. */
export function fromSequelize(sequelize: Sequelize, dialect: SqlDialectName): SqlClient {
  return {
    dialect,
    limits: limitsOn(dialect),
    async execute(sql, parameters, { returnsRows }) {
      let place = 0;
      const text = sql.replaceAll('?', () => `$${++place}`);
      const bind = dialect === 'mysql' ? withoutNumbers(parameters) : parameters;
      // `transaction: null` keeps it out of a transaction that Sequelize finds by continuation-local storage.
      const own = { transaction: null, useMaster: true, retry: { max: 1 } };
      const options = { bind, raw: true, logging: false, ...own };
      if (!returnsRows)
        return resultOf(((await sequelize.query(text, options as never)) as unknown[])[1] ?? {});
      return resultOf(await sequelize.query(text, { ...options, type: 'SELECT' } as never));
    },
  };
}

/** Turns the numbered parameters of PostgreSQL into those of Knex. */
function withQuestionMarks(sql: string, parameters: readonly SqlValue[]): [string, readonly SqlValue[]] {
  const places: number[] = [];
  const text = sql.replace(/\$(\d+)/g, (_, place: string) => (places.push(Number(place) - 1), '?'));
  return places.length === 0 ? [sql, parameters] : [text, places.map((place) => parameters[place]!)];
}
