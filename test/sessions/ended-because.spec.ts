import { Controller, Get, UseGuards } from '@nestjs/common';
import {
  AuthGuard,
  MemorySessionStore,
  SessionRegistry,
  SessionService,
  type EndReason,
  type SessionModuleOptions,
} from 'nestjs-tessera';
import { SealedSessions } from 'nestjs-tessera/sealed';
import { newSessionId } from '../../lib/core/session-token';
import { manualClock, type ManualClock } from '../../lib/testing/manual-clock';
import { KEY } from '../sealed/sealed';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { DAY, HOUR, MINUTE } from '../support/core';
import { scripted, type Scripted } from '../support/scripted';
import '../support/session-data';
import { visitor, type Visitor } from '../support/visitor';

@UseGuards(AuthGuard)
@Controller('members')
class MembersController {
  @Get() members() {}
}

const ada = { id: 'ada' };
const COOKIE = '__Host-session';

describe.each(platforms)('what a client is told on %s of the session that it had', (platform) => {
  let app: App;
  let session: Scripted;
  let clock: ManualClock;
  let client: Visitor;

  afterEach(closeApps);

  /** Starts an application in which one client is logged in. */
  async function start(options: SessionModuleOptions = {}): Promise<void> {
    session = scripted();
    clock = manualClock();
    app = await startApp({
      platform,
      options: { store: new MemorySessionStore({ clock }), clock, lifetime: 8 * HOUR, ...options },
      controllers: [session.controller, MembersController],
    });
    client = await visitor(app);
    await session.run(client, (s) => (s.set('visits', 1), s.login(ada)));
    clock.advance(MINUTE);
  }

  const reasonFor = (who: Visitor): Promise<{ principal: string | null; endedBecause: EndReason | null }> =>
    session.ask(who, (s) => ({ principal: s.principal?.id ?? null, endedBecause: s.endedBecause }));

  /** A client with this token and nothing else. */
  async function bearer(token: string): Promise<Visitor> {
    const who = await visitor(app);
    const site = (await app.getUrl()).replace('http:', 'https:');
    await who.jar.setCookie(`${COOKIE}=${token}; Path=/; Secure`, site);
    return who;
  }

  const anonymous = (endedBecause: EndReason | null) => ({ principal: null, endedBecause });

  async function evict(): Promise<void> {
    await session.run(await visitor(app), (s) => s.login(ada));
  }

  it('L10: is evicted, when the limit has ended it, as often as it asks', async () => {
    await start({ maxSessionsPerPrincipal: 1 });
    await evict();
    const [first, second] = [await reasonFor(client), await reasonFor(client)];
    expect({ first, second }).toEqual({ first: anonymous('evicted'), second: anonymous('evicted') });
  });

  it.each<{ by: string; end: () => Promise<unknown>; reason: EndReason }>([
    { by: 'endAll', end: () => app.get(SessionService).endAll(ada), reason: 'revoked' },
    {
      by: 'endAll with a reason',
      end: () => app.get(SessionRegistry).endAll(ada, { reason: 'password-changed' }),
      reason: 'password-changed',
    },
    { by: 'the end of one', end: async () => endOne(), reason: 'revoked' },
    { by: 'the end of one with a reason', end: async () => endOne('lost-device'), reason: 'lost-device' },
  ])('L10: is $reason after $by', async ({ end, reason }) => {
    await start();
    await end();
    expect(await reasonFor(client)).toEqual(anonymous(reason));
  });

  async function endOne(reason?: EndReason): Promise<void> {
    const registry = app.get(SessionRegistry);
    const [only] = await registry.list(ada);
    await registry.end(only!.id, { principal: ada, ...(reason !== undefined && { reason }) });
  }

  it.each<{ what: string; options: SessionModuleOptions; reason: EndReason }>([
    { what: 'its idle timeout', options: { idleTimeout: HOUR }, reason: 'idle-timeout' },
    { what: 'its lifetime', options: { idleTimeout: false, lifetime: HOUR }, reason: 'lifetime' },
  ])('L10: is $reason after $what, and unknown once it is removed', async ({ options, reason }) => {
    await start(options);
    clock.advance(HOUR);
    const [first, second] = [await reasonFor(client), await reasonFor(client)];
    expect({ first, second }).toEqual({ first: anonymous(reason), second: anonymous('unknown') });
  });

  it('L10: is stolen, when a copy of its token was used after it was replaced', async () => {
    await start({ rotateEvery: 'always' });
    const copy = await bearer((await client.token())!);
    await session.run(client, (s) => s.set('visits', 2));
    await session.run(client, (s) => s.set('visits', 3));
    clock.advance(HOUR / 4);
    const [first, second] = [await reasonFor(copy), await reasonFor(client)];
    expect({ first, second }).toEqual({ first: anonymous('stolen'), second: anonymous('stolen') });
  });

  it('L10: is in the 401 of AuthGuard, for a client that asks for a page first', async () => {
    await start({ maxSessionsPerPrincipal: 1 });
    const fresh = await visitor(app);
    await evict();
    const bodies = [];
    for (const who of [client, fresh]) bodies.push((await who.get('/members')).json());
    const refused = {
      statusCode: 401,
      error: 'Unauthorized',
      code: 'LOGIN_REQUIRED',
      message: 'Log in first',
    };
    expect(bodies).toEqual([{ ...refused, endedBecause: 'evicted' }, refused]);
  });

  it('L10: is unknown after a logout elsewhere with the same token', async () => {
    await start();
    const twin = await client.twin();
    await session.run(twin, (s) => s.logout());
    expect(await reasonFor(client)).toEqual(anonymous('unknown'));
  });

  it('L10: is nothing for a new visitor, for one with a session, and after a logout', async () => {
    await start();
    const first = await reasonFor(await visitor(app));
    const own = await reasonFor(client);
    await session.run(client, (s) => s.logout());
    expect({ first, own, after: await reasonFor(client) }).toEqual({
      first: anonymous(null),
      own: { principal: 'ada', endedBecause: null },
      after: anonymous(null),
    });
  });

  it.each([
    { what: 'logs in again', work: (id: string) => session.run(client, (s) => s.login({ id })) },
    { what: 'gets a session as a visitor', work: () => session.run(client, (s) => s.set('visits', 1)) },
  ])('L10: is nothing any more when it $what', async ({ work }) => {
    await start({ maxSessionsPerPrincipal: 1 });
    await evict();
    const before = await reasonFor(client);
    await work('ada');
    const { endedBecause } = await reasonFor(client);
    expect({ before: before.endedBecause, endedBecause }).toEqual({ before: 'evicted', endedBecause: null });
  });

  it('L10: is nothing of what it had in the session', async () => {
    await start({ maxSessionsPerPrincipal: 1 });
    await evict();
    const shown = await session.ask(client, (s) => ({ isNew: s.isNew, keys: s.keys(), id: s.id }));
    const evicted = (await client.token())!.split('.')[0];
    expect({ ...shown, id: shown.id === evicted }).toEqual({ isNew: true, keys: [], id: false });
  });

  it('L10: is unknown a day after it was evicted', async () => {
    await start({ maxSessionsPerPrincipal: 1, lifetime: 30 * DAY });
    await evict();
    clock.advance(DAY);
    await app.get(SessionRegistry).sweep();
    expect(await reasonFor(client)).toEqual(anonymous('unknown'));
  });

  it('L10, C13: is the same for a wrong or an older secret, whatever has become of the session', async () => {
    const fates: Record<string, () => Promise<unknown>> = {
      'in use': async () => {},
      evicted: evict,
      expired: async () => clock.advance(9 * HOUR),
      revoked: () => app.get(SessionRegistry).endAll(ada),
      gone: () => session.run(client, (s) => s.destroy()),
    };
    const told: Record<string, unknown> = {};
    for (const [fate, meet] of Object.entries(fates)) {
      await closeApps();
      await start({ maxSessionsPerPrincipal: 1 });
      const older = (await client.token())!;
      await session.run(client, (s) => s.login(ada));
      await session.run(client, (s) => s.renewToken());
      clock.advance(HOUR / 4);
      await meet();
      const guess = `${older.split('.')[0]}.${'A'.repeat(43)}`;
      const none = `${newSessionId()}.${'A'.repeat(43)}`;
      const [withGuess, withOlder, withNone] = await Promise.all(
        [guess, older, none].map(async (token) => reasonFor(await bearer(token))),
      );
      told[fate] = { withGuess, withOlder, withNone };
    }
    const unknown = anonymous('unknown');
    const alike = { withGuess: unknown, withOlder: unknown, withNone: unknown };
    expect(told).toEqual(Object.fromEntries(Object.keys(fates).map((fate) => [fate, alike])));
  });

  it('L10: is revoked for a sealed session that the list has ended', async () => {
    await start({ store: new SealedSessions({ keys: [KEY], revocations: new MemorySessionStore() }) });
    await app.get(SessionService).endAll(ada);
    expect(await reasonFor(client)).toEqual(anonymous('revoked'));
  });
});
