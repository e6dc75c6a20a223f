/** @inline */
type Body = () => void | Promise<void>;

/** The functions of a test runner that the suite needs. Jest, Vitest, Mocha and `node:test` have them. */
export interface TestRunner {
  /** Groups tests. */
  readonly describe: ((name: string, body: () => void) => unknown) & {
    /** Groups tests that are not run. */
    readonly skip: (name: string, body: () => void) => unknown;
  };
  /** Defines a test. `timeout` is in milliseconds; runners without this parameter ignore it. */
  readonly it: (name: string, body: Body, timeout?: number) => unknown;
  /** Runs before each test of its group. */
  readonly beforeEach: (body: Body) => unknown;
  /** Runs after each test of its group, also after one that failed. */
  readonly afterEach: (body: Body) => unknown;
}

/**
 * The test runner with global functions, such as Jest, or Vitest with `globals: true`.
 * @throws Error when there are no such functions
 */
export function globalRunner(): TestRunner {
  const { describe, it, beforeEach, afterEach } = globalThis as unknown as Partial<TestRunner>;
  if (!describe || !it || !beforeEach || !afterEach) {
    throw new Error(
      'describeSessionStore found no test runner: describe, it, beforeEach and afterEach are not global here. Call it in a test ' +
        "file. With Vitest or node:test pass the runner: import * as runner from 'vitest'; " +
        'describeSessionStore(name, { runner, create }).',
    );
  }
  return { describe, it, beforeEach, afterEach };
}
