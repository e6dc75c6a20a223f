import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './markdown';

const REQUIRED = /const \{([^}]+)\} = require\('(?:\.\.\/)+dist\/([^']+)\.js'\)/g;

/** The benches import parts of the build that no package exports, and no compiler looks at them. */
describe('what the benches take from the build', () => {
  const imports = readdirSync(join(root, 'bench'), { recursive: true, withFileTypes: true })
    .filter(
      (entry) => entry.isFile() && entry.name.endsWith('.mjs') && !entry.parentPath.includes('node_modules'),
    )
    .flatMap((entry) => {
      const text = readFileSync(join(entry.parentPath, entry.name), 'utf8');
      return [...text.matchAll(REQUIRED)].map(([, names, module]) => ({
        bench: entry.name,
        module: module!,
        names: names!.split(',').map((name) => name.trim()),
      }));
    });

  it.each(imports)('is there: $names of $module, for $bench', ({ module, names }) => {
    const exported = Object.keys(jest.requireActual<object>(join(root, 'lib', module)));
    expect(names.filter((name) => !exported.includes(name))).toEqual([]);
  });
});
