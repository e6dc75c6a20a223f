import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './markdown';

const TITLE = /['"`]((?:[A-Z]\d+(?:, | and | )?)+): /g;

/** The names of the cases that docs/cases.md lists. */
export function listedCases(): Set<string> {
  const list = readFileSync(join(root, 'docs/cases.md'), 'utf8');
  return new Set([...list.matchAll(/^- \*\*(\w+)\*\*/gm)].map(([, name]) => name!));
}

/** The names with which titles of tests begin. */
export function provenCases(): Set<string> {
  const titles = ['lib', 'test', 'sample']
    .flatMap(testsBelow)
    .flatMap((path) => [...readFileSync(path, 'utf8').matchAll(TITLE)]);
  return new Set(titles.flatMap(([, names]) => names!.split(/, | and | /)));
}

function testsBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(?<=[.-]spec|\.group)\.ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/[\\/](?:node_modules|dist)[\\/]/.test(path));
}
