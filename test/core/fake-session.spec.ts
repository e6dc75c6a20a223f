import { fakeSession, manualClock } from 'nestjs-tessera/testing';
import { HOUR, MINUTE } from '../support/core';
import '../support/session-data';

describe('a session without an application', () => {
  it('W39: is new and empty when nothing is given', () => {
    const session = fakeSession();
    expect({
      isNew: session.isNew,
      keys: session.keys(),
      who: session.principal,
      status: session.status,
    }).toEqual({
      isNew: true,
      keys: [],
      who: null,
      status: 'unchanged',
    });
  });

  it('W39: has data and a login as a request finds them, and takes changes', () => {
    const session = fakeSession({
      data: { cart: ['pear'], visits: 1 },
      principal: { id: 7, roles: ['member'] },
      constants: { tenant: 'acme' },
    });
    const found = { isNew: session.isNew, status: session.status, tenant: session.constant('tenant') };
    expect(found).toEqual({ isNew: false, status: 'unchanged', tenant: 'acme' });
    expect(session.principal).toEqual({ id: '7', realm: 'default', roles: ['member'] });

    session.get('cart')!.push('fig');
    expect(session.update('visits', (n = 0) => n + 1)).toBe(2);
    session.logout({ keepData: true });
    expect({ status: session.status, entries: session.entries(), who: session.principal }).toEqual({
      status: 'changed',
      entries: [
        ['cart', ['pear', 'fig']],
        ['visits', 2],
      ],
      who: null,
    });
  });

  it('W39: has the instants of a clock that the test moves, and its timeouts', () => {
    const clock = manualClock();
    const timeouts = { lifetime: HOUR, idleTimeout: 5 * MINUTE };
    const session = fakeSession({ clock, timeouts, principal: { id: 7 } });
    clock.advance('1m');
    const { authenticatedAt, deadline, expiresAt } = session;
    expect({ authenticatedAt, deadline, expiresAt }).toEqual({
      authenticatedAt: clock() - MINUTE,
      deadline: clock() - MINUTE + HOUR,
      expiresAt: clock() + 5 * MINUTE,
    });
  });

  it('W39: refuses what a session refuses', () => {
    expect(() => fakeSession({ data: { value: () => 1 } })).toThrow(
      expect.objectContaining({ code: 'SESSION_VALUE_UNSUPPORTED' }),
    );
  });
});
