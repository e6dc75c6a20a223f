import { guides, Markdown } from './markdown';

const index = 'docs/index.md';
const pages = guides.filter((path) => path.startsWith('docs/') && path !== index);

describe('docs/index.md', () => {
  it('lists each page once', () => {
    const listed = new Markdown(index).links().map((link) => `docs/${link}`);
    expect(listed.sort()).toEqual([...pages].sort());
  });
});

it.each(pages)('%s begins with when it is needed', (path) => {
  expect(new Markdown(path).beginning()).toMatch(/^# .+\n\nYou need this when /);
});

it('keeps the README short', () => {
  expect(new Markdown('README.md').length).toBeLessThanOrEqual(300);
});
