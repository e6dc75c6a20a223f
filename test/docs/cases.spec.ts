import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './markdown';

const TITLE = /['"`]((?:[A-Z]\d+(?:, | and | )?)+): /g;

describe('docs/cases.md', () => {
  const listed = [...readFileSync(join(root, 'docs/cases.md'), 'utf8').matchAll(/^- \*\*(\w+)\*\*/gm)].map(
    ([, name]) => name!,
  );
  const proven = new Set(
    ['lib', 'test', 'sample']
      .flatMap(testsBelow)
      .flatMap((path) =>
        [...readFileSync(path, 'utf8').matchAll(TITLE)].flatMap(([, names]) => names!.split(/, | and | /)),
      ),
  );

  it('lists no case without a test', () => {
    expect(listed.filter((name) => !proven.has(name))).toEqual([]);
  });

  it('lists every case that a test is named after', () => {
    expect([...proven].filter((name) => !listed.includes(name))).toEqual([]);
  });
});

function testsBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(?<=[.-]spec|\.group)\.ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/[\\/](?:node_modules|dist)[\\/]/.test(path));
}
