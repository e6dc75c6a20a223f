import assert from 'node:assert/strict';
import { systemClock } from '../../core/clock';
import type { SessionRecord } from '../../core/session-record';
import type { SessionStore } from '../../core/session-store';
import type { EnumerableStore, SessionHead } from '../../core/store-capabilities';
import { newSessionId, newToken } from '../../core/session-token';
import { call } from './store-suite';

export const MINUTE = 60_000;

/** The instant from which all tests compute. It is the real time, because some databases expire by their own clock. */
export const START = systemClock();

/** A new anonymous record with an hour to live, with the given fields replaced. */
export function aRecord(given: Partial<SessionRecord> = {}): SessionRecord {
  const id = given.id ?? newSessionId();
  return {
    id,
    version: 1,
    secretHash: newToken(id, 'suite').secretHash,
    principal: null,
    expiresAt: START + 60 * MINUTE,
    body: '{"cart":[]}',
    ...given,
  };
}

/** The next version of the record, with the given fields replaced. */
export function nextOf(record: SessionRecord, given: Partial<SessionRecord> = {}): SessionRecord {
  return { ...record, version: record.version + 1, ...given };
}

export async function insertAll(store: SessionStore, records: readonly SessionRecord[]): Promise<void> {
  const AT_ONCE = 100;
  for (let start = 0; start < records.length; start += AT_ONCE) {
    await Promise.all(records.slice(start, start + AT_ONCE).map((record) => store.insert(record, call)));
  }
}

export async function insertOne(
  store: SessionStore,
  given: Partial<SessionRecord> = {},
): Promise<SessionRecord> {
  const record = aRecord(given);
  await store.insert(record, call);
  return record;
}

export async function everythingIn(store: EnumerableStore): Promise<SessionRecord[]> {
  const all: SessionRecord[] = [];
  for await (const record of store.records(call)) all.push(record);
  return all;
}

// Copies the records, because under Jest objects from native code have prototypes of another realm, and deepEqual compares prototypes.

/** Asserts that exactly the expected record was found; `null` means none. */
export function assertRecord(found: SessionRecord | null, expected: SessionRecord | null | undefined): void {
  assert.deepEqual(found && { ...found }, expected);
}

/** Asserts that exactly the expected records were found, in any order. */
export function assertRecords(
  found: readonly SessionRecord[],
  expected: readonly SessionRecord[],
  message?: string,
): void {
  assert.deepEqual(byId(found), byId(expected), message);
}

/** Asserts that exactly the heads of the expected records were found, in any order. */
export function assertHeads(found: readonly SessionHead[], expected: readonly SessionRecord[]): void {
  const heads = (all: readonly SessionHead[]): SessionRecord[] =>
    all.map(({ id, version, secretHash, principal, expiresAt }) => {
      return { id, version, secretHash, principal, expiresAt, body: '' };
    });
  assertRecords(heads(found), heads(expected));
}

function byId(records: readonly SessionRecord[]): SessionRecord[] {
  return Array.from(records, (record) => ({ ...record })).sort((a, b) => (a.id < b.id ? -1 : 1));
}
