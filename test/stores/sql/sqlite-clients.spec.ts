import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeLong } from '../../support/long';
import { describeUnless } from '../../support/not-run';
import { describeWithSqlite } from '../../support/sqlite';
import { describeClient } from './client-suite';
import { nodeSqlite, sqliteClients } from './embedded-clients';
import type { ClientKind } from './opened-client';

function describeOnFile(kind: ClientKind): void {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tessera-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  describeClient(kind, { place: () => join(folder, 'app.sqlite'), isShared: true });
}

describeWithSqlite('on SQLite', () => describeOnFile(sqliteClients[0]!));

describeLong('every other client', () => {
  for (const kind of sqliteClients.slice(1)) describeWithSqlite('on SQLite', () => describeOnFile(kind));
});

const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
const hasNodeSqlite = major > 22 || (major === 22 && minor >= 16);
describeUnless(
  hasNodeSqlite ? null : 'node:sqlite: Node 22.16, 24 and newer have what it takes',
  'on SQLite',
  () => describeOnFile(nodeSqlite),
);
