import { setImmediate } from 'node:timers/promises';
import { inspect } from 'node:util';
import type { SessionError } from 'nestjs-tessera';
import { SqlSessionStore, sessionTableSql } from 'nestjs-tessera/sql';
import { describeSessionStore } from 'nestjs-tessera/testing';
import type { SecretHash } from '../../../lib/core/session-token';
import { until } from '../../../lib/testing/store-suite/deadline-client';
import { aRecord, nextOf } from '../../../lib/testing/store-suite/records';
import { call } from '../../../lib/testing/store-suite/store-suite';
import type { StoreFaults } from '../../../lib/testing/store-suite/store-faults';
import { often } from '../../support/long';
import { APPLICATION, type ClientKind, type OpenedClient } from './opened-client';

/** Where the store of a suite is. */
export interface ClientPlace {
  /** What a client of an application is given. */
  place(): string;
  /** Whether processes can share it. */
  readonly isShared: boolean;
  readonly faults?: StoreFaults;
}

/** Many more than a write that does not wait needs on an embedded database. */
const EVENT_LOOP_TURNS = 5000;

/** A statement that returns no rows. */
const DDL = { signal: call.signal, returnsRows: false };

/** Proves a client by the published suite: one client for all tests, with a table that is emptied before each; another for the peer. */
export function describeClient(kind: ClientKind, { place, isShared, faults }: ClientPlace): void {
  const title = `SqlSessionStore through ${kind.name}`;
  const tableName = tableOf(kind);

  describe('opened by an application', () => {
    let opened: OpenedClient | undefined;
    let peer: OpenedClient | undefined;
    afterAll(async () => {
      await opened?.close();
      await peer?.close();
    });

    async function emptyStore(): Promise<SqlSessionStore> {
      if (opened === undefined) {
        opened = await kind.open(place());
        const { client } = opened;
        for (const sql of [APPLICATION, ...sessionTableSql({ ...client, tableName })])
          await client.execute(sql, [], DDL);
      }
      // A connection may have broken in the test before.
      const emptied = () =>
        opened!.client.execute(`DELETE FROM ${tableName}`, [], DDL).then(
          () => true,
          () => false,
        );
      await until(emptied, 'the table is empty');
      return new SqlSessionStore({ ...opened.client, tableName });
    }

    describeSessionStore(title, {
      create: emptyStore,
      ...(isShared && {
        peer: async () => {
          peer ??= await kind.open(place());
          return new SqlSessionStore({ ...peer.client, tableName });
        },
      }),
      without: kind.watches ? [] : ['watching'],
      volume: often(150, 500),
      ...(faults && { faults }),
    });

    describe(`${title}, beside the application`, () => {
      let store: SqlSessionStore;
      beforeEach(async () => {
        store = await emptyStore();
      });
      afterEach(() => store.close());

      it('keeps a session write out of a transaction of the application that is rolled back', async () => {
        const record = aRecord();
        let writing: Promise<void> | undefined;
        const waits = opened!.client.limits?.includes('one-connection');
        await opened!.rollBack(async () => {
          writing = store.insert(record, call);
          await (waits ? settledWithin(EVENT_LOOP_TURNS, writing) : writing);
        });
        await writing;
        const { rows } = await opened!.client.execute('SELECT id FROM note', [], {
          ...DDL,
          returnsRows: true,
        });
        expect({ session: await store.find(record.id, call), notes: rows }).toEqual({
          session: record,
          notes: [],
        });
      });

      if (faults)
        it('says whether it abandons statements', () => {
          const abandons = !opened!.client.limits?.includes('calls-go-on');
          expect(abandons).toBe(kind.abandons ?? false);
        });

      it('T3: shows no hash and no body in what it throws', async () => {
        const secret = { secretHash: 'h'.repeat(43) as SecretHash, body: '{"card":"4111"}' };
        const record = aRecord(secret);
        await store.insert(record, call);
        const failures = [await store.insert(record, call).catch((error: unknown) => error)];
        await opened!.client.execute(`ALTER TABLE ${tableName} RENAME TO away`, [], DDL);
        failures.push(await store.update(nextOf(record), 1, call).catch((error: unknown) => error));
        failures.push(await store.insert(aRecord(secret), call).catch((error: unknown) => error));
        await opened!.client.execute(`ALTER TABLE away RENAME TO ${tableName}`, [], DDL);
        const shown = inspect({ failures, texts: failures.map(String) }, { depth: 21, showHidden: true });
        expect({
          codes: failures.map((failure) => (failure as SessionError).code),
          showsHash: shown.includes('hhhhh'),
          showsBody: shown.includes('4111'),
        }).toEqual({
          codes: ['SESSION_DUPLICATE_ID', 'SESSION_STORE_UNAVAILABLE', 'SESSION_STORE_UNAVAILABLE'],
          showsHash: false,
          showsBody: false,
        });
      });
    });
  });
}

/** The table of a client, of which several are tested on one server. */
export function tableOf({ name }: ClientKind): string {
  return `sessions_${name.toLowerCase().replace(/\W+/g, '_')}`;
}

/** Gives a write that should wait every chance not to. */
async function settledWithin(turns: number, writing: Promise<void>): Promise<void> {
  let isSettled = false;
  const settle = (): void => void (isSettled = true);
  writing.then(settle, settle);
  for (let turn = 0; turn < turns && !isSettled; turn++) await setImmediate();
}
