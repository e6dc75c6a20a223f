import { core, type Core } from '../support/core';
import { describeStores, type StoreUnderTest } from '../support/stores';

/** A background request may renew the token just as somebody logs out: an answer that says "logged out" has to be true. */
describeStores('a logout that overlaps a renewal on', ({ create }) => {
  let rest: StoreUnderTest;
  let world: Core;

  beforeEach(async () => {
    rest = await create();
    world = core({ store: rest.store });
  });
  afterEach(() => rest.close());

  it.each([true, false])('R3: logs out all the same, with keepData: %s', async (keepData) => {
    const token = await world.issued(null, (session) => session.login({ id: 'ada' }));
    const leaving = await world.manager.open(token);
    const renewed = await world.issued(token, (session) => session.renewToken());
    leaving.logout({ keepData });
    expect(await world.manager.commit(leaving)).toEqual({ kind: 'forget' });
    const principalOf = async (each: string) => (await world.manager.open(each)).principal;
    expect({ old: await principalOf(token), renewed: await principalOf(renewed) }).toEqual({
      old: null,
      renewed: null,
    });
    expect(world.told()).toEqual(expect.arrayContaining(['loggedOut', 'destroyed']));
  });

  it('R3: ends the login it left also when somebody else logs in at once', async () => {
    const token = await world.issued(null, (session) => session.login({ id: 'ada' }));
    const leaving = await world.manager.open(token);
    const renewed = await world.issued(token, (session) => session.renewToken());
    leaving.logout({ keepData: true });
    leaving.login({ id: 'bob' });
    const decision = await world.manager.commit(leaving);
    if (decision.kind !== 'issue') throw new Error(decision.kind);
    expect((await world.manager.open(decision.token)).principal).toMatchObject({ id: 'bob' });
    expect((await world.manager.open(renewed)).principal).toBeNull();
  });

  it('R5: leaves alone whoever has logged in since', async () => {
    const token = await world.issued(null, (session) => session.login({ id: 'ada' }));
    const leaving = await world.manager.open(token);
    const visitor = await world.issued(token, (session) => session.logout({ keepData: true }));
    const bob = await world.issued(visitor, (session) => session.login({ id: 'bob' }));
    leaving.logout({ keepData: true });
    expect(await world.manager.commit(leaving)).toEqual({ kind: 'keep' });
    expect((await world.manager.open(bob)).principal).toMatchObject({ id: 'bob' });
  });
});
