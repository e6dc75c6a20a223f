import assert from 'node:assert/strict';
import { systemClock } from '../../core/clock';
import type { SessionRecord } from '../../core/session-record';
import type { SessionStore } from '../../core/session-store';
import type { EnumerableStore } from '../../core/store-capabilities';
import { newSessionId, newToken } from '../../core/session-token';
import { call } from './store-suite';

export const MINUTE = 60_000;

/** Taken once, so that every test reckons from one instant; real, because some databases expire by a clock of their own. */
export const START = systemClock();

/** A fresh visitor's record that lives for another hour, but for what is given. */
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

/** The record as an update would write it. */
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

// Under Jest, values that native code made are of another realm, and deepEqual would tell their prototypes apart: hence the copies.

/** Found exactly this, or nothing for `null`. */
export function assertRecord(found: SessionRecord | null, expected: SessionRecord | null | undefined): void {
  assert.deepEqual(found && { ...found }, expected);
}

/** Found exactly these, in whatever order. */
export function assertRecords(
  found: readonly SessionRecord[],
  expected: readonly SessionRecord[],
  message?: string,
): void {
  assert.deepEqual(byId(found), byId(expected), message);
}

function byId(records: readonly SessionRecord[]): SessionRecord[] {
  return Array.from(records, (record) => ({ ...record })).sort((a, b) => (a.id < b.id ? -1 : 1));
}
