import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// @ts-expect-error -- ESLint loads it as it stands, so it is JavaScript
import { refuseCircles } from './import-circles';

type Override = { files: string[]; rules: Record<string, [string, { paths: { message: string }[] }]> };

describe('the lint rule against circles of imports', () => {
  let root: string;
  const write = (sources: Record<string, string>): void => {
    for (const [name, source] of Object.entries(sources)) writeFileSync(join(root, 'lib', name), source);
  };
  const refused = (): [string, string[]][] =>
    (refuseCircles as (root: string, folder: string) => Override[])(root, 'lib').map(({ files, rules }) => [
      files[0]!,
      rules['no-restricted-imports']![1].paths.map(({ message }) => message),
    ]);

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tessera-circles-'));
    mkdirSync(join(root, 'lib/inner'), { recursive: true });
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('names a circle of types at each import that is part of it', () => {
    write({
      'a.ts': "import type { B } from './inner/b';\nimport './c';",
      'inner/b.ts': "export { A } from '../a';",
      'c.ts': "import './inner/b';",
    });
    expect(refused()).toEqual([
      [
        'lib/a.ts',
        [
          'It closes a circle: lib/a.ts → lib/inner/b.ts → lib/a.ts.',
          'It closes a circle: lib/a.ts → lib/c.ts → lib/inner/b.ts → lib/a.ts.',
        ],
      ],
      ['lib/c.ts', ['It closes a circle: lib/c.ts → lib/inner/b.ts → lib/a.ts → lib/c.ts.']],
      ['lib/inner/b.ts', ['It closes a circle: lib/inner/b.ts → lib/a.ts → lib/inner/b.ts.']],
    ]);
  });

  it('lets two ways lead to one file', () => {
    write({ 'a.ts': "import './b'; import './c';", 'b.ts': "import './c';", 'c.ts': "import 'node:fs';" });
    expect(refused()).toEqual([]);
  });
});
