import type { SessionStore } from 'nestjs-tessera';
import { describeSessionStore, type SessionStoreHarness, type TestRunner } from 'nestjs-tessera/testing';

type Body = () => void | Promise<void>;

interface Group {
  readonly path: readonly string[];
  readonly before: readonly Body[];
  readonly after: readonly Body[];
}

/** What the suite says of a store, as titles. */
export interface Verdict {
  readonly failed: string[];
  readonly passed: string[];
  readonly skipped: string[];
  /** Why the first test failed. */
  reason?: unknown;
}

/** A test runner in miniature. Runs the tests whose title fits, and no other. */
export async function verdictOf<S extends SessionStore>(
  harness: SessionStoreHarness<S>,
  only = /^/,
): Promise<Verdict> {
  const tests: { title: string; body: Body; group: Group }[] = [];
  const verdict: Verdict = { failed: [], passed: [], skipped: [] };
  let group = { path: [] as string[], before: [] as Body[], after: [] as Body[] };
  const describe = (name: string, body: () => void) => {
    const outer = group;
    group = { path: [...outer.path, name], before: [...outer.before], after: [...outer.after] };
    body();
    group = outer;
  };
  const runner: TestRunner = {
    describe: Object.assign(describe, { skip: (name: string) => verdict.skipped.push(name) }),
    it: (name, body) => tests.push({ title: [...group.path, name].join(' › '), body, group }),
    beforeEach: (body) => group.before.push(body),
    afterEach: (body) => group.after.unshift(body),
  };
  describeSessionStore('store', { volume: 1000, ...harness, runner });

  for (const { title, body, group: around } of tests.filter(({ title }) => only.test(title))) {
    for (const before of around.before) await before();
    try {
      await body();
      verdict.passed.push(title);
    } catch (error) {
      verdict.failed.push(title);
      verdict.reason ??= error;
    }
    for (const after of around.after) await after();
  }
  return verdict;
}
