import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Markdown, root } from './markdown';

const samples = readdirSync(join(root, 'sample'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => ({ name }));

it('README has a row for each sample, and says how to start it', () => {
  const rows = new Markdown('README.md')
    .table('sample')
    .map(([name, , start]) => ({ name: bare(name), start: bare(start).split(' ').slice(-4).join(' ') }));
  expect(rows).toEqual(samples.map(({ name }) => ({ name, start: `npm run sample ${name}` })));
});

describe.each(samples)('sample/$name', ({ name }) => {
  const folder = join('sample', name);

  it('has what README and CONTRIBUTING promise of each', () => {
    const files = ['README.md', 'src/main.ts', 'tsconfig.json', 'tsconfig.build.json'];
    const specs = readdirSync(join(root, folder, 'test')).filter((file) => file.endsWith('.e2e-spec.ts'));
    expect({
      missing: files.filter((file) => !existsSync(join(root, folder, file))),
      hasSpecs: specs.length > 0,
    }).toEqual({ missing: [], hasSpecs: true });
  });

  it('has a README whose links lead somewhere', () => {
    const guide = join(folder, 'README.md');
    const paths = new Markdown(guide)
      .links()
      .filter((target) => !/^[a-z]+:/.test(target))
      .map((target) => join(root, dirname(guide), target.split('#')[0]!));
    expect(paths.filter((path) => !existsSync(path))).toEqual([]);
  });
});

function bare(cell = ''): string {
  return cell.replaceAll('`', '');
}
