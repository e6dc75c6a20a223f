import { notRun } from '../../lib/testing/store-suite/not-run';

/**
 * `describe`, or `describe.skip` when there is a reason not to run. The reason goes into the title, and the block "Not run" at the
 * end of the output counts the skipped tests by reason.
 * @param reason `null` to run
 */
export function describeUnless(reason: string | null, title: string, body: () => void): void {
  if (reason === null) describe(title, body);
  else describe.skip(notRun(title, reason), body);
}

/** The same for one test. */
export function itUnless(
  reason: string | null,
  title: string,
  body: jest.ProvidesCallback,
  timeout?: number,
): void {
  if (reason === null) it(title, body, timeout);
  else it.skip(notRun(title, reason), body, timeout);
}

/**
 * `describe` for tests that need a program or a server. Without it they are skipped; with `CI=true` they fail, so that a merge never
 * depends on tests that did not run.
 * @param missing what to install, or `null` when everything is there
 */
export function describeRequiring(missing: string | null, title: string, body: () => void): void {
  if (missing === null || process.env['CI'] !== 'true') return describeUnless(missing, title, body);
  describe(title, () => {
    it('has what it needs', () => {
      throw new Error(missing);
    });
  });
}
