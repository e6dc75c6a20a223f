import type { LoadedSession, MemorySessionStore } from 'nestjs-tessera';
import { call } from '../../lib/testing/store-suite/store-suite';
import { DAY, MINUTE } from '../support/core';
import { sealedCore, type Sealed } from './sealed';

/** Within a second is the promise; the rest is for a busy machine. */
const PATIENCE = 2_000;

/** Watches the login of a value. */
async function watch(
  { manager }: Sealed,
  value: string,
): Promise<{ ended(): Promise<string>; isOver(): boolean }> {
  const session = await manager.open(value);
  let how: string | undefined;
  const ending = new Promise<string>((resolve) => {
    manager.watchEnd(session, (end) => resolve((how = end)));
  });
  const ended = (): Promise<string> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>(
      (resolve) => (timer = setTimeout(() => resolve('not at all'), PATIENCE)),
    );
    return Promise.race([ending, late]).finally(() => clearTimeout(timer));
  };
  return { ended, isOver: () => how !== undefined };
}

describe('the end of a watched sealed session', () => {
  let here: Sealed;
  let there: Sealed;
  let value: string;

  beforeEach(async () => {
    here = sealedCore();
    there = here.twin();
    value = await here.issued(null, (session) => session.login({ id: 'ada' }));
  });
  afterEach(() => here.manager.close());

  it.each([
    ['a logout', (session: LoadedSession) => session.logout(), 'ended'],
    [
      'a logout that keeps the data',
      (session: LoadedSession) => session.logout({ keepData: true }),
      'other-login',
    ],
    ['a login as another principal', (session: LoadedSession) => session.login({ id: 'bob' }), 'ended'],
    [
      'another login of the principal',
      (session: LoadedSession) => session.login({ id: 'ada' }),
      'other-login',
    ],
    ['acting as another principal', (session: LoadedSession) => session.actAs({ id: 'bob' }), 'other-login'],
  ])('S2: is found in the list of revocations: %s', async (_, change, how) => {
    const watched = await watch(here, value);
    here.clock.advance(1);
    await there.request(value, change);
    expect(await watched.ended()).toBe(how);
  });

  it('S2: is found in the list of revocations: the end of all sessions of the principal', async () => {
    const watched = await watch(here, value);
    await there.manager.endAll({ id: 'ada' });
    expect(await watched.ended()).toBe('ended');
  });

  it('S2: comes with its deadline', async () => {
    const watched = await watch(here, value);
    here.clock.advance(DAY);
    expect(await watched.ended()).toBe('expired');
  });

  it('S2: comes with a nearer deadline that another request sets', async () => {
    const watched = await watch(here, value);
    await there.request(value, (session) => (session.deadline = here.clock() + MINUTE));
    here.clock.advance(MINUTE);
    expect(await watched.ended()).toBe('expired');
  });

  it('S2: does not come when all others of the principal are ended, but when it is ended, too', async () => {
    const watched = await watch(here, value);
    const session = await there.manager.open(value);
    await there.manager.endAll({ id: 'ada' }, { except: session });
    const other = await watch(here, await here.issued(null, (visitor) => visitor.login({ id: 'eve' })));
    await there.manager.endAll({ id: 'eve' });
    await other.ended();
    const isOverBefore = watched.isOver();
    await there.manager.endAll({ id: 'ada' });
    expect({ isOverBefore, end: await watched.ended() }).toEqual({ isOverBefore: false, end: 'ended' });
  });

  it('S2: does not come when elevate completes a pending login', async () => {
    const pending = await here.issued(null, (session) => session.login({ id: 'ada' }, { pending: true }));
    const [watched, other] = [await watch(here, pending), await watch(here, value)];
    here.clock.advance(1);
    await there.request(pending, (session) => session.elevate({ amr: ['otp'] }));
    await there.request(value, (session) => session.logout());
    await other.ended();
    expect({ isOver: watched.isOver() }).toEqual({ isOver: false });
  });

  it('S2: comes while the revocation of another principal cannot be read', async () => {
    const watched = await watch(here, value);
    await there.manager.endAll({ id: 'eve' });
    const eve = await watch(here, await there.issued(null, (session) => session.login({ id: 'eve' })));
    const { inner } = here.list as unknown as { inner: MemorySessionStore };
    for await (const entry of inner.records(call))
      await inner.update({ ...entry, version: entry.version + 1, body: 'damaged' }, entry.version);
    await there.request(value, (session) => session.logout());
    expect({ end: await watched.ended(), isOtherOver: eve.isOver() }).toEqual({
      end: 'ended',
      isOtherOver: false,
    });
  });

  it('is no renewal, no other data, and no idle time, which only the client knows', async () => {
    const watched = await watch(here, value);
    await there.request(value, (session) => session.renewToken());
    here.clock.advance(40 * MINUTE);
    const other = await here.issued(null, (session) => session.login({ id: 'eve' }));
    const control = await watch(here, other);
    await there.request(other, (session) => session.logout());
    await control.ended();
    expect({ isOver: watched.isOver() }).toEqual({ isOver: false });
  });
});
