import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeLong } from '../support/long';
import { complaintsAbout } from './compiler';
import { guides, Markdown, root } from './markdown';

// Snippets are what stands between ```ts and ```. context.ts says what they may use without importing it.
// `npm run typecheck` compiles them too.
describeLong('every TypeScript snippet compiles', () => {
  it.each(guides)('in %s', (path) => expect(complaintsAbout(new Markdown(path))).toEqual([]), 120_000);
});

it('opens the README with the quick start, to the letter', () => {
  const [first] = new Markdown('README.md').snippets('ts');
  expect(`${first?.code}\n`).toBe(readFileSync(join(root, 'sample/02-quick-start/src/visits.ts'), 'utf8'));
});
