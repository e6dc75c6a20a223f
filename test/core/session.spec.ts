import { runInThisContext } from 'node:vm';
import { inspect } from 'node:util';
import { core, DAY, HOUR, MINUTE, type Core } from '../support/core';
import '../support/session-data';
import { draftOf, type Session } from '../../lib/core/session';
import { plainJson } from '../../lib/core/session-codec';
import { SessionError, SessionValueError } from '../../lib/core/session.errors';

const ada = { id: 7, roles: ['member'] };
const codeOf = (act: () => unknown): string | undefined => {
  try {
    act();
    return undefined;
  } catch (error) {
    return (error as SessionError).code;
  }
};
const timesOf = ({ remembered, deadline, idleTimeout }: Session) => ({ remembered, deadline, idleTimeout });

describe('a session', () => {
  let app: Core;
  let session: Session;
  beforeEach(async () => {
    app = core();
    session = await app.manager.open(null);
  });

  /** What the next request finds. */
  const reopened = async (token: string): Promise<Session> => app.manager.open(token);

  it('starts empty and unchanged', () => {
    expect(session.isNew).toBe(true);
    expect(session.status).toBe('unchanged');
    expect(session.keys()).toEqual([]);
    expect(session.principal).toBeNull();
    expect(session.remembered).toBe(false);
    expect(session.authenticatedAt).toBeNull();
    expect(session.createdAt).toBe(app.clock());
    expect(session.deadline).toBe(app.clock() + DAY);
    expect(session.idleTimeout).toBe(30 * MINUTE);
    expect(session.expiresAt).toBe(app.clock() + 30 * MINUTE);
    expect(session.id).toMatch(/^[\w-]{22}$/);
    expect(session.id).toBe(session.id);
  });

  it('is not mistaken for a promise', () => {
    expect((session as { then?: unknown }).then).toBeUndefined();
  });

  describe('get, set, has and delete', () => {
    it('hand back what was set, and say so', () => {
      expect(session.get('cart')).toBeUndefined();
      expect(session.set('cart', ['amphora'])).toBe(session);
      expect(session.get('cart')).toEqual(['amphora']);
      expect(session.has('cart')).toBe(true);
      expect(session.status).toBe('changed');
      expect(session.delete('cart')).toBe(true);
      expect(session.delete('cart')).toBe(false);
      expect(session.has('cart')).toBe(false);
    });

    it('tell a key that is undefined from one that is not set', async () => {
      const token = await app.issued(null, (s) => s.set('value', undefined));
      const found = await reopened(token);
      expect({ has: found.has('value'), value: found.get('value'), hasOther: found.has('other') }).toEqual({
        has: true,
        value: undefined,
        hasOther: false,
      });
    });

    it('W7: say what ends the session where delete() is called without a key, as in @fastify/secure-session', () => {
      expect(() => session.delete(undefined as never)).toThrow(
        new TypeError('delete() needs a key. To end the session use destroy().'),
      );
    });

    it('write nothing where nothing was there to delete, or to clear', () => {
      session.delete('cart');
      session.clear();
      expect(session.pop('cart')).toBeUndefined();
      expect(session.status).toBe('unchanged');
    });

    it.each<[string, () => unknown]>([
      ['a number', () => 1],
      ['NaN', () => NaN],
      ['a string', () => 'light'],
      ['a bigint', () => 5n],
      ['undefined', () => undefined],
      ['null', () => null],
      ['an object', () => ({ a: [1, new Date(3)] })],
      ['a Map', () => new Map([[1, new Set([2])]])],
    ])('write nothing when %s is set to what it is', async (_what, make) => {
      const token = await app.issued(null, (s) => s.set('value', make()));
      const found = await reopened(token);
      found.set('value', make());
      expect(found.status).toBe('unchanged');
      found.get('value');
      found.set('value', make());
      expect(found.status).toBe('unchanged');
      found.set('value', 'else').set('value', make());
      expect(found.status).toBe('changed');
    });

    it('tell -0 from 0', async () => {
      const token = await app.issued(null, (s) => s.set('value', 0));
      const found = await reopened(token);
      expect(found.set('value', -0).status).toBe('changed');
    });

    it('notice that an equal object took the place of the old one, and was then changed in place', async () => {
      const token = await app.issued(null, (s) => s.set('cart', ['a']));
      const mine = ['a'];
      await app.request(token, (s) => {
        s.set('cart', mine);
        mine.push('b');
      });
      expect((await reopened(token)).get('cart')).toEqual(['a', 'b']);
    });

    it('notice that an object was set back to what it was before it was changed in place', async () => {
      const token = await app.issued(null, (s) => s.set('cart', ['a']));
      await app.request(token, (s) => {
        s.get('cart')!.push('b');
        expect(s.status).toBe('changed');
        s.set('cart', ['a']);
      });
      expect((await reopened(token)).get('cart')).toEqual(['a']);
    });
  });

  describe('update', () => {
    it('hands the old value in and the new one back', () => {
      expect(session.update('visits', (n = 0) => n + 1)).toBe(1);
      expect(session.update('visits', (n = 0) => n + 1)).toBe(2);
    });

    it('may change what it is given, which is a copy', () => {
      const cart = ['a'];
      session.set('cart', cart);
      session.update('cart', (given = []) => {
        given.push('b');
        return given;
      });
      expect(session.get('cart')).toEqual(['a', 'b']);
      expect(cart).toEqual(['a']);
    });

    it('changes nothing when its function throws or its result cannot be kept', () => {
      session.set('value', ['a']);
      const bad = (given: unknown): never => {
        (given as unknown[]).push('b');
        throw new Error('no');
      };
      expect(() => session.update('value', bad)).toThrow('no');
      expect(() =>
        session.update('value', (given) => {
          (given as unknown[]).push(() => 1);
          return given;
        }),
      ).toThrow(SessionValueError);
      expect(() => session.update('value', async () => 1)).toThrow(/Promise/);
      expect(session.get('value')).toEqual(['a']);
    });
  });

  describe('keys, entries, pop and clear', () => {
    it('go through the keys in order', () => {
      session.set('visits', 1).set('cart', []).set('theme', 'dark');
      expect(session.keys()).toEqual(['cart', 'theme', 'visits']);
      expect(session.entries()).toEqual([
        ['cart', []],
        ['theme', 'dark'],
        ['visits', 1],
      ]);
      expect(session.pop('theme')).toBe('dark');
      expect(session.has('theme')).toBe(false);
      session.login(ada);
      session.flash('notice', 'hello');
      session.clear();
      expect(session.keys()).toEqual([]);
      expect(session.principal?.id).toBe('7');
      expect(session.messages('notice')).toEqual(['hello']);
    });

    it('notice what is changed in a value that entries() handed out', async () => {
      const token = await app.issued(null, (s) => s.set('cart', ['a']));
      await app.request(token, (s) => (s.entries()[0]![1] as string[]).push('b'));
      expect((await reopened(token)).get('cart')).toEqual(['a', 'b']);
    });
  });

  describe.each(['__proto__', 'constructor', 'then', 'toString', 'hasOwnProperty'] as const)('%s', (key) => {
    it('D2: is a key that is not set, like any other', () => {
      expect({ value: session.get(key), has: session.has(key), deleted: session.delete(key) }).toEqual({
        value: undefined,
        has: false,
        deleted: false,
      });
    });

    it.each([1, { polluted: true }, new Date(0)])('D2: is a key for %j like any other', async (value) => {
      const token = await app.issued(null, (s) => {
        s.set(key, value);
        s.update(key, (before) => ({ before, [key]: [before] }));
      });
      const found = await reopened(token);
      expect(found.keys()).toEqual([key]);
      expect(Object.entries(found.get(key) as object)).toEqual([
        ['before', value],
        [key, [value]],
      ]);
      expect(found.entries()).toHaveLength(1);
      expect(found.pop(key)).toBeDefined();
      expect(found.has(key)).toBe(false);
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    });
  });

  describe('changes in place', () => {
    it('are noticed at any depth, in every kind of value', async () => {
      const token = await app.issued(null, (s) => s.set('value', { at: [new Map([['k', new Set([1])]])] }));
      await app.request(token, (s) => {
        (s.get('value') as { at: [Map<string, Set<number>>] }).at[0].get('k')!.add(2);
        expect(s.status).toBe('changed');
      });
      expect((await reopened(token)).get('value')).toEqual({ at: [new Map([['k', new Set([1, 2])]])] });
    });

    it('to something that cannot be kept are refused at commit, by key', async () => {
      const token = await app.issued(null, (s) => s.set('value', { list: [1] }));
      const found = await reopened(token);
      (found.get('value') as { list: unknown[] }).list.push(() => 1);
      expect(app.manager.settled(found)).toBeNull();
      expect(found.status).toBe('changed');
      await expect(app.manager.commit(found)).rejects.toMatchObject({
        code: 'SESSION_VALUE_UNSUPPORTED',
        message: "The session cannot store 'value'.list[1]: a function is not supported.",
      });
    });
  });

  describe('values that cannot be kept', () => {
    it('W10: are accepted as JSON has them with the plain codec', async () => {
      const plain = core({ codec: plainJson });
      const ticket = new (class Ticket {
        readonly seat = 7;
      })();
      const token = await plain.issued(null, (s) => s.set('value', ticket));
      expect((await plain.manager.open(token)).get('value')).toEqual({ seat: 7 });
    });

    it('D1: are refused by the call that brings them, by key and reason', () => {
      const refused = (act: () => unknown): string | undefined => {
        try {
          act();
        } catch (error) {
          expect(error).toBeInstanceOf(SessionValueError);
          return (error as SessionValueError).message;
        }
        return undefined;
      };
      const value = { items: [1, 2, new (class Ticket {})()] };
      expect(refused(() => session.set('value', value))).toBe(
        "The session cannot store 'value'.items[2]: an instance of Ticket would be decoded as something else; store its plain data, or set the option codec to plainJson.",
      );
      expect(refused(() => session.set('value', Symbol('s')))).toContain(
        "'value': a symbol is not supported",
      );
      expect(refused(() => session.flash('notice', (() => 1) as never))).toContain("'notice'");
      expect(
        refused(() =>
          session.login(ada, { constants: { limits: new Map() as never, tenant: (() => 1) as never } }),
        ),
      ).toContain("'tenant'");
      expect(session.status).toBe('unchanged');
      expect(session.principal).toBeNull();
    });

    it('D1: are refused when they are set or flashed, and never only at commit, however deep they lie', async () => {
      let value: unknown = 0;
      let accepted = 0;
      for (let depth = 1; depth <= 120; depth++) {
        value = [value];
        const attempts: ((s: Session) => unknown)[] = [
          (s) => s.set('value', value),
          (s) => s.flash('notice', value as string),
          (s) => s.login(ada, { constants: { limits: value as never } }),
        ];
        for (const attempt of attempts) {
          const fresh = await app.manager.open(null);
          if (codeOf(() => attempt(fresh)) !== undefined) continue;
          accepted++;
          await expect(app.manager.commit(fresh)).resolves.toMatchObject({ kind: 'issue' });
        }
      }
      expect(accepted).toBeGreaterThan(3 * 90);
      expect(accepted).toBeLessThan(3 * 101);
    });
  });

  describe('flash messages', () => {
    it('survive exactly until they are read, several of a kind, oldest first', async () => {
      const token = await app.issued(null, (s) => {
        s.flash('notice', 'first');
        s.flash('error', 'wrong password');
        s.flash('notice', 'second');
      });
      const found = await reopened(token);
      expect(found.status).toBe('unchanged');
      expect(found.messages('none')).toEqual([]);
      expect(found.status).toBe('unchanged');
      expect(found.messages('notice')).toEqual(['first', 'second']);
      expect(found.messages('notice')).toEqual([]);
      await app.manager.commit(found);
      const next = await reopened(token);
      expect(next.messages()).toEqual([{ kind: 'error', message: 'wrong password' }]);
      expect(next.messages()).toEqual([]);
    });

    it('can be read in the request that left them', async () => {
      const token = await app.issued(null, (s) => {
        s.flash('notice', 'now');
        expect(s.messages('notice')).toEqual(['now']);
      });
      expect((await reopened(token)).messages()).toEqual([]);
    });

    it('say what they said when they were left', async () => {
      const message = { text: 'saved' };
      const token = await app.issued(null, (s) => {
        s.flash('notice', message as never);
        message.text = 'changed';
      });
      expect((await reopened(token)).messages('notice')).toEqual([{ text: 'saved' }]);
    });
  });

  describe('login', () => {
    it('names the principal in one form, frozen', () => {
      session.login({ id: 7n, realm: 'staff', roles: ['admin'] });
      expect(session.principal).toEqual({ id: '7', realm: 'staff', roles: ['admin'] });
      expect(Object.isFrozen(session.principal)).toBe(true);
      expect(Object.isFrozen(session.principal!.roles)).toBe(true);
      expect(session.authenticatedAt).toBe(app.clock());
    });

    it('L4: cannot be imitated by changing what was handed in or out', async () => {
      const roles = ['member'];
      const token = await app.issued(null, (s) => {
        s.login({ id: 1, roles });
        roles.push('admin');
        expect(() => (s.principal!.roles as string[]).push('admin')).toThrow(TypeError);
        s.set('value', s.principal);
      });
      const found = await reopened(token);
      (found.get('value') as { id: string }).id = 'root';
      await app.manager.commit(found);
      const next = await reopened(token);
      expect(next.principal).toEqual({ id: '1', realm: 'default', roles: ['member'] });
      expect(() => Object.assign(next, { principal: { id: 'root' } })).toThrow(TypeError);
      expect(() => Object.assign(next.principal!, { id: 'root' })).toThrow(TypeError);
    });

    it('W7: refuses a principal with other fields, which would be lost', () => {
      const user = { id: 7, name: 'Ada', email: 'ada@example.com' };
      expect(() => session.login(user)).toThrow('it would lose name, email;');
      expect(session.status).toBe('unchanged');
    });

    it('W7: shows a short path into a circular value', () => {
      const circular: { a?: object } = {};
      circular.a = circular;
      expect(() => session.set('value', circular as never)).toThrow(/^.{0,120}'value'(\.a){40}….*circular/);
    });

    it('T3: shows no key on the path that is no name', () => {
      const value = { 'a-b': [{ 'x\n[Nest] LOG root logged in': () => {} }] };
      expect(() => session.set('value', value as never)).toThrow(
        expect.objectContaining({ key: "'value'.a-b[0][…]" }),
      );
    });

    it.each([
      { mode: 'strict', assign: (s: object) => Object.assign(s, { cart: ['a'] }) },
      { mode: 'sloppy', assign: runInThisContext('(s) => { s.cart = ["a"]; }') as (s: object) => void },
    ])('W5: refuses the assignment of a property in $mode mode, and names set', ({ assign }) => {
      expect(() => assign(session)).toThrow(
        new TypeError("session.cart cannot be assigned; use session.set('cart', value)"),
      );
      expect({ cart: session.get('cart'), status: session.status }).toEqual({
        cart: undefined,
        status: 'unchanged',
      });
    });

    it.each([
      ['nothing', undefined],
      ['null', null],
      ['an id', '7'],
      ['an empty id', { id: '' }],
      ['a fraction', { id: 1.5 }],
      ['an unsafe number', { id: 2 ** 53 }],
      ['an object for an id', { id: {} }],
      ['NUL in the id', { id: 'a\0' }],
      ['a lone surrogate in the id', { id: '\ud800' }],
      ['a colon in the realm', { id: 1, realm: 'a:b' }],
      ['an empty realm', { id: 1, realm: '' }],
      ['a realm that is no string', { id: 1, realm: 5 }],
      ['roles that are no list', { id: 1, roles: 'admin' }],
      ['roles that are no strings', { id: 1, roles: [1] }],
      ['an id too long to index', { id: 'x'.repeat(248) }],
    ])('refuses %s, and changes nothing', (_what, principal) => {
      expect(codeOf(() => session.login(principal as never))).toBe('PRINCIPAL_INVALID');
      expect({ status: session.status, principal: session.principal }).toEqual({
        status: 'unchanged',
        principal: null,
      });
    });

    it('L7: never takes user 7 of one realm for user 7 of another', async () => {
      const token = await app.issued(null, (s) => s.login({ id: 7, realm: 'staff' }));
      const found = await reopened(token);
      const { id } = found;
      found.set('value', 'of staff');
      found.login({ id: 7, realm: 'guests' });
      expect(found.id).not.toBe(id);
      expect(found.keys()).toEqual([]);
    });

    it('L5: keeps what a visitor gathered unless told otherwise', () => {
      session.set('cart', ['a']);
      session.login(ada);
      expect(session.get('cart')).toEqual(['a']);
      session.login(ada, { keepData: false });
      expect(session.keys()).toEqual([]);
    });

    it('W25: takes a longer lifetime of a later release for no deadline of the application', async () => {
      const token = await app.issued(null, (s) => s.login(ada));
      const later = core({ store: app.store.inner, lifetime: 2 * DAY });
      later.clock.set(app.clock());
      const found = await later.manager.open(token);
      found.rememberMe();
      expect(found.deadline).toBe(app.clock() + 30 * DAY);
    });

    it('W27: keeps no flash message either when told to keep no data', () => {
      session.flash('notice', 'for the visitor');
      session.login(ada, { keepData: false });
      expect(session.messages()).toEqual([]);
    });

    it('L5: never keeps what somebody else left', async () => {
      const token = await app.issued(null, (s) => {
        s.login(ada, { constants: { tenant: 'acme' } });
        s.set('cart', ['hers']);
      });
      const found = await reopened(token);
      found.login({ id: 8 }, { keepData: true });
      expect({ keys: found.keys(), tenant: found.constant('tenant') }).toEqual({
        keys: [],
        tenant: undefined,
      });
      await app.manager.commit(found);
      expect((await reopened(token)).isNew).toBe(true);
    });

    it('E4: starts a lifetime', async () => {
      const token = await app.issued(null, (s) => s.set('visits', 1));
      app.clock.advance(20 * MINUTE);
      const found = await reopened(token);
      found.login(ada);
      expect(found.deadline).toBe(app.clock() + DAY);
    });

    it('gives the timeouts of a remembered session when it is to be remembered', () => {
      session.login(ada, { rememberMe: true });
      expect(timesOf(session)).toEqual({
        remembered: true,
        deadline: app.clock() + 30 * DAY,
        idleTimeout: null,
      });
      session.login(ada);
      expect(timesOf(session)).toMatchObject({ remembered: false, idleTimeout: 30 * MINUTE });
    });
  });

  describe('constants', () => {
    it('stay for the life of the login, as fresh copies', async () => {
      const limits = { uploads: 3 };
      const token = await app.issued(null, (s) => {
        s.login(ada, { constants: { tenant: 'acme', limits } });
        limits.uploads = 99;
        s.clear();
      });
      const found = await reopened(token);
      found.constant('limits')!.uploads = 99;
      expect(found.constant('limits')).toEqual({ uploads: 3 });
      expect(found.constant('tenant')).toBe('acme');
      expect(found.status).toBe('unchanged');
      found.logout({ keepData: true });
      expect(found.constant('tenant')).toBeUndefined();
    });

    it('cannot be changed by logging in again', () => {
      session.login(ada, { constants: { tenant: 'acme' } });
      expect(codeOf(() => session.login(ada, { constants: { tenant: 'evil' } }))).toBe(
        'SESSION_CONSTANT_FIXED',
      );
      expect(
        codeOf(() => session.login(ada, { constants: { tenant: 'acme', limits: { uploads: 1 } } })),
      ).toBeUndefined();
      expect(session.constant('tenant')).toBe('acme');
    });

    it('D2: are absent under names that every object has', () => {
      expect(session.constant('constructor' as never)).toBeUndefined();
    });
  });

  describe('logout', () => {
    it('L5: leaves nothing by default, and data only when told to', async () => {
      const login = (): Promise<string> =>
        app.issued(null, (s) => {
          s.login(ada);
          s.set('cart', ['a']);
        });
      const first = await reopened(await login());
      first.logout();
      expect({ keys: first.keys(), principal: first.principal, isNew: first.isNew }).toEqual({
        keys: [],
        principal: null,
        isNew: true,
      });
      const second = await reopened(await login());
      second.logout({ keepData: true });
      const { principal, authenticatedAt, isNew } = second;
      expect({ keys: second.keys(), principal, authenticatedAt, isNew }).toEqual({
        keys: ['cart'],
        principal: null,
        authenticatedAt: null,
        isNew: false,
      });
    });

    it('E4: with data kept never lengthens a life', async () => {
      const token = await app.issued(null, (s) => s.login(ada));
      app.clock.advance(20 * MINUTE);
      const found = await reopened(token);
      const { deadline } = found;
      found.logout({ keepData: true });
      expect(found.deadline).toBe(deadline);
    });
  });

  describe('elevate', () => {
    it('notes the proof and changes roles', () => {
      session.login(ada);
      app.clock.advance(HOUR);
      session.elevate({ roles: ['member', 'admin'] });
      expect(session.principal).toEqual({ id: '7', realm: 'default', roles: ['member', 'admin'] });
      expect(session.authenticatedAt).toBe(app.clock());
      session.elevate();
      expect(session.principal!.roles).toEqual(['member', 'admin']);
    });

    it('needs somebody who is logged in', () => {
      expect(codeOf(() => session.elevate())).toBe('SESSION_NOT_LOGGED_IN');
    });
  });

  it('has nothing to renew before it is stored', () => {
    session.renewToken();
    expect(session.status).toBe('unchanged');
  });

  describe('destroyed', () => {
    it('R7: is empty, and does not mind being destroyed again', async () => {
      const token = await app.issued(null, (s) => s.set('cart', ['a']));
      const found = await reopened(token);
      found.destroy();
      found.destroy();
      expect({ status: found.status, keys: found.keys() }).toEqual({ status: 'destroyed', keys: [] });
    });

    it.each<[string, (found: Session, token: string) => unknown]>([
      ['set', (found) => found.set('cart', [])],
      ['update', (found) => found.update('visits', () => 1)],
      ['delete', (found) => found.delete('cart')],
      ['clear', (found) => found.clear()],
      ['flash', (found) => found.flash('notice', 'x')],
      ['login', (found) => found.login(ada)],
      ['logout', (found) => found.logout()],
      ['renewToken', (found) => found.renewToken()],
      ['rememberMe', (found) => found.rememberMe()],
      ['merge', (found, token) => found.merge(token)],
      ['deadline', (found) => (found.deadline = 1)],
      ['idleTimeout', (found) => (found.idleTimeout = 1)],
    ])('R7: refuses %s', async (_change, change) => {
      const token = await app.issued(null, (s) => s.set('cart', ['a']));
      const found = await reopened(token);
      found.destroy();
      expect(codeOf(() => change(found, token))).toBe('SESSION_DESTROYED');
    });
  });

  it.each<[string, (session: Session) => unknown]>([
    ['set', (s) => s.set('cart', [])],
    ['login', (s) => s.login(ada)],
    ['destroy', (s) => s.destroy()],
  ])('H6: refuses %s once the response has begun', (_change, change) => {
    session.set('cart', ['a']);
    draftOf(session).sealed = true;
    expect(codeOf(() => change(session))).toBe('SESSION_RESPONSE_STARTED');
    expect(session.get('cart')).toEqual(['a']);
  });

  describe('in a unit of work that saves nothing', () => {
    const readOnly = async (token: string): Promise<Session> => {
      const found = await app.manager.open(token);
      draftOf(found).readOnly = 'nothing is saved here';
      return found;
    };

    it.each<[string, (found: Session, token: string) => unknown]>([
      ['set', (found) => found.set('cart', [])],
      ['update', (found) => found.update('visits', () => 1)],
      ['delete', (found) => found.delete('cart')],
      ['clear', (found) => found.clear()],
      ['flash', (found) => found.flash('notice', 'x')],
      ['messages', (found) => found.messages()],
      ['csrfToken', (found) => found.csrfToken()],
      ['login', (found) => found.login(ada)],
      ['logout', (found) => found.logout()],
      ['destroy', (found) => found.destroy()],
      ['elevate', (found) => found.elevate()],
      ['actAs', (found) => found.actAs({ id: 'eve' })],
      ['renewToken', (found) => found.renewToken()],
      ['rotateToken', (found) => found.rotateToken()],
      ['rememberMe', (found) => found.rememberMe()],
      ['merge', (found, token) => found.merge(token)],
      ['deadline', (found) => (found.deadline = 1)],
      ['idleTimeout', (found) => (found.idleTimeout = 1)],
    ])('S3: refuses %s, with the reason', async (_change, change) => {
      const token = await app.issued(null, (s) => {
        s.login(ada);
        s.set('cart', ['a']);
        s.flash('notice', 'x');
      });
      const found = await readOnly(token);
      expect(codeOf(() => change(found, token))).toBe('SESSION_READ_ONLY');
      expect(() => change(found, token)).toThrow('nothing is saved here');
      expect({ status: found.status, cart: found.get('cart'), id: found.principal?.id }).toEqual({
        status: 'unchanged',
        cart: ['a'],
        id: '7',
      });
    });

    it('S3: refuses to change a value in place', async () => {
      const found = await readOnly(await app.issued(null, (s) => s.set('cart', ['a'])));
      expect(() => found.get('cart')!.push('b')).toThrow(TypeError);
      expect(found.get('cart')).toEqual(['a']);
    });
  });

  describe('times of its own', () => {
    it('can be set', async () => {
      const token = await app.issued(null, (s) => {
        s.idleTimeout = 5 * MINUTE;
        s.deadline = app.clock() + HOUR + 0.5;
      });
      const found = await reopened(token);
      const { idleTimeout, deadline, expiresAt } = found;
      expect({ idleTimeout, deadline, expiresAt }).toEqual({
        idleTimeout: 5 * MINUTE,
        deadline: app.clock() + HOUR,
        expiresAt: app.clock() + 5 * MINUTE,
      });
    });

    it.each([NaN, Infinity, -Infinity, 1e300, '5' as never, undefined as never])(
      'E5: have no end like %s',
      (value) => {
        expect(codeOf(() => (session.deadline = value))).toBe('SESSION_VALUE_UNSUPPORTED');
      },
    );

    it.each([true, false])(
      'W25: keep a deadline that was shortened, with rememberMe(%s)',
      async (remember) => {
        const token = await app.issued(null, (s) => s.login(ada, { rememberMe: !remember }));
        const soon = app.clock() + HOUR;
        await app.request(token, (s) => (s.deadline = soon));
        const found = await reopened(token);
        found.rememberMe(remember);
        expect({ deadline: found.deadline, remembered: found.remembered }).toEqual({
          deadline: soon,
          remembered: remember,
        });
      },
    );

    it.each([NaN, Infinity, 0, -1, 0.5, 1e300])('E5: have no idle timeout like %s', (value) => {
      expect(codeOf(() => (session.idleTimeout = value))).toBe('SESSION_VALUE_UNSUPPORTED');
      expect(session.status).toBe('unchanged');
    });

    it('change with rememberMe, counted from the login or the beginning', async () => {
      const token = await app.issued(null, (s) => s.login(ada));
      const loggedInAt = app.clock();
      app.clock.advance(10 * MINUTE);
      const found = await reopened(token);
      found.rememberMe();
      expect(timesOf(found)).toEqual({
        remembered: true,
        deadline: loggedInAt + 30 * DAY,
        idleTimeout: null,
      });
      found.rememberMe(false);
      expect(timesOf(found)).toEqual({
        remembered: false,
        deadline: loggedInAt + DAY,
        idleTimeout: 30 * MINUTE,
      });
    });
  });

  it.each(['', 'x', '../..'])('T4: refuses to merge what has not the form of a token: %j', (token) => {
    expect(codeOf(() => session.merge(token))).toBe('SESSION_TOKEN_INVALID');
  });

  it('T3: shows public facts and nothing else, however it is printed', async () => {
    const token = await app.issued(null, (s) => {
      s.login(ada, { constants: { tenant: 'a secret constant' } });
      s.set('value', 'a secret value');
    });
    const found = await reopened(token);
    const shown = [
      JSON.stringify(found),
      String(found), // eslint-disable-line @typescript-eslint/no-base-to-string -- whatever it prints
      inspect(found, { depth: null, showHidden: true, getters: true }),
      JSON.stringify({ ...found }),
    ].join('\n');
    const secrets = [token.split('.')[1]!, 'a secret value', 'a secret constant'];
    expect(secrets.filter((secret) => shown.includes(secret))).toEqual([]);
    expect(JSON.parse(JSON.stringify(found))).toEqual({
      id: token.split('.')[0],
      isNew: false,
      principal: { id: '7', realm: 'default', roles: ['member'] },
      createdAt: app.clock(),
      expiresAt: app.clock() + 30 * MINUTE,
    });
  });
});
