import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/core';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

/** On the package's source, under the names that a store's author imports. */
const alias = [
  { find: /^nestjs-tessera$/, replacement: at('../../lib/index.ts') },
  { find: /^nestjs-tessera\/testing$/, replacement: at('../../lib/testing/index.ts') },
];

/** Compiles as Jest does: Nest needs the metadata of decorators, which Vitest's own compiler does not emit. */
const swc = () => {
  const { transform } = createRequire(import.meta.url)('../../jest.config.js');
  const [, options] = Object.values(transform)[0];
  return {
    name: 'swc',
    enforce: 'pre',
    transform: (code, filename) =>
      /\.ts$/.test(filename)
        ? transformSync(code, { ...options, filename, sourceMaps: true, module: { type: 'es6' } })
        : undefined,
  };
};

const cacheDir = at('../../node_modules/.vite');

const project = (name, options, ...plugins) => ({
  cacheDir,
  plugins,
  resolve: { alias },
  test: { name, root: at('.'), include: [`${name}.test.ts`], ...options },
});

export default {
  root: at('.'),
  cacheDir,
  test: {
    projects: [
      project('runner'),
      project('globals', { globals: true }),
      project('broken'),
      project('kit', {}, swc()),
    ],
  },
};
