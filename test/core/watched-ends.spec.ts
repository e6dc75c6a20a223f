import { MemorySessionStore, type LoginOptions, type Session } from 'nestjs-tessera';
import { MINUTE, core, type Core } from '../support/core';
import '../support/session-data';

/** Logs Ada in, and watches her session as its next request finds it. */
async function watched(
  under: Core,
  options?: LoginOptions,
): Promise<{ token: string; ended: Promise<string> }> {
  const { manager } = under;
  const session = await manager.open(null);
  session.login({ id: 'ada', roles: ['support'] }, options);
  const outcome = await manager.commit(session);
  const token = outcome.kind === 'issue' ? outcome.token : '';
  const found = await manager.open(token);
  const ended = new Promise<string>((resolve) => void manager.watchEnd(found, resolve));
  return { token, ended };
}

it('S2: the watch of a login that its idle timeout locks ends then', async () => {
  const under = core({ idleTimeout: 30 * MINUTE, logins: { locksWhenIdle: true } });
  const { token, ended } = await watched(under);
  under.clock.advance(20 * MINUTE);
  // A use writes it, so that it goes on.
  await under.manager.commit(await under.manager.open(token));
  under.clock.advance(20 * MINUTE);
  const stillOpen = (await under.manager.open(token)).principal?.id;
  under.clock.advance(10 * MINUTE);
  expect({ stillOpen, end: await ended }).toEqual({ stillOpen: 'ada', end: 'expired' });
  under.manager.close();
});

it('S2 L13: the watch of a login ends when its principal begins to act as another', async () => {
  const under = core();
  const { token, ended } = await watched(under);
  const session = await under.manager.open(token);
  session.actAs({ id: 'bert' });
  await under.manager.commit(session);
  expect(await ended).toBe('other-login');
  under.manager.close();
});

it('S2: the watch of a pending login goes on when elevate completes it', async () => {
  const under = core();
  const { token, ended } = await watched(under, { pending: true });
  under.clock.advance(1);
  const complete = await under.issued(token, (session) => session.elevate({ amr: ['otp'] }));
  // The watched login is read after the hint.
  await new Promise(setImmediate);
  await under.request(complete, (session) => session.logout());
  expect(await ended).toBe('ended');
  under.manager.close();
});

it.each([
  ['a nearer deadline', (session: Session, now: number) => (session.deadline = now + MINUTE)],
  ['a shorter idle timeout', (session: Session) => (session.idleTimeout = MINUTE)],
])('S2: the watch of a login ends with %s that another request sets', async (_, shorten) => {
  const under = core();
  const { token, ended } = await watched(under);
  // The watched login is read for the first time.
  await new Promise(setImmediate);
  await under.request(token, (session) => void shorten(session, under.clock()));
  under.clock.advance(2 * MINUTE);
  expect(await ended).toBe('expired');
  under.manager.close();
});

it('S2: the watch of a visitor’s session ends at once when the session is ended from outside', async () => {
  const under = core();
  const { manager } = under;
  const session = await manager.open(null);
  session.set('visits', 1);
  const outcome = await manager.commit(session);
  const found = await manager.open(outcome.kind === 'issue' ? outcome.token : '');
  const began = performance.now();
  const ended = new Promise<string>((resolve) => void manager.watchEnd(found, resolve));
  await manager.directory.end(found.id, undefined, 'revoked');
  expect({ end: await ended, isSoon: performance.now() - began < 10_000 }).toEqual({
    end: 'ended',
    isSoon: true,
  });
  manager.close();
});

/** As stores on files, and bridges: it cannot tell of ends. */
class SilentStore extends MemorySessionStore {
  override readonly watchEnds = undefined as never;
}

it.each([
  ['that tells of ends', () => new MemorySessionStore()],
  ['that does not', () => new SilentStore()],
])('S2: the watch of a login ends while another cannot be read in a store %s', async (_, create) => {
  const under = core({ store: create() });
  const broken = await watched(under);
  under.store.before = (operation, id) => {
    if (operation === 'find' && broken.token.startsWith(id)) throw new Error('this file is damaged');
  };
  const { token, ended } = await watched(under);
  await under.request(token, (session) => session.logout());
  expect(await ended).toBe('ended');
  under.manager.close();
});
