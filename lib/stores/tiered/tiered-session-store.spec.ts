import { aRecord, nextOf } from '../../testing/store-suite/records';
import { call } from '../../testing/store-suite/store-suite';
import { MemorySessionStore } from '../memory/memory-session-store';
import { NOTICE_ID } from './tier-notice';
import { TieredSessionStore } from './tiered-session-store';

it('lets nobody touch the note that the tiers keep for themselves, under whatever store it is used', async () => {
  const durable = new MemorySessionStore();
  const store = new TieredSessionStore({ fast: new MemorySessionStore(), durable });
  const note = aRecord({ id: NOTICE_ID });
  await expect(store.insert(note, call)).rejects.toMatchObject({ code: 'SESSION_DUPLICATE_ID' });
  await durable.insert(note);
  expect(await store.find(NOTICE_ID, call)).toBeNull();
  expect(await store.update(nextOf(note), 1, call)).toBe(false);
  expect(await store.extend(NOTICE_ID, 1, note.expiresAt, call)).toBe(false);
  await store.delete(NOTICE_ID, call);
  expect(await durable.find(NOTICE_ID)).toEqual(note);
  await store.close();
});
