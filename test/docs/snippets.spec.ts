import { complaintsAbout } from './compiler';
import { guides, Markdown } from './markdown';

// Snippets are what stands between ```ts and ```. context.ts says what they may use without importing it.
describe('every TypeScript snippet compiles', () => {
  it.each(guides)('in %s', (path) => expect(complaintsAbout(new Markdown(path))).toEqual([]));
});
