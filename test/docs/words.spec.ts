import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './markdown';

/** The text of a document, with its lines joined, so that a sentence may be broken anywhere. */
const textOf = (document: string): string =>
  readFileSync(join(root, document), 'utf8').replaceAll(/\s+/g, ' ');

it.each([
  ['W5: how to refuse the import of Nest’s own @Session()', 'docs/your-data.md', /"no-restricted-imports"/],
  [
    'W15: that applications on one host need cookies of their own',
    'docs/options.md',
    /share its cookies too: give each a `cookie.name` of its own/,
  ],
  [
    'W17: whose sessions may be merged',
    'docs/login.md',
    /Two sessions of visitors may be merged, a visitor's into a login/,
  ],
  ['W17: that merging is safe', 'docs/security.md', /`merge`/],
  [
    'W27: that an exception undoes nothing',
    'docs/login.md',
    /an exception undoes nothing .* `await sessions.rollback\(\)`/,
  ],
  [
    'W46: that two requests may read one message, and what to use instead',
    'docs/your-data.md',
    /Two requests at once may both show it.*/,
  ],
  [
    'W46: what takes a value exactly once',
    'docs/your-data.md',
    /exactly one gets it\. Use it for an OAuth state/,
  ],
])('%s', (_what, document, words) => {
  expect(textOf(document)).toMatch(words);
});
