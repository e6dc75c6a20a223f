import { describeRequiring, describeUnless } from './not-run';

/** Why better-sqlite3 cannot be used, or `null`. */
const failure = failureOfSqlite();

/** `describe` for tests that need better-sqlite3, whose compiled part fits one major version of Node. */
export function describeWithSqlite(title: string, body: () => void): void {
  // Compiled for another Node: expected where several versions share one installation, as under `npm run test:nodes`.
  if (failure?.includes('NODE_MODULE_VERSION')) {
    const [major] = process.versions.node.split('.');
    return describeUnless(`better-sqlite3 is not built for Node ${major}`, title, body);
  }
  describeRequiring(failure && `better-sqlite3 cannot be loaded: ${failure}`, title, body);
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
