import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { guides, Markdown, root } from './markdown';

describe('every link within the repository leads somewhere', () => {
  it.each(guides)('in %s', (path) => {
    const links = new Markdown(path).links().filter((target) => !/^[a-z]+:/.test(target));
    expect(links.filter((target) => !exists(path, target))).toEqual([]);
  });
});

function exists(from: string, target: string): boolean {
  const [file = '', anchor] = target.split('#');
  const path = file === '' ? from : join(dirname(from), file);
  if (!existsSync(join(root, path))) return false;
  return anchor === undefined || new Markdown(path).anchors().includes(anchor);
}
