import type { Session } from 'nestjs-tessera';
import { MemorySessionStore, type SessionId } from 'nestjs-tessera';
import { core, MINUTE, type Core } from '../support/core';
import '../support/session-data';
import { door } from '../support/watched-store';

const ada = { id: 'ada', roles: ['member'] };
const call = { signal: new AbortController().signal };
const secondFactor = (session: Session): void => session.elevate({ roles: ['admin'] });
const rotate = (session: Session): void => session.rotateToken();
const renew = (session: Session): void => session.renewToken();

describe('the secrets of a session', () => {
  let app: Core;
  let token: string;

  beforeEach(async () => {
    app = core();
    token = await app.issued(null, (session) => {
      session.login(ada);
      session.set('visits', 1);
    });
    app.told();
  });

  const open = (value: string) => app.manager.open(value);
  const idOf = (value: string) => value.split('.')[0] as SessionId;

  it.each([
    ['elevated, then renewed', [secondFactor, renew]],
    ['renewed, then elevated', [renew, secondFactor]],
    ['rotated, then elevated', [rotate, secondFactor]],
  ])('L1: give a request under way none of the rights that came after it: %s', async (_what, works) => {
    const slow = await open(token);
    let next = token;
    for (const work of works) next = await app.issued(next, work);
    slow.set('visits', 2);
    await app.manager.commit(slow);
    expect({ roles: slow.principal?.roles, visits: (await open(next)).get('visits') }).toEqual({
      roles: ['member'],
      visits: 2,
    });
  });

  describe('after two rotations and an elevation', () => {
    let elevated: string;

    const age = async (): Promise<void> => {
      const second = await app.issued(token, rotate);
      await app.request(second);
      app.clock.advance('11s');
      elevated = await app.issued(await app.issued(second, rotate), secondFactor);
      app.told();
    };

    it('R13: keep the write of a request under way', async () => {
      const slow = await open(token);
      await age();
      slow.set('visits', 2);
      await app.manager.commit(slow);
      expect((await open(elevated)).get('visits')).toBe(2);
    });

    it('R16: show a copy of the first', async () => {
      await age();
      await app.request(token, (session) => session.set('theme', 'dark'));
      expect({ told: app.told(), isNew: (await open(elevated)).isNew }).toEqual({
        told: ['stolen', 'created'],
        isNew: true,
      });
    });
  });

  it('R16: take the token of a request under way for no copy, however often it was replaced since', async () => {
    let next = await app.issued(token, rotate);
    for (let n = 0; n < 6; n++) next = await app.issued(next, renew);
    app.told();
    await app.request(token, (session) => session.set('theme', 'dark'));
    expect({ told: app.told(), isNew: (await open(next)).isNew }).toEqual({
      told: ['rejected'],
      isNew: false,
    });
    app.clock.advance(MINUTE);
    await open(token);
    expect({ 'a minute later': app.told() }).toEqual({ 'a minute later': ['stolen'] });
  });

  it('R16: take an answer that arrives late, after its request was given another token, for no copy', async () => {
    const late = await app.issued(token, rotate);
    app.clock.advance(MINUTE + 1);
    await app.issued(token, (session) => session.set('visits', 3));
    expect((await open(late)).principal?.id).toBe('ada');
  });

  it('R16: are not rotated by a request whose own was rotated while its commit waited', async () => {
    const [answered, way] = [door(), door()];
    app.store.after = async (operation) => {
      if (operation !== 'update') return;
      app.store.after = () => {};
      answered.open();
      await way.opened;
    };
    const rotating = app.issued(token, rotate);
    await answered.opened;
    const late = await open(token);
    late.set('theme', 'dark');
    const committing = app.manager.commit(late);
    late.rotateToken();
    way.open();
    const next = await rotating;
    await committing;
    expect((await open(next)).principal?.id).toBe('ada');
  });

  it('R16: are rotated once by a request that commits twice', async () => {
    app = core({ rotateEvery: 0 });
    const session = await open(await app.issued(null, (visitor) => visitor.login(ada)));
    const first = await app.manager.commit(session);
    expect({ first: first.kind, second: (await app.manager.commit(session)).kind }).toEqual({
      first: 'issue',
      second: 'keep',
    });
  });

  it('T8: are no copies to another instance over the same store', async () => {
    const store = new MemorySessionStore();
    const [here, there] = [core({ store, name: 'here' }), core({ store, name: 'there' })];
    const first = await here.issued(null, (session) => session.login(ada));
    const rotated = await here.issued(first, rotate);
    await there.manager.open(rotated);
    expect((await here.manager.open(rotated)).principal?.id).toBe('ada');
  });

  it.each([
    ['login', (session: Session) => session.login(ada)],
    ['elevate', (session: Session) => session.elevate()],
    ['renewToken', renew],
    ['rotateToken', rotate],
  ])('stay few, however often they are replaced at once: %s', async (_how, work) => {
    let last = token;
    for (let n = 0; n < 500; n++) {
      const outcome = await app.request(last, work);
      if (outcome.kind === 'issue') last = outcome.token;
      app.clock.advance(50);
    }
    expect((await app.store.inner.find(idOf(token), call))!.body.length).toBeLessThan(6000);
  });

  it.each([
    { renewals: 4, visits: 2 },
    { renewals: 5, visits: 1 },
  ])(
    'R13: keep a write under way during $renewals renewals: visits is $visits',
    async ({ renewals, visits }) => {
      const slow = await open(token);
      let next = token;
      for (let n = 0; n < renewals; n++) next = await app.issued(next, renew);
      slow.set('visits', 2);
      await app.manager.commit(slow);
      expect((await open(next)).get('visits')).toBe(visits);
    },
  );

  it('bring nothing into another session once they are replaced, even while they are usable', async () => {
    const next = await app.issued(token, rotate);
    const merged = await app.issued(null, (session) => {
      session.set('theme', 'dark');
      session.merge(token);
    });
    expect({
      merged: (await open(merged)).keys(),
      other: (await open(next)).get('visits'),
    }).toEqual({ merged: ['theme'], other: 1 });
  });

  it('L1: open no session that a login makes of this one', async () => {
    const visitor = await app.issued(null, (session) => session.set('visits', 1));
    const next = await app.issued(visitor, rotate);
    const [first, second] = [await open(next), await open(next)];
    first.login({ id: 'bob' });
    await app.manager.commit(first);
    second.login(ada);
    await app.manager.commit(second);
    const forged = await open(`${second.id}.${visitor.split('.')[1]}`);
    expect({ kept: second.get('visits'), forged: forged.principal }).toEqual({ kept: 1, forged: null });
  });

  it('are forgotten by the first write after no request can have them any more', async () => {
    const next = await app.issued(token, renew);
    const known = async (): Promise<number> => {
      const { body } = (await app.store.inner.find(idOf(token), call))!;
      const [, , ...former] = ((JSON.parse(body.split('\n')[1]!) as unknown[])[8] ?? []) as unknown[];
      return former.length;
    };
    const before = await known();
    app.clock.advance(5 * MINUTE);
    await app.request(next, (session) => session.set('visits', 2));
    expect({ before, after: await known() }).toEqual({ before: 1, after: 0 });
  });

  it.each<[string, (history: unknown[]) => unknown[]]>([
    [
      'a replacement that is none',
      ([at, family, former]) => [at, family, ['h'.repeat(22), 'melted', at, former]],
    ],
    ['no family', () => []],
    ['an instant that is a text', ([at, family]) => [at, family, ['h'.repeat(22), 'rotate', at, 'soon']]],
    [
      'rights from an instant that is a text',
      ([at, family]) => [at, family, ['h', 'elevate', at, null, [null, 'soon']]],
    ],
  ])('D4: make the body corrupt when they hold %s', async (_what, spoil) => {
    await app.issued(token, rotate);
    const record = (await app.store.inner.find(idOf(token), call))!;
    const [format, facts, ...rest] = record.body.split('\n');
    const spoilt = JSON.parse(facts!) as unknown[];
    spoilt[8] = spoil(spoilt[8] as unknown[]);
    const body = [format, JSON.stringify(spoilt), ...rest].join('\n');
    await app.store.inner.update({ ...record, version: record.version + 1, body }, record.version, call);
    app.events.length = 0;
    expect((await open(token)).isNew).toBe(true);
    expect(app.events).toEqual([{ type: 'rejected', id: idOf(token), reason: 'corrupt' }]);
  });
});
