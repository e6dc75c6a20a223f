import assert from 'node:assert/strict';
import { type SessionStore } from '../../core/session-store';
import { STORE_LIMITS, isLimited, type StoreLimit } from '../../core/store-capabilities';
import { notRun } from './not-run';
import type { StoreSuite } from './store-suite';

/** The title of the tests of a limit. */
export function titleOf(limit: StoreLimit): string {
  const { promise, consequence } = STORE_LIMITS[limit];
  return `UNMET: ${promise} — ${consequence}`;
}

/** The same for tests that are skipped, since they demand what the limit denies. */
export function unmetTitleOf(limit: StoreLimit): string {
  return notRun(titleOf(limit), `the store states the limit ${limit}`);
}

/** Requires that the store and its harness state the same limits, and reports each by name. */
export function describeLimits(suite: StoreSuite, unmet: readonly StoreLimit[]): void {
  const { describe, it } = suite;

  it(unmet.length === 0 ? 'states no limits' : `states its limits: ${unmet.join(', ')}`, () => {
    const stated = statedLimits(suite.store);
    const advice =
      `The store states the limits [${stated.join(', ')}], and the harness says unmet: [${unmet.join(', ')}]. ` +
      'Both must be equal: users of the store are warned of the limits that it states.';
    assert.deepEqual([...stated].sort(), [...unmet].sort(), advice);
  });

  for (const limit of unmet) {
    describe(titleOf(limit), () => {
      it('is what its users are warned of', () => assert.ok(statedLimits(suite.store).includes(limit)));
    });
  }
}

function statedLimits(store: SessionStore): readonly StoreLimit[] {
  return isLimited(store) ? store.limits : [];
}
