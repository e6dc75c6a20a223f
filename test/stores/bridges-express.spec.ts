import connectPgSimple from 'connect-pg-simple';
import session, { MemoryStore } from 'express-session';
import { fromExpressStore } from 'nestjs-tessera/bridges';
import { describeSessionStore } from 'nestjs-tessera/testing';
import { Pool } from 'pg';
import { describeLong } from '../support/long';
import { describeWith, type Service } from '../support/servers';

const PgStore = connectPgSimple(session);

describe('fromExpressStore on a MemoryStore', () => {
  let memory: MemoryStore;

  describeSessionStore('fromExpressStore', {
    create: () => fromExpressStore((memory = new MemoryStore())),
    peer: () => fromExpressStore(memory),
    without: ['principals', 'sweeping', 'watching'],
    unmet: ['conditional-writes', 'paged-enumeration'],
    volume: 1000,
  });
});

describeLong('fromExpressStore on a database', () =>
  describeWith('postgres', 'connect-pg-simple', describeOnPostgres),
);

function describeOnPostgres(service: () => Service): void {
  const pools: Pool[] = [];
  const open = () => {
    const pool = new Pool({ connectionString: service().url });
    pools.push(pool);
    return pool;
  };
  const over = (pool: Pool) =>
    fromExpressStore(new PgStore({ pool, createTableIfMissing: true, pruneSessionInterval: false }));

  describeSessionStore('fromExpressStore', {
    async create() {
      const pool = open();
      await pool.query('DROP TABLE IF EXISTS session');
      return over(pool);
    },
    peer: () => over(open()),
    destroy: async () => void (await Promise.all(pools.splice(0).map((pool) => pool.end()))),
    without: ['principals', 'enumeration', 'sweeping', 'watching'],
    unmet: ['conditional-writes'],
  });
}
