import { MemorySessionStore, type SessionId } from 'nestjs-tessera';
import { TieredSessionStore } from 'nestjs-tessera/tiered';
import { core } from '../support/core';
import '../support/session-data';

const idOf = (token: string) => token.split('.')[0] as SessionId;

describe('the end of a session without a login, by its id', () => {
  it('S2: is told by the store to those who watch it', async () => {
    const store = new MemorySessionStore();
    const app = core({ store });
    const token = await app.issued(null, (session) => session.set('theme', 'dark'));
    const told: (string | null)[] = [];
    store.watchEnds((id) => told.push(id));
    await app.request(token, (session) => session.set('theme', 'light'));
    expect(told).toEqual([]);
    await app.manager.directory.end(idOf(token), undefined, 'revoked');
    expect(told).toEqual([idOf(token)]);
  });

  it('L10: is in the durable tier when it is acknowledged, and its reason is told', async () => {
    const [fast, durable] = [new MemorySessionStore(), new MemorySessionStore()];
    const tiers = new TieredSessionStore({ fast, durable, writeBehind: true, flushEvery: 10_000 });
    const app = core({ store: tiers });
    const token = await app.issued(null, (session) => session.set('theme', 'dark'));
    await app.manager.directory.end(idOf(token), undefined, 'abuse');
    const afterCrash = await core({ store: durable, clock: app.clock }).manager.open(token);
    expect({ isNew: afterCrash.isNew, endedBecause: afterCrash.endedBecause }).toEqual({
      isNew: true,
      endedBecause: 'abuse',
    });
  });
});
