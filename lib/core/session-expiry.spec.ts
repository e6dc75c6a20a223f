import fc from 'fast-check';
import { expiryOf, extensionOf, lastSeenOf } from './session-expiry';

const MINUTE = 60_000;
const now = 1_000_000_000_000;

describe('the end of a session', () => {
  it.each([
    [
      'its idle timeout, when that comes first',
      { deadline: now + 60 * MINUTE, idleTimeout: 30 * MINUTE },
      30,
    ],
    ['its deadline, when that comes first', { deadline: now + 10 * MINUTE, idleTimeout: 30 * MINUTE }, 10],
    ['its deadline, when it may rest', { deadline: now + 60 * MINUTE, idleTimeout: null }, 60],
    ['in the past, when the deadline is', { deadline: now - MINUTE, idleTimeout: 30 * MINUTE }, -1],
  ])('E1 E2: is %s', (_which, lifespan, minutes) => {
    expect(expiryOf(lifespan, now)).toBe(now + minutes * MINUTE);
  });

  it('E3: is moved when more than a tenth of the idle timeout has passed, and not before', () => {
    const lifespan = { deadline: now + 600 * MINUTE, idleTimeout: 30 * MINUTE };
    const expiresAt = now + 30 * MINUTE;
    expect(extensionOf(lifespan, expiresAt, now + 3 * MINUTE)).toBeNull();
    expect(extensionOf(lifespan, expiresAt, now + 3 * MINUTE + 1)).toBe(expiresAt + 3 * MINUTE + 1);
    expect(extensionOf({ ...lifespan, idleTimeout: null }, expiresAt, now + 20 * MINUTE)).toBeNull();
  });

  it('E3 E5: is never moved back or past the deadline, whatever the clock says', () => {
    const instant = fc.integer({ min: 0, max: 2 ** 42 });
    fc.assert(
      fc.property(
        instant,
        instant,
        instant,
        fc.integer({ min: 1, max: 2 ** 32 }),
        (at, deadline, expiresAt, idle) => {
          const next = extensionOf({ deadline, idleTimeout: idle }, expiresAt, at);
          if (next === null) return;
          expect(next).toBeGreaterThan(expiresAt);
          expect(next).toBeLessThanOrEqual(Math.min(deadline, at + idle));
        },
      ),
    );
  });

  it('tells when a session was last seen', () => {
    const lifespan = { deadline: now + 600 * MINUTE, idleTimeout: 30 * MINUTE };
    expect(lastSeenOf(lifespan, now + 35 * MINUTE, now)).toBe(now + 5 * MINUTE);
    expect(lastSeenOf(lifespan, now + 30 * MINUTE, now)).toBe(now);
    expect(lastSeenOf(lifespan, lifespan.deadline, now)).toBe(now);
    expect(lastSeenOf({ ...lifespan, idleTimeout: null }, now + 35 * MINUTE, now)).toBe(now);
  });
});
