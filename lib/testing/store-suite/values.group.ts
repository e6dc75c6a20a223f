import assert from 'node:assert/strict';
import type { SessionRecord } from '../../core/session-record';
import type { SessionId } from '../../core/session-token';
import { START, aRecord, assertRecord, insertOne, nextOf } from './records';
import { call, type StoreSuite } from './store-suite';

const BODIES: Readonly<Record<string, string>> = {
  'emoji and other scripts': '{"a":"👩‍👩‍👧 naïve Ωmega 日本語 \u{10FFFF}"}',
  'quotes and backslashes': `{"a":"\\"it's\\" \`x\` \\\\ \\u0000 %s $1 ? :name {{x}}"}`,
  'line breaks, tabs and other control characters': 'a\r\nb\n\tc\u0001\u001f\u007f\u0085\u2028\u2029\ufeff',
  'spaces at either end': '  {"a":1}  ',
  'composed and decomposed letters': '\u00e9 \u0065\u0301',
  'a number': '0123',
  'a word with a meaning': 'null',
  'an attempt at SQL': "'; DROP TABLE sessions; --",
  '64 KB': `"${'x'.repeat(65_534)}"`,
  '64 KB of emoji': '🦊'.repeat(16_384),
};

const HOSTILE_IDS = [
  '', ' ', '*', '?', '%', '_', '.', '../../etc/passwd', '__proto__', 'constructor', 'toString', '{}', '[]', 'null', '0',
  "' OR '1'='1", '"', '`', '\\', '\0', 'a\0b', '\n', '{"$gt":""}', 'é', '🦊', '\ud800', 'x'.repeat(10_240),
]; // prettier-ignore

/** Records come back unchanged, and hostile text is treated as text. */
export function describeValues(suite: StoreSuite): void {
  const { describe, it } = suite;

  describe('values', () => {
    for (const [name, body] of Object.entries(BODIES)) {
      it(`D1: keeps a body exactly: ${name}`, async () => {
        const inserted = await insertOne(suite.store, { body });
        const updated = await insertOne(suite.store);
        await suite.store.update(nextOf(updated, { body }), 1, call);
        for (const { id } of [inserted, updated]) {
          assert.ok((await suite.store.find(id, call))?.body === body, 'the body came back changed');
        }
      });
    }

    it('keeps a far expiry exactly', async () => {
      for (const expiresAt of [START + 2 ** 31, Date.UTC(9999, 11, 31)]) {
        const record = await insertOne(suite.store, { expiresAt });
        assertRecord(await suite.store.find(record.id, call), record);
      }
    });

    it('tells ids apart that differ only in case', async () => {
      const [lower, upper] = ['aaaaaaaaaaaaaaaaaaaaaa', 'AAAAAAAAAAAAAAAAAAAAAA'] as SessionId[];
      const record = await insertOne(suite.store, { id: lower! });
      assert.equal(await suite.store.find(upper!, call), null);
      assert.equal(await suite.store.update(nextOf({ ...record, id: upper! }), 1, call), false);
      await suite.store.delete(upper!, call);
      const other = await insertOne(suite.store, { id: upper! });
      assertRecord(await suite.store.find(lower!, call), record);
      assertRecord(await suite.store.find(upper!, call), other);
    });

    it('T4: finds nothing under hostile ids, and changes no other session', async () => {
      const record = await insertOne(suite.store, { principal: 'default:ada' });
      for (const id of HOSTILE_IDS as SessionId[]) {
        assert.equal(await suite.store.find(id, call), null, JSON.stringify(id));
        assert.equal(await suite.store.update(nextOf({ ...record, id }), 1, call), false, JSON.stringify(id));
        assert.equal(await suite.store.extend(id, 1, START, call), false, JSON.stringify(id));
        await suite.store.delete(id, call);
      }
      assertRecord(await suite.store.find(record.id, call), record);
    });

    it('keeps no reference to records that its caller may change', async () => {
      const given: Writable<SessionRecord> = { ...aRecord() };
      const wanted = { ...given };
      await suite.store.insert(given, call);
      given.body = given.principal = 'changed after insert';
      const found = (await suite.store.find(wanted.id, call)) as Writable<SessionRecord>;
      Reflect.set(found, 'body', 'changed after find');
      Reflect.set(found, 'version', 7);
      assertRecord(await suite.store.find(wanted.id, call), wanted);
    });
  });
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };
