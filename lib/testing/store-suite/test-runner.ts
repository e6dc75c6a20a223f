type Body = () => void | Promise<void>;

/** The part of a test runner that the suite needs; Jest, Vitest, Mocha and `node:test` all have it. */
export interface TestRunner {
  readonly describe: ((name: string, body: () => void) => unknown) & {
    readonly skip: (name: string, body: () => void) => unknown;
  };
  /** @param timeout in milliseconds, for those runners that take one here */
  readonly it: (name: string, body: Body, timeout?: number) => unknown;
  readonly beforeEach: (body: Body) => unknown;
  readonly afterEach: (body: Body) => unknown;
}

/**
 * The runner whose functions are global, as Jest's are, and Vitest's with `globals: true`.
 * @throws Error naming the way out when there is none
 */
export function globalRunner(): TestRunner {
  const { describe, it, beforeEach, afterEach } = globalThis as unknown as Partial<TestRunner>;
  if (!describe || !it || !beforeEach || !afterEach) {
    throw new Error(
      'describeSessionStore found no test runner: describe, it, beforeEach and afterEach are not global here. Call it in a ' +
        "test file, and under Vitest or node:test hand the runner over: import * as runner from 'vitest'; " +
        'describeSessionStore(name, { runner, create }).',
    );
  }
  return { describe, it, beforeEach, afterEach };
}
