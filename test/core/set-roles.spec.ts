import { MemorySessionStore } from 'nestjs-tessera';
import { TieredSessionStore } from 'nestjs-tessera/tiered';
import { core } from '../support/core';
import '../support/session-data';

describe('setRoles', () => {
  it('L3: has the roles in the durable tier when it is acknowledged, although changes are written behind', async () => {
    const [fast, durable] = [new MemorySessionStore(), new MemorySessionStore()];
    const tiers = new TieredSessionStore({ fast, durable, writeBehind: true, flushEvery: 10_000 });
    const app = core({ store: tiers });
    const token = await app.issued(null, (session) => session.login({ id: 'ada', roles: ['admin'] }));
    await app.request(token, (session) => session.set('theme', 'dark'));
    expect(await app.manager.directory.setRoles('default:ada', ['member'])).toBe(1);
    const afterCrash = await core({ store: durable, clock: app.clock }).manager.open(token);
    expect(afterCrash.principal?.roles).toEqual(['member']);
  });

  it('L3: changes a session, too, that logs in while the others are changed', async () => {
    const app = core();
    const login = () => app.issued(null, (session) => session.login({ id: 'ada', roles: ['admin'] }));
    await login();
    const late: string[] = [];
    app.store.before = async (operation) => {
      if (operation !== 'update') return;
      app.store.before = () => {};
      late.push(await login());
    };
    expect(await app.manager.directory.setRoles('default:ada', [])).toBe(2);
    expect((await app.manager.open(late[0]!)).principal?.roles).toEqual([]);
  });

  it('L3, D4: leaves no session of a newer release the former roles', async () => {
    const app = core();
    const token = await app.issued(null, (session) => session.login({ id: 'ada', roles: ['admin'] }));
    const [record] = await app.manager.directory.list('default:ada', null);
    const { inner } = app.store;
    const call = { signal: new AbortController().signal };
    const found = (await inner.find(record!.id, call))!;
    await inner.update({ ...found, version: 2, body: '3\nsomething better' }, 1, call);
    expect(await app.manager.directory.setRoles('default:ada', [])).toBe(0);
    expect((await app.manager.open(token)).endedBecause).toBe('revoked');
  });
});
