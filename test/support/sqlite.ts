import { describeRequiring, describeUnless } from './not-run';

/**
 * Expected where several versions of Node share one installation, as under `npm run test:nodes`. The first attempt of a process gets
 * the first message, all others the second.
 */
const FOR_ANOTHER_NODE = /NODE_MODULE_VERSION|did not self-register/;

/** Why better-sqlite3 cannot be used, or `null`. */
const failure = failureOfSqlite();

/** `describe` for tests that need better-sqlite3, whose compiled part fits one major version of Node. */
export function describeWithSqlite(title: string, body: () => void): void {
  if (failure !== null && FOR_ANOTHER_NODE.test(failure)) {
    const [major] = process.versions.node.split('.');
    return describeUnless(`better-sqlite3 is not built for Node ${major}`, title, body);
  }
  describeRequiring(failure && `better-sqlite3 cannot be loaded: ${failure}`, title, body);
}

/** The same for each row of a table: `describeEachWithSqlite(rows)('with %p', (row) => …)`. */
export function describeEachWithSqlite<Row>(rows: readonly Row[]) {
  return (title: string, body: (row: Row) => void): void =>
    describeWithSqlite('SQLite', () => describe.each(rows)(title, body));
}

function failureOfSqlite(): string | null {
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const Database = require('better-sqlite3') as typeof import('better-sqlite3');
    // Loads the compiled part.
    new Database(':memory:').close();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
