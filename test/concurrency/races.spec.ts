import { platforms } from '../support/app';
import { describeFewStores, describeStores } from '../support/stores';
import { door } from '../support/watched-store';
import { startRace, type Race } from './race';
import { does, looks, type Found } from './race.controller';

describe.each(platforms)('requests that race on %s', (platform) => {
  const describeKinds = platform === 'express' ? describeStores : describeFewStores;

  describeKinds('with sessions in', (kind) => {
    let race: Race;

    beforeEach(async () => (race = await startRace(platform, kind)));
    afterEach(() => race.end());

    it('R1: two requests that set different keys at once both win', async () => {
      const ada = await race.visitor();
      await does(ada, 'visit');
      const slow = does(ada, 'open', 'wait door', 'theme dark');
      await race.doors.reached('door');
      await does(ada, 'add tea');
      race.doors.open('door');
      await slow;
      expect((await looks(ada)).data).toEqual({ visits: 1, cart: ['tea'], theme: 'dark' });
    });

    it('R2: 100 parallel updates count to exactly 100', async () => {
      const ada = await race.visitor();
      await does(ada, 'theme dark');
      const answers = await Promise.all(Array.from({ length: 100 }, () => does(ada, 'visit')));
      expect(answers.filter(({ status }) => status !== 201)).toEqual([]);
      expect((await looks(ada)).data['visits']).toBe(100);
    });

    it('R2: the function of an update runs once, and once more for each request that was faster', async () => {
      const ada = await race.visitor();
      expect((await does(ada, 'visit')).json<Found>().runs).toBe(1);
      const slow = does(ada, 'visit', 'wait door', 'commit');
      await race.doors.reached('door');
      await does(ada, 'visit');
      race.doors.open('door');
      expect((await slow).json<Found>()).toMatchObject({ runs: 2, data: { visits: 3 } });
    });

    it('R3: a slow writer that overlaps a logout writes nothing, and brings no live cookie back', async () => {
      const ada = await race.visitor();
      await does(ada, 'login ada');
      const stolen = await ada.twin();
      const slow = does(await ada.twin(), 'open', 'wait door', 'theme dark');
      await race.doors.reached('door');
      const { id } = (await does(ada, 'logout')).json<Found>();
      race.doors.open('door');
      expect((await slow).cookies).toEqual([]);
      expect(await looks(stolen)).toMatchObject({ principal: null, data: {} });
      expect(await race.store.find(id as never, { signal: new AbortController().signal })).toBeNull();
    });

    it('R4: a slow reader that overlaps a logout gets no live cookie either', async () => {
      const ada = await race.visitor();
      await does(ada, 'login ada');
      const stolen = await ada.twin();
      const slow = does(await ada.twin(), 'open', 'wait door');
      await race.doors.reached('door');
      race.clock.advance('10m');
      await does(ada, 'logout');
      race.doors.open('door');
      expect((await slow).cookies).toEqual([]);
      expect((await looks(stolen)).principal).toBeNull();
    });

    it('T5, W42: a late answer does not clear the cookie of the login that came after', async () => {
      const browser = await race.visitor();
      await does(browser, 'login ada');
      const slow = does(browser, 'wait door', 'open');
      await race.doors.reached('door');
      await does(browser, 'logout');
      await does(browser, 'login bob');
      race.doors.open('door');
      expect((await slow).cookies).toEqual([]);
      expect((await looks(browser)).principal).toBe('bob');
    });

    it('R5: a request that began before a login changes nothing in the logged-in session', async () => {
      const ada = await race.visitor();
      await does(ada, 'add tea');
      const before = await ada.twin();
      const slow = does(before, 'open', 'wait door', 'add poison');
      await race.doors.reached('door');
      await does(ada, 'login ada');
      race.doors.open('door');
      expect((await slow).cookies).toEqual([]);
      expect(await looks(ada)).toMatchObject({ principal: 'ada', data: { cart: ['tea'] } });
      expect(await looks(before)).toMatchObject({ principal: null, data: {} });
    });

    it('R5: a request that comes late with the token of before a login does not put its own cookie in its place', async () => {
      const ada = await race.visitor();
      await does(ada, 'add tea');
      const slow = does(ada, 'wait door', 'visit');
      await race.doors.reached('door');
      await does(ada, 'login ada');
      race.doors.open('door');
      expect((await slow).cookies).toEqual([]);
      expect(await looks(ada)).toMatchObject({ principal: 'ada', data: { cart: ['tea'] } });
    });

    it('R6: a slow reader extends the session without erasing what was written meanwhile', async () => {
      const ada = await race.visitor();
      await does(ada, 'visit');
      const slow = does(ada, 'open', 'wait door');
      await race.doors.reached('door');
      race.clock.advance('10m');
      await does(ada, 'add tea');
      race.doors.open('door');
      await slow;
      expect((await looks(ada)).data).toEqual({ visits: 1, cart: ['tea'] });
    });

    it('R6: a late extension does not undo an idle timeout that was shortened meanwhile', async () => {
      const ada = await race.visitor();
      await does(ada, 'login ada');
      const slow = does(ada, 'open', 'wait door');
      await race.doors.reached('door');
      race.clock.advance('10m');
      await does(ada, 'idle 60000');
      race.doors.open('door');
      await slow;
      race.clock.advance('1m');
      expect((await looks(ada)).principal).toBeNull();
    });

    it('R7: destroying twice at once, or what is gone, changes nothing else', async () => {
      const ada = await race.visitor();
      await does(ada, 'login ada');
      const stolen = await ada.twin();
      const slow = does(await ada.twin(), 'open', 'wait door', 'destroy');
      await race.doors.reached('door');
      await does(ada, 'destroy');
      await does(ada, 'login ada', 'add tea');
      race.doors.open('door');
      expect((await slow).status).toBe(201);
      expect(await looks(ada)).toMatchObject({ principal: 'ada', data: { cart: ['tea'] } });
      expect((await looks(stolen)).principal).toBeNull();
    });

    it('R8: of two renewals at once one secret lives, and the loser is not logged out', async () => {
      const ada = await race.visitor();
      await does(ada, 'login ada');
      const old = await ada.twin();
      const slow = does(ada, 'renew', 'wait door');
      await race.doors.reached('door');
      expect((await does(ada, 'renew')).cookies).toHaveLength(1);
      race.doors.open('door');
      expect((await slow).cookies).toEqual([]);
      expect((await looks(ada)).principal).toBe('ada');
      expect((await looks(old)).principal).toBeNull();
    });

    it('R11: a record deleted between find and update leaves nothing behind', async () => {
      const ada = await race.visitor();
      const { id } = (await does(ada, 'login ada')).json<Found>();
      const call = { signal: new AbortController().signal };
      race.store.before = async (operation) => {
        if (operation === 'update') await race.store.inner.delete(id as never, call);
      };
      expect((await does(ada, 'add tea')).cookies).toEqual([]);
      race.store.before = () => {};
      expect(await race.store.inner.find(id as never, call)).toBeNull();
      expect(await looks(ada)).toMatchObject({ principal: null, data: {} });
    });

    it('R5: a double-clicked login logs both in, and keeps the cart for each', async () => {
      const ada = await race.visitor();
      await does(ada, 'add tea');
      const [first, second] = [await ada.twin(), await ada.twin()];
      const slow = does(second, 'login ada', 'add milk', 'wait door');
      await race.doors.reached('door');
      await does(first, 'login ada');
      race.doors.open('door');
      await slow;
      expect(await looks(first)).toMatchObject({ principal: 'ada', data: { cart: ['tea'] } });
      expect(await looks(second)).toMatchObject({ principal: 'ada', data: { cart: ['tea', 'milk'] } });
      expect((await looks(ada)).principal).toBeNull();
    });

    it('R5: two logins of two people from one session never show one the other', async () => {
      const visitor = await race.visitor();
      await does(visitor, 'add tea');
      const [ada, bob] = [await visitor.twin(), await visitor.twin()];
      const slow = does(bob, 'login bob', 'wait door');
      await race.doors.reached('door');
      await does(ada, 'login ada', 'add secret');
      race.doors.open('door');
      await slow;
      expect(await looks(ada)).toMatchObject({ principal: 'ada', data: { cart: ['tea', 'secret'] } });
      expect(await looks(bob)).toMatchObject({ principal: 'bob', data: { cart: ['tea'] } });
    });

    it('R5: a slow request of one person leaves no trace in the session of the next', async () => {
      const browser = await race.visitor();
      await does(browser, 'login ada', 'add tea');
      const slow = does(browser, 'open', 'wait door', 'add secret');
      await race.doors.reached('door');
      await does(browser, 'login bob');
      race.doors.open('door');
      expect((await slow).cookies).toEqual([]);
      expect(await looks(browser)).toMatchObject({ principal: 'bob', data: {} });
    });

    it.each(['logout', 'destroy'])('R7: %s wins over a renewal that came first', async (end) => {
      const ada = await race.visitor();
      await does(ada, 'login ada');
      const slow = does(await ada.twin(), 'open', 'wait door', end);
      await race.doors.reached('door');
      await does(ada, 'renew');
      race.doors.open('door');
      await slow;
      expect((await looks(ada)).principal).toBeNull();
    });

    it.each(['logout', 'destroy'])('R7: %s wins over a renewal that comes after', async (end) => {
      const ada = await race.visitor();
      await does(ada, 'login ada');
      const other = await ada.twin();
      const slow = does(other, 'renew', 'wait door');
      await race.doors.reached('door');
      await does(ada, end);
      race.doors.open('door');
      expect((await slow).cookies).toEqual([]);
      expect((await looks(other)).principal).toBeNull();
    });

    it('R7: of two logouts at once both are told to forget', async () => {
      const ada = await race.visitor();
      await does(ada, 'login ada');
      const slow = does(await ada.twin(), 'open', 'wait door', 'logout');
      await race.doors.reached('door');
      const fast = await does(ada, 'logout');
      race.doors.open('door');
      const forgets = { status: 201, cookies: [expect.stringContaining('Max-Age=0')] };
      expect({ fast, slow: await slow }).toMatchObject({ fast: forgets, slow: forgets });
    });

    it.each(['elevate admin', 'renew', 'rotate'])(
      'R13: a write under way is kept when the token is replaced meanwhile: %s',
      async (replace) => {
        const ada = await race.visitor();
        await does(ada, 'login ada', 'add tea');
        const slow = does(ada, 'open', 'wait door', 'add milk');
        await race.doors.reached('door');
        await does(ada, replace);
        race.doors.open('door');
        expect((await slow).cookies).toEqual([]);
        expect(await looks(ada)).toMatchObject({ principal: 'ada', data: { cart: ['tea', 'milk'] } });
      },
    );

    it.each(['elevate admin', 'renew', 'rotate', 'login ada'])(
      'R12: a logout with the token of just before ends the session: %s',
      async (replace) => {
        const ada = await race.visitor();
        await does(ada, 'login ada');
        const other = await ada.twin();
        await does(ada, replace);
        expect((await does(other, 'logout')).cookies).toEqual([expect.stringContaining('Max-Age=0')]);
        expect((await looks(ada)).principal).toBeNull();
      },
    );

    it('R1: a merge takes along what somebody writes to the other session meanwhile, and ends it', async () => {
      const [ada, phone] = [await race.visitor(), await race.visitor()];
      const { id } = (await does(ada, 'login ada')).json<Found>();
      await does(phone, 'add tea');
      const [reached, way] = [door(), door()];
      race.store.before = async (operation, session) => {
        if (operation !== 'update' || session !== id) return;
        reached.open();
        await way.opened;
      };
      const merging = does(ada, `merge ${await phone.token()}`);
      await reached.opened;
      await does(phone, 'add milk');
      way.open();
      await merging;
      expect((await looks(ada)).data).toEqual({ cart: ['tea', 'milk'] });
      expect((await looks(phone)).data).toEqual({});
    });

    it('R5: a merge leaves a session alone that somebody logs into meanwhile', async () => {
      const [ada, bob] = [await race.visitor(), await race.visitor()];
      const { id } = (await does(ada, 'login ada')).json<Found>();
      await does(bob, 'add tea');
      const [reached, way] = [door(), door()];
      race.store.before = async (operation, session) => {
        if (operation !== 'update' || session !== id) return;
        reached.open();
        await way.opened;
      };
      const merging = does(ada, `merge ${await bob.token()}`);
      await reached.opened;
      await does(bob, 'login bob');
      way.open();
      await merging;
      expect(await looks(bob)).toMatchObject({ principal: 'bob', data: { cart: ['tea'] } });
    });

    it('R6: readers of messages in parallel lose none, and none is shown once it has been read', async () => {
      const ada = await race.visitor();
      await does(ada, 'flash one');
      const slow = does(ada, 'messages', 'wait door');
      await race.doors.reached('door');
      expect((await does(ada, 'messages', 'flash two')).json<Found>().messages).toEqual(['one']);
      race.doors.open('door');
      await slow;
      expect((await does(ada, 'messages')).json<Found>().messages).toEqual(['two']);
      expect((await does(ada, 'messages')).json<Found>().messages).toEqual([]);
    });

    it('R1: what is recorded after a commit, or while one is under way, is saved too', async () => {
      const ada = await race.visitor();
      await does(ada, 'visit', 'commit', 'visit', 'commit-unawaited', 'visit', 'add tea');
      expect((await looks(ada)).data).toEqual({ visits: 3, cart: ['tea'] });
    });

    it.each(['a first write', 'a later write'])(
      'R3: a logout while the request commits %s ends that session too',
      async (write) => {
        const ada = await race.visitor();
        if (write === 'a later write') await does(ada, 'visit');
        const before = await ada.twin();
        const [reached, way] = [door(), door()];
        let id = '';
        race.store.before = async (operation, session) => {
          if (operation !== 'insert' && operation !== 'update') return;
          id ||= session;
          reached.open();
          await way.opened;
        };
        const slow = does(
          ada,
          'login ada',
          'commit-unawaited',
          'wait door',
          'logout',
          'flash bye',
          'wait end',
        );
        await race.doors.reached('door');
        await reached.opened;
        race.doors.open('door');
        await race.doors.reached('end');
        way.open();
        race.doors.open('end');
        await slow;
        expect(await race.store.inner.find(id as never, { signal: new AbortController().signal })).toBeNull();
        expect((await does(ada, 'messages')).json<Found>()).toMatchObject({
          principal: null,
          messages: ['bye'],
        });
        expect((await looks(before)).principal).toBeNull();
      },
    );
  });
});
