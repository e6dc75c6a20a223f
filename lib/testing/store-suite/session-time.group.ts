import assert from 'node:assert/strict';
import { IDLE, LIFETIME, sessionIdOf, untyped, sessionsOver, type Sessions } from './sessions-over';
import { call, type StoreSuite } from './store-suite';

/** Idle timeout and lifetime are exact to the millisecond, however the store represents instants. */
export function describeSessionTime(suite: StoreSuite): void {
  const { it } = suite;
  const begin = ({ issued }: Sessions) => issued(null, (session) => untyped(session).set('cart', ['pear']));

  it('E1: is alive a millisecond before the end of its idle timeout', async () => {
    const sessions = sessionsOver(suite.store);
    const token = await begin(sessions);
    sessions.clock.advance(IDLE - 1);
    assert.deepEqual(untyped(await sessions.manager.open(token)).get('cart'), ['pear']);
  });

  it('E1: is dead and gone at the end of its idle timeout', async () => {
    const sessions = sessionsOver(suite.store);
    const token = await begin(sessions);
    sessions.clock.advance(IDLE);
    assert.equal((await sessions.manager.open(token)).isNew, true);
    assert.equal(await suite.store.find(sessionIdOf(token), call), null);
    sessions.clock.advance(-IDLE);
    assert.equal((await sessions.manager.open(token)).isNew, true, 'a clock that stepped back revived it');
  });

  it('E1: restarts the idle timeout with each request, to the millisecond', async () => {
    for (const [late, alive] of [
      [-1, true],
      [0, false],
    ] as const) {
      const sessions = sessionsOver(suite.store);
      const token = await begin(sessions);
      sessions.clock.advance(IDLE - 1);
      await sessions.request(token);
      sessions.clock.advance(IDLE + late);
      assert.equal((await sessions.manager.open(token)).isNew, !alive);
    }
  });

  it('E2: is dead at the end of its lifetime however busy it is', async () => {
    const sessions = sessionsOver(suite.store);
    const token = await begin(sessions);
    const step = LIFETIME / 8;
    for (let passed = step; passed < LIFETIME; passed += step) {
      sessions.clock.advance(step);
      await sessions.request(token, (session) => untyped(session).set('seen', passed));
    }
    sessions.clock.advance(step - 1);
    assert.equal((await sessions.manager.open(token)).isNew, false);
    sessions.clock.advance(1);
    assert.equal((await sessions.manager.open(token)).isNew, true);
  });
}
