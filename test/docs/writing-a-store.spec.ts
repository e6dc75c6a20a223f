import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PrincipalIndexedStore, SessionStore, SweepableStore } from 'nestjs-tessera';
import { describeSessionStore } from 'nestjs-tessera/testing';
import { Pool } from 'pg';
import { describeLong } from '../support/long';
import { networkFaults } from '../stores/network-faults';
import { describeWithPrivate, type Server, TcpProxy } from '../support/servers';
import { defaultsOf, membersOfUnion } from './compiler';
import { Markdown } from './markdown';

type PgSessionStore = SessionStore & PrincipalIndexedStore & SweepableStore;

const guide = new Markdown('docs/writing-a-store.md');

const code = guide
  .snippets('ts')
  .find((snippet) => snippet.code.includes('export class PgSessionStore'))!.code;

/** The store of the guide, as its reader would have it in a file. */
function storeOfTheGuide(): new (pool: Pool) => PgSessionStore {
  const folder = mkdtempSync(join(tmpdir(), 'tessera-guide-'));
  try {
    const file = join(folder, 'pg-session-store.ts');
    writeFileSync(file, code);
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    return (require(file) as { PgSessionStore: new (pool: Pool) => PgSessionStore }).PgSessionStore;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('docs/writing-a-store.md', () => {
  const namesIn = (table: string) =>
    guide.table(table).flatMap(([names]) => [...names!.matchAll(/`(\w[\w-]*)`/g)].map(([, name]) => name));

  it('builds a store of about sixty lines', () => {
    const lines = code.slice(code.indexOf('export class')).split('\n').length;
    expect(Math.round(lines / 10)).toBe(6);
  });

  it('names every fault', () => {
    const faults = defaultsOf('lib/testing/store-suite/store-faults.ts', 'StoreFaults');
    expect(namesIn('fault').sort()).toEqual([...faults.keys()].sort());
  });

  it('names every limit', () => {
    expect(namesIn('limit')).toEqual(membersOfUnion('lib/core/store-capabilities.ts', 'StoreLimit'));
  });
});

describeLong('the store of docs/writing-a-store.md', () =>
  describeWithPrivate('postgres', 'on PostgreSQL', describeStoreOfTheGuide),
);

function describeStoreOfTheGuide(server: () => Server): void {
  const Store = storeOfTheGuide();
  const pools: Pool[] = [];
  let proxy: TcpProxy;
  const open = (): Pool => {
    const pool = new Pool({ connectionString: proxy.through(server().url) });
    pool.on('error', () => {});
    pools.push(pool);
    return pool;
  };

  beforeAll(async () => {
    proxy = await TcpProxy.open(server().port);
  });
  afterAll(() => proxy.close());

  describeSessionStore('PgSessionStore', {
    async create() {
      const pool = open();
      await pool.query('DROP TABLE IF EXISTS sessions');
      return new Store(pool);
    },
    peer: () => new Store(open()),
    destroy: async () => void (await Promise.all(pools.splice(0).map((pool) => pool.end()))),
    without: ['enumeration', 'watching'],
    faults: networkFaults(server, () => proxy),
  });
}
