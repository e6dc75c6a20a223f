import assert from 'node:assert/strict';
import { STORE_LIMITS, isLimited, type SessionStore, type StoreLimit } from '../../core/session-store';
import { notRun } from './not-run';
import type { StoreSuite } from './store-suite';

/** What a limit is called where its tests stand. */
export function titleOf(limit: StoreLimit): string {
  const { promise, consequence } = STORE_LIMITS[limit];
  return `UNMET: ${promise} — ${consequence}`;
}

/** The same for tests that are skipped, since they demand what the limit denies. */
export function unmetTitleOf(limit: StoreLimit): string {
  return notRun(titleOf(limit), `the store states the limit ${limit}`);
}

/** What the store cannot promise has to be said twice, by itself and by its harness, and shows by name. */
export function describeLimits(suite: StoreSuite, unmet: readonly StoreLimit[]): void {
  const { describe, it } = suite;

  it(unmet.length === 0 ? 'states no limits' : `states its limits: ${unmet.join(', ')}`, () => {
    const stated = limitsOf(suite.store);
    const advice =
      `The store states the limits [${stated.join(', ')}], and the harness says unmet: [${unmet.join(', ')}]. ` +
      'Both have to name the same: users of the store are warned of its own.';
    assert.deepEqual([...stated].sort(), [...unmet].sort(), advice);
  });

  for (const limit of unmet) {
    describe(titleOf(limit), () => {
      it('is what its users are warned of', () => assert.ok(limitsOf(suite.store).includes(limit)));
    });
  }
}

function limitsOf(store: SessionStore): readonly StoreLimit[] {
  return isLimited(store) ? store.limits : [];
}
