import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { notRun } from '../../../lib/testing/store-suite/not-run';

interface Reporter {
  onRunStart(): void;
  onTestResult(test: object, result: object): void;
  onRunComplete(): void;
}

// Plain JavaScript, since Jest loads reporters as they are.
const NotRunReporter = jest.requireActual<new (config: object) => Reporter>('./not-run-reporter');

const skipped = (...titles: string[]) => ({
  status: 'pending' as const,
  ancestorTitles: titles.slice(0, -1),
  title: titles.at(-1)!,
});

/** What the reporter prints after a run of one file. In watch mode it does so at once. */
function printed(testResults: readonly object[], config: object = {}): string {
  const written: string[] = [];
  const write = jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  try {
    const reporter = new NotRunReporter({ watch: true, ...config });
    reporter.onRunStart();
    reporter.onTestResult({}, { testFilePath: '/a.spec.ts', testResults });
    reporter.onRunComplete();
  } finally {
    write.mockRestore();
  }
  return written.join('');
}

describe('the block "Not run"', () => {
  it('counts skipped tests by reason, the most frequent first', () => {
    const results = [
      skipped(notRun('sweeping', 'sweeping: not a capability of Store'), 'E6: removes'),
      ...Array.from({ length: 10 }, () => skipped('a store', notRun('faults', 'no server'), 'F1: fails')),
      { status: 'passed', ancestorTitles: [], title: 'works' },
    ];
    expect(printed(results)).toBe('\nNot run\n  10  no server\n   1  sweeping: not a capability of Store\n');
  });

  it('takes the reason of the outermost group, or of the test itself', () => {
    const inner = notRun('while its server is dead', 'no kill');
    expect(printed([skipped(notRun('faults', 'no server'), inner, 'F2: keeps')])).toContain('1  no server\n');
    expect(printed([skipped('a store', notRun('is fast', 'long'))])).toContain('1  long\n');
  });

  it('names the file of a test that is skipped without a reason', () => {
    expect(printed([skipped('a store', 'works')])).toContain('1  no reason given: /a.spec.ts\n');
  });

  it('does not mention the tests that -t leaves out', () => {
    expect(printed([skipped('a store', 'works')], { testNamePattern: 'R3:' })).toBe('');
  });

  it('goes to the file of NOT_RUN_FILE too, of which the runs that tests start do not hear', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tessera-not-run-'));
    const file = join(folder, 'not-run.txt');
    process.env['NOT_RUN_FILE'] = file;
    try {
      printed([skipped('a store', notRun('faults', 'no server'))]);
      const handedOn = process.env['NOT_RUN_FILE'];
      expect({ text: readFileSync(file, 'utf8'), handedOn }).toEqual({
        text: '  1  no server\n',
        handedOn: undefined,
      });
    } finally {
      delete process.env['NOT_RUN_FILE'];
      rmSync(folder, { recursive: true });
    }
  });

  it('is absent when everything has run', () => {
    expect(printed([{ status: 'passed', ancestorTitles: [], title: 'works' }])).toBe('');
  });
});
