import { core } from '../../test/support/core';
import { draftOf, type Session } from '../core/session';
import { userKeeper, userOf } from './serialized-user';

describe('what is kept of a user', () => {
  let session: Session;
  beforeEach(async () => {
    session = await core().manager.open(null);
    session.login({ id: 'ada' });
    userKeeper(session, { name: 'Ada' })();
  });

  it('is a copy of the value', () => expect(userOf(session)).toEqual({ name: 'Ada' }));

  it('is removed by a later login that keeps nothing', () => {
    userKeeper(session, undefined)();
    expect({ user: userOf(session), own: draftOf(session).state.own }).toEqual({ user: undefined, own: {} });
  });

  it('is of no other principal, however that came into the session', () => {
    draftOf(session).record('data', (state) => {
      state.principal = { id: 'grace', realm: 'default', roles: [] };
    });
    expect({ principal: session.principal?.id, user: userOf(session) }).toEqual({
      principal: 'grace',
      user: undefined,
    });
  });

  it('must be supported by the session, or nothing is recorded', () => {
    expect(() => userKeeper(session, { name: () => {} })).toThrow(
      expect.objectContaining({ code: 'SESSION_VALUE_UNSUPPORTED', key: "'user'.name" }),
    );
  });
});
