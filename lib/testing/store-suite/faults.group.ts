import { describeCrash } from './crash.group';
import { faultySuiteOf } from './faulty-suite';
import { describeFrozenWrites } from './frozen-writes.group';
import { describeLostAnswers } from './lost-answers.group';
import { notRun } from './not-run';
import { describeOutage } from './outage.group';
import { disturbancesOf, type StoreFaults } from './store-faults';
import type { StoreSuite } from './store-suite';

/**
 * Tests what requests see of a store whose server fails. An unhandled rejection would end an application's process; the test runner
 * reports one, as Jest, Vitest, Mocha and node:test do.
 */
export function describeFaults(suite: StoreSuite, faults: StoreFaults | undefined): void {
  const { freeze, kill, refuse, hang, slow } = disturbancesOf(faults ?? {});
  const { describe } = suite;
  const describeIf = (isPossible: boolean, title: string, reason: string, body: () => void) =>
    isPossible ? describe(title, body) : describe.skip(notRun(title, reason), body);

  describeIf(faults !== undefined, 'faults', 'the harness does not say how to cause faults', () => {
    const faulty = faultySuiteOf(suite, faults ?? {});
    for (const cause of [freeze, kill, refuse, hang, slow]) {
      const { state, possible } = cause;
      describeIf(possible, `while ${state}`, `the harness does not say how ${state}`, () => {
        describeOutage(faulty, cause);
        if (cause === freeze) describeFrozenWrites(faulty, cause);
        if (cause === kill) describeCrash(faulty, cause);
        if (cause === refuse) describeLostAnswers(faulty, cause);
      });
    }
  });
}
