import { version } from '@nestjs/core/package.json';

/** The major version of Nest that the tests run on. `npm run test:versions` chooses another than `package.json` does. */
export const nestMajor = Number(version.split('.')[0]);

/**
 * The reason not to run a test on Nest before a version, or `null`; for `describeUnless` and `itUnless`.
 * @param what what Nest does there
 */
export function beforeNest(major: number, what: string): string | null {
  return nestMajor < major ? `Nest ${nestMajor} ${what}` : null;
}
