import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { Markdown, root } from './markdown';

interface Manifest {
  readonly homepage?: string;
  readonly bugs?: string | { readonly url: string };
}

describe('W8: the package', () => {
  const packed = packedPaths();
  const documents = packed.filter((path) => /^[^/]+\.md$/.test(path));

  it('contains documents', () => {
    expect(documents).toEqual(expect.arrayContaining(['README.md', 'CHANGELOG.md', 'SECURITY.md']));
  });

  it.each(documents)('contains whatever %s links to', (path) => {
    const targets = new Markdown(path)
      .links()
      .filter((target) => !/^[a-z]+:|^#/.test(target))
      .map((target) => normalize(target.split('#')[0]!));
    expect(targets.filter((target) => !packed.includes(target))).toEqual([]);
  });

  it('leaves homepage and bugs to npm, which derives them from the repository', () => {
    const { homepage, bugs } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
    expect({ homepage, bugs }).toEqual({ homepage: undefined, bugs: undefined });
  });
});

/** What `npm pack` would put into the tarball. */
function packedPaths(): string[] {
  const command = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const text = execFileSync('npm', command, {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ files }] = JSON.parse(text) as [{ files: { path: string }[] }];
  return files.map(({ path }) => path);
}
