import { MemorySessionStore, type SessionRecord } from 'nestjs-tessera';
import { HOUR, core } from '../support/core';

/** Shows expired records, as the contract allows, and writes to none: a replica that lags behind, or an `expires_at > now` in the UPDATE. */
class ShowingStore extends MemorySessionStore {
  override async update(_record: SessionRecord): Promise<boolean> {
    return false;
  }
}

it('E1: a dead session that cannot be locked is dead after a few store calls, and forgotten', async () => {
  const { issued, clock, manager, store, told } = core({ store: new ShowingStore() });
  const token = await issued(null, (session) => session.login({ id: 'ada' }));
  clock.advance(HOUR);
  store.take();
  told();

  const session = await manager.open(token);
  expect(session.principal).toBeNull();
  expect(store.take().length).toBeLessThanOrEqual(10);
  expect(told()).toEqual(['expired']);
  expect(await manager.commit(session)).toEqual({ kind: 'forget' });
});
