// One client of SqlSessionStore on PostgreSQL: what the store's find and update cost, and the same statements by the client itself.
import { createRequire } from 'node:module';
import { SqlSessionStore, sessionTableSql } from 'nestjs-tessera/sql';
import { openClient } from '../subjects/sql-clients.mjs';
import { answer, given } from './answer.mjs';
import { cpuOf } from './cpu.mjs';

const require = createRequire(import.meta.url);
const { newSessionId, newToken } = require('../../dist/core/session-token.js');
const { name } = given();
const call = { signal: new AbortController().signal };
const DDL = { ...call, returnsRows: false };
const tableName = `bench_${process.pid}`;
const opened = await openClient(name, process.env.POSTGRES_URL, tableName);
const store = opened.store ?? new SqlSessionStore({ ...opened.client, tableName });
if (opened.client)
  for (const sql of sessionTableSql({ dialect: 'postgres', tableName }))
    await opened.client.execute(sql, [], DDL);

const FIND = `SELECT id, version, secret_hash, principal, expires_at, body FROM ${tableName} WHERE id = $1`;
const UPDATE = `UPDATE ${tableName} SET version = $1, secret_hash = $2, principal = $3, expires_at = $4, body = $5 WHERE id = $6 AND version = $7`;
const records = Array.from({ length: 100 }, () => {
  const id = newSessionId();
  const { secretHash } = newToken(id, 'bench');
  return {
    id,
    version: 1,
    secretHash,
    principal: 'a:1',
    expiresAt: Date.now() + 3_600_000,
    body: 'x'.repeat(200),
  };
});
for (const record of records) await store.insert(record, call);

const find = async (i) => {
  if ((await store.find(records[i % 100].id, call)) === null) throw new Error('a session is missing');
};
const update = async (i) => {
  const record = records[i % 100];
  record.version++;
  if (!(await store.update(record, record.version - 1, call)))
    throw new Error(`an update through ${name} was refused`);
};
// Awaited, because Prisma and Drizzle do nothing before that.
const ownFind = async (i) => await opened.query(FIND, [records[i % 100].id]);
const ownUpdate = async (i) => {
  const { id, version, secretHash, principal, expiresAt, body } = records[i % 100];
  records[i % 100].version++;
  await opened.run(UPDATE, [version + 1, secretHash, principal, expiresAt, body, id, version]);
};

answer(
  {
    measure: async ({ times }) => ({
      read: await cpuOf(times, find),
      'read by itself': await cpuOf(times, ownFind),
      write: await cpuOf(times, update),
      'write by itself': await cpuOf(times, ownUpdate),
    }),
  },
  () => opened.close(),
);
