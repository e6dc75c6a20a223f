import { MINUTE, core } from '../support/core';
import { describeStores, type StoreUnderTest } from '../support/stores';

/** Two requests of one page renew the token. The later one finds it done; that the client was there must count all the same. */
describeStores('a renewal that another request has made, on', ({ create }) => {
  let rest: StoreUnderTest;

  beforeEach(async () => {
    rest = await create();
  });
  afterEach(() => rest.close());

  it.each([
    ['ends', false],
    ['locks', true],
  ])('R10: is a use of a session that an idle timeout %s', async (_, locksWhenIdle) => {
    const { manager, clock, issued } = core({
      store: rest.store,
      idleTimeout: 30 * MINUTE,
      logins: { locksWhenIdle },
    });
    const token = await issued(null, (session) => session.login({ id: 'ada' }));
    const late = await manager.open(token);
    const renewed = await issued(token, (session) => session.renewToken());
    clock.advance(20 * MINUTE);
    late.renewToken();
    expect(await manager.commit(late)).toEqual({ kind: 'keep' });
    clock.advance(29 * MINUTE);
    expect((await manager.open(renewed)).principal).toMatchObject({ id: 'ada' });
  });
});
