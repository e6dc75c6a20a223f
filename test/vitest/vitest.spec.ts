import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../docs/markdown';
import { itLong } from '../support/long';

/** What Vitest says in its JSON report. */
interface Report {
  readonly success: boolean;
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

const VITEST = join(root, 'node_modules/vitest/vitest.mjs');
const CONFIG = join(__dirname, 'vitest.config.mjs');

/** Runs projects of the config beside this file, as `npx vitest run` would. */
async function vitest(
  ...projects: string[]
): Promise<{ success: boolean; titles(status: string): string[] }> {
  const chosen = projects.flatMap((name) => ['--project', name]);
  const output = await new Promise<string>((done) => {
    const options = { cwd: __dirname, maxBuffer: 2 ** 26, timeout: 100_000 };
    const all = [VITEST, 'run', '--config', CONFIG, '--reporter=json', ...chosen];
    execFile(process.execPath, all, options, (_, stdout, stderr) => done(stdout || stderr));
  });
  const { success, testResults } = JSON.parse(output.slice(output.indexOf('{'))) as Report;
  const results = testResults.flatMap(({ assertionResults }) => assertionResults);
  return {
    success,
    titles: (status) => results.filter((result) => result.status === status).map(({ fullName }) => fullName),
  };
}

describe('describeSessionStore under Vitest', () => {
  it('passes a right store, with the runner handed over and with global functions', async () => {
    const { success, titles } = await vitest('runner', 'globals');
    expect(titles('failed')).toEqual([]);
    expect(success).toBe(true);
    expect(titles('passed').length).toBeGreaterThan(160);
    expect(titles('skipped')).toContainEqual(
      expect.stringMatching(/^global between processes \[not run: the harness opens no peer\] R1: /),
    );
  }, 120_000);

  itLong(
    'fails a wrong one',
    async () => {
      const { success, titles } = await vitest('broken');
      expect(success).toBe(false);
      expect(titles('failed')).toContain(
        'broken update says false and writes nothing when the record has another version',
      );
    },
    120_000,
  );
});

it('has a testing kit for Vitest', async () => {
  const { success, titles } = await vitest('kit');
  expect({ failed: titles('failed'), success, passed: titles('passed').length }).toEqual({
    ...{ failed: [], success: true, passed: 8 },
  });
}, 120_000);
