import { aRecord, nextOf } from '../../testing/store-suite/records';
import { call } from '../../testing/store-suite/store-suite';
import { MemorySessionStore } from '../memory/memory-session-store';
import { TIER_STATE_ID } from './tier-state';
import { TieredSessionStore } from './tiered-session-store';

it('neither shows nor changes the tier state, whichever call names its id', async () => {
  const durable = new MemorySessionStore();
  const store = new TieredSessionStore({ fast: new MemorySessionStore(), durable });
  const note = aRecord({ id: TIER_STATE_ID });
  await expect(store.insert(note, call)).rejects.toMatchObject({ code: 'SESSION_DUPLICATE_ID' });
  await durable.insert(note);
  expect(await store.find(TIER_STATE_ID, call)).toBeNull();
  expect(await store.update(nextOf(note), 1, call)).toBe(false);
  expect(await store.extend(TIER_STATE_ID, 1, note.expiresAt, call)).toBe(false);
  await store.delete(TIER_STATE_ID, call);
  expect(await durable.find(TIER_STATE_ID)).toEqual(note);
  await store.close();
});
